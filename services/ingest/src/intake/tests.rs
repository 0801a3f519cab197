//! The intake on memory bus and store under virtual time.

use std::time::Duration;

use bus::{MemoryBus, Position};
use service::Clock;
use signalbox_proto::{record::accepted_from_bytes, topics};
use sms::{Class, Content, Msisdn, Sender};
use store::MemoryStore;

use super::*;
use crate::{Accounts, Directory};

struct Rig {
    deps: Deps,
    intake: Intake,
    account: Arc<Account>,
}

const HOUR: Duration = Duration::from_secs(3_600);

async fn rig() -> Rig {
    let clock = Clock::starting_at(UnixMs(1_763_726_400_000));
    let deps = Deps {
        bus: Arc::new(MemoryBus::new(clock.as_millis_fn())),
        store: Arc::new(MemoryStore::new(clock.as_millis_fn())),
        clock,
        dice: Dice::seeded(7),
        tracer: service::Tracer::default(),
    };
    deps.bus.ensure(&topics::fixed(4)).await.unwrap();
    let text = "[[account]]\nname = \"acme\"\nkeys = \"0123456789abcdef\"\nin_flight = 10\n";
    let accounts = Accounts::empty(&deps.dice)
        .parse("a", text, std::path::Path::new(""))
        .unwrap()
        .0;
    let account = Directory::new(accounts).find("0123456789abcdef").unwrap().1;
    let intake = Intake::new(&deps, KeySecret::new([1; 16]));
    Rig { deps, intake, account }
}

fn draft(to: &str, class: Class, idempotency_key: &str) -> Result<Draft, Refusal> {
    Ok(Draft {
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new(to).unwrap(),
        content: Content::Text("hello".to_owned()),
        encoding: Encoding::Gsm7,
        segments: 1,
        class,
        ttl: None,
        receipt: true,
        reference: String::new(),
        idempotency_key: idempotency_key.to_owned(),
    })
}

impl Rig {
    async fn submit(&self, drafts: Vec<Result<Draft, Refusal>>) -> Vec<Answer> {
        self.intake
            .submit(&self.account, drafts, Call::default())
            .await
            .finish()
            .await
    }

    /// Hears what routers say as long as what it returns lives.
    async fn listen(&self) -> (service::Tasks, service::StopHandle) {
        let (handle, stop) = service::Stop::new();
        let mut tasks = service::Tasks::new();
        tasks.spawn(crate::keep_pressure(self.intake.pressure(), self.deps.clone(), stop));
        service::time::sleep(Duration::from_millis(1)).await;
        (tasks, handle)
    }

    /// Says in place of a router what it has before it.
    async fn say(&self, pressure: journey::Pressure) {
        let mut report = journey::RouterReport {
            pressure,
            ..Default::default()
        };
        report.ejections.router = "a".to_owned();
        let word = Record::new(1, record::router_report_to_bytes(&report));
        let taken = self.deps.bus.publish(&topics::carriers(), vec![word]).await;
        taken.unwrap().await.unwrap();
        service::time::sleep(Duration::from_millis(1)).await;
    }

    /// Every message on the bus in `lane`, oldest first within a partition.
    async fn accepted(&self, lane: Lane) -> Vec<Message> {
        let mut read = self
            .deps
            .bus
            .read(&topics::accepted(lane), Position::Start)
            .await
            .unwrap();
        let mut messages = Vec::new();
        loop {
            let records = read.poll(1_000).await.unwrap();
            if records.is_empty() {
                return messages;
            }
            messages.extend(records.iter().map(|record| {
                let message = accepted_from_bytes(&record.value).unwrap();
                assert_eq!(message.key.0, record.key);
                message
            }));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_class_goes_to_its_lane_with_its_answer_in_place() {
    let rig = rig().await;
    let refusal = Refusal::Invalid(Vec::new());
    let answers = rig
        .submit(vec![
            draft("447700900001", Class::Promotional, ""),
            Err(refusal.clone()),
            draft("447700900002", Class::Otp, ""),
            draft("447700900003", Class::Transactional, ""),
        ])
        .await;
    assert_eq!(answers[1], Err(refusal));
    for (place, lane) in [(0, Lane::Bulk), (2, Lane::Urgent), (3, Lane::Normal)] {
        let messages = rig.accepted(lane).await;
        assert_eq!(messages.len(), 1);
        let message = &messages[0];
        assert_eq!(answers[place].as_ref().unwrap().id, message.id);
        assert_eq!(
            (message.class.lane(), message.accepted_at),
            (lane, rig.deps.clock.now())
        );
        assert_eq!(message.id.instant(), rig.deps.clock.now());
    }
    assert_eq!(rig.account.in_flight.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn messages_over_the_in_flight_limit_are_refused_and_the_others_taken() {
    let rig = rig().await;
    let waiting = rig
        .intake
        .submit(
            &rig.account,
            (0..8).map(|_| draft("447700900001", Class::Otp, "")).collect(),
            Call::default(),
        )
        .await;
    let answers = rig
        .submit((0..3).map(|_| draft("447700900001", Class::Otp, "")).collect())
        .await;
    assert!(answers[0].is_ok() && answers[1].is_ok());
    assert!(
        matches!(answers[2], Err(Refusal::Exhausted { limit: 10, .. })),
        "{:?}",
        answers[2]
    );
    assert_eq!(waiting.finish().await.iter().filter(|answer| answer.is_ok()).count(), 8);
    assert_eq!(rig.account.in_flight.used(), 0);
}

#[tokio::test(start_paused = true)]
async fn one_key_is_one_message_for_a_day() {
    let rig = rig().await;
    let first = rig.submit(vec![draft("447700900001", Class::Otp, "k")]).await[0]
        .clone()
        .unwrap();
    service::time::sleep(23 * HOUR).await;
    assert_eq!(
        rig.submit(vec![draft("447700900001", Class::Otp, "k")]).await[0]
            .clone()
            .unwrap(),
        first
    );
    assert_eq!(
        rig.accepted(Lane::Urgent).await.len(),
        1,
        "what is final is not published again"
    );
    service::time::sleep(HOUR).await;
    assert_ne!(
        rig.submit(vec![draft("447700900001", Class::Otp, "k")]).await[0]
            .clone()
            .unwrap(),
        first
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_key_twice_in_a_frame_is_one_record() {
    let rig = rig().await;
    let answers = rig
        .submit(vec![
            draft("447700900001", Class::Otp, "k"),
            draft("447700900001", Class::Otp, "k"),
            draft("447700900002", Class::Otp, "k"),
            draft("447700900001", Class::Otp, "other"),
        ])
        .await;
    let ids: Vec<_> = answers
        .iter()
        .map(|answer| answer.as_ref().map(|accepted| accepted.id))
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[2], Err(&Refusal::KeyReused(*ids[0].as_ref().unwrap())));
    assert_ne!(ids[3], ids[0]);
    assert_eq!(rig.accepted(Lane::Urgent).await.len(), 2);
}

/// Leaves the answer unfinished after the publish, as a crash would: the key stays pending.
#[tokio::test(start_paused = true)]
async fn a_pending_key_is_published_again_under_its_id() {
    let rig = rig().await;
    drop(
        rig.intake
            .submit(
                &rig.account,
                vec![draft("447700900001", Class::Otp, "k")],
                Call::default(),
            )
            .await,
    );
    service::time::sleep(HOUR).await;
    let answer = rig.submit(vec![draft("447700900001", Class::Otp, "k")]).await[0]
        .clone()
        .unwrap();
    let messages = rig.accepted(Lane::Urgent).await;
    assert_eq!(
        messages.iter().map(|message| message.id).collect::<Vec<_>>(),
        [answer.id, answer.id]
    );
    assert_eq!(
        messages[1].accepted_at,
        rig.deps.clock.now(),
        "its deadline counts from the answer"
    );
    assert!(rig.submit(vec![draft("447700900001", Class::Otp, "k")]).await[0].is_ok());
    assert_eq!(rig.accepted(Lane::Urgent).await.len(), 2, "final by now");
}

#[tokio::test(start_paused = true)]
async fn a_closed_log_refuses_and_leaves_keys_pending() {
    let rig = rig().await;
    rig.deps.bus.close(HOUR).await.unwrap();
    let answers = rig
        .submit(vec![
            draft("447700900001", Class::Otp, "k"),
            draft("447700900001", Class::Otp, ""),
        ])
        .await;
    assert!(
        answers.iter().all(|answer| matches!(answer, Err(Refusal::Publish(_)))),
        "{answers:?}"
    );
    let key = idempotency::store_key(&rig.account.name, "k");
    let entry = rig.deps.store.get(vec![key]).await.unwrap().pop().unwrap().unwrap();
    assert_eq!(entry.value[1], 0, "pending");
}

#[tokio::test(start_paused = true)]
async fn messages_to_one_recipient_keep_their_order() {
    let rig = rig().await;
    let mut ids = Vec::new();
    let mut pending = Vec::new();
    for _ in 0..5 {
        pending.push(
            rig.intake
                .submit(
                    &rig.account,
                    vec![draft("447700900001", Class::Otp, "")],
                    Call::default(),
                )
                .await,
        );
    }
    for submitted in pending.into_iter().rev() {
        ids.push(submitted.finish().await[0].as_ref().unwrap().id);
    }
    ids.reverse();
    let messages: Vec<_> = rig
        .accepted(Lane::Urgent)
        .await
        .iter()
        .map(|message| message.id)
        .collect();
    assert_eq!(messages, ids);
}

/// The store that `rig` was given, and a way to lose it and begin its next epoch with nothing in it.
async fn rig_with_store() -> (Rig, MemoryStore) {
    let mut rig = rig().await;
    let store = MemoryStore::new(rig.deps.clock.as_millis_fn());
    rig.deps.store = Arc::new(store.handle());
    rig.intake = Intake::new(&rig.deps, KeySecret::new([1; 16]));
    (rig, store)
}

async fn begin_epoch(rig: &Rig, store: &MemoryStore) {
    let epoch = store.rebuild().await.unwrap().unwrap().finish().await.unwrap();
    store.adopt(&epoch);
    rig.deps.store.adopt(&epoch);
}

#[tokio::test(start_paused = true)]
async fn with_the_store_lost_only_messages_with_a_key_are_refused() {
    let (rig, store) = rig_with_store().await;
    store.lose();
    let drafts = vec![
        draft("447700900001", Class::Otp, ""),
        draft("447700900002", Class::Otp, "k"),
    ];
    let answers = rig.submit(drafts).await;
    assert!(answers[0].is_ok());
    assert_eq!(answers[1], Err(Refusal::Store(StoreError::Lost)));
    assert_eq!(rig.accepted(Lane::Urgent).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_log_keeps_what_a_key_was() {
    let (rig, _) = rig_with_store().await;
    let answers = rig.submit(vec![draft("447700900001", Class::Otp, "k")]).await;
    let mut read = rig
        .deps
        .bus
        .read(&topics::accepted(Lane::Urgent), Position::Start)
        .await
        .unwrap();
    let octets = read.poll(1).await.unwrap().remove(0).value;
    let (message, mark) = record::accepted_with_key_from_bytes(&octets).unwrap();
    let mark = mark.expect("it was submitted with a key");
    assert_eq!(Ok(message.id), answers[0].as_ref().map(|accepted| accepted.id));
    let key = signalbox_proto::keys::idempotency(&message.account, &mark.hex());
    let found = rig.deps.store.get(vec![key]).await.unwrap().remove(0).unwrap();
    let entry = record::KeyEntry::from_bytes(&found.value).unwrap();
    assert_eq!(
        (entry.id, entry.digest),
        (message.id, mark.digest),
        "as a rebuild makes it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_message_was_being_published_outlives_the_store() {
    let (rig, store) = rig_with_store().await;
    let wanted = || vec![draft("447700900001", Class::Otp, "k")];
    let submitted = rig.intake.submit(&rig.account, wanted(), Call::default()).await;
    store.lose();
    let (answers, ()) = futures::join!(submitted.finish(), async {
        time::sleep(Duration::from_secs(2)).await;
        begin_epoch(&rig, &store).await;
    });
    assert_eq!(rig.submit(wanted()).await, answers, "the same message");
    assert_eq!(rig.accepted(Lane::Urgent).await.len(), 1);
}

/// The next epoch is adopted before the publish is through, so that its end meets no `Lost`.
#[tokio::test(start_paused = true)]
async fn a_key_that_another_message_took_in_the_next_epoch_is_not_overwritten() {
    let (rig, store) = rig_with_store().await;
    let wanted = || vec![draft("447700900001", Class::Otp, "k")];
    let slow = rig.intake.submit(&rig.account, wanted(), Call::default()).await;
    let other_slow = rig.intake.submit(&rig.account, wanted(), Call::default()).await;
    store.lose();
    begin_epoch(&rig, &store).await;
    let answers = rig.submit(wanted()).await;
    assert!(answers[0].is_ok());
    assert_eq!(slow.finish().await, answers, "the key stands for the later message");
    assert_eq!(other_slow.finish().await, answers);
    assert_eq!(rig.submit(wanted()).await, answers, "and still does");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_next_epoch_does_not_know_is_put_back() {
    let (rig, store) = rig_with_store().await;
    let wanted = || vec![draft("447700900001", Class::Otp, "k")];
    let slow = rig.intake.submit(&rig.account, wanted(), Call::default()).await;
    store.lose();
    begin_epoch(&rig, &store).await;
    let answers = slow.finish().await;
    assert!(answers[0].is_ok());
    assert_eq!(rig.submit(wanted()).await, answers);
    assert_eq!(rig.accepted(Lane::Urgent).await.len(), 1, "final by now");
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_key_cannot_be_put_back_is_not_answered_ok() {
    let (rig, store) = rig_with_store().await;
    let submitted = rig
        .intake
        .submit(
            &rig.account,
            vec![draft("447700900001", Class::Otp, "k")],
            Call::default(),
        )
        .await;
    store.lose();
    assert_eq!(submitted.finish().await, [Err(Refusal::Store(StoreError::Lost))]);
}

#[tokio::test(start_paused = true)]
async fn a_new_epoch_is_adopted() {
    let (rig, store) = rig_with_store().await;
    let (handle, stop) = service::Stop::new();
    let mut keeper = service::Tasks::new();
    keeper.spawn(crate::keep_epoch(Arc::clone(&rig.deps.store), stop));
    store.lose();
    let epoch = store.rebuild().await.unwrap().unwrap().finish().await.unwrap();
    store.adopt(&epoch);
    assert_eq!(rig.deps.store.get(vec![]).await, Err(StoreError::Lost));
    time::sleep(Duration::from_secs(1)).await;
    assert_eq!(rig.deps.store.get(vec![]).await, Ok(vec![]));
    handle.request();
    keeper.join_all().await;
}

/// Numbers that begin with 336 have a queue of a quarter of an hour in bulk.
#[tokio::test(start_paused = true)]
async fn what_would_wait_is_refused_alone_and_its_key_stays_free() {
    let rig = rig().await;
    let _listening = rig.listen().await;
    let congestion = journey::Congestion {
        lane: Lane::Bulk,
        account: None,
        head: journey::Head::new(336).unwrap(),
        wait: Duration::from_secs(900),
    };
    rig.say(journey::Pressure {
        congested: vec![congestion],
        ..Default::default()
    })
    .await;
    let campaign = draft("33612345678", Class::Promotional, "key");
    let answers = rig
        .submit(vec![
            campaign.clone(),
            draft("33612345678", Class::Otp, ""),
            draft("44712345678", Class::Promotional, ""),
        ])
        .await;
    let Err(Refusal::Busy(busy)) = &answers[0] else {
        panic!("{answers:?}")
    };
    assert_eq!((busy.lane, busy.wait), (Lane::Bulk, Duration::from_secs(900)));
    assert!(answers[1].is_ok() && answers[2].is_ok(), "{answers:?}");
    assert_eq!(rig.accepted(Lane::Bulk).await.len(), 1);
    let key = idempotency::store_key(&rig.account.name, "key");
    assert_eq!(rig.deps.store.get(vec![key]).await.unwrap(), [None]);

    rig.say(journey::Pressure::default()).await;
    assert!(rig.submit(vec![campaign]).await[0].is_ok());
}

/// What is refused leaves its place in the account's limit to others.
#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_counts_against_no_limit() {
    let rig = rig().await;
    let mut drafts = vec![draft("33612345678", Class::Promotional, ""); 10];
    drafts.extend(vec![draft("33612345678", Class::Otp, ""); 5]);
    let answers = rig.submit(drafts.clone()).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    let _listening = rig.listen().await;
    rig.say(journey::Pressure {
        lags: [Duration::from_secs(9); 3],
        ..Default::default()
    })
    .await;
    let answers = rig.submit(drafts).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_makes_no_message_older_and_forgets_no_key() {
    let rig = rig().await;
    let before = rig.submit(vec![draft("447700900001", Class::Otp, "once")]).await;
    let at = rig.deps.clock.now();
    rig.deps.clock.set_machine(-3_600_000);
    time::sleep(Duration::from_secs(1)).await;
    let after = rig
        .submit(vec![
            draft("447700900001", Class::Otp, "once"),
            draft("447700900002", Class::Otp, "another"),
        ])
        .await;
    let id = |answer: &Answer| answer.as_ref().unwrap().id;
    assert_eq!(id(&after[0]), id(&before[0]), "the key is known");
    assert!(id(&after[1]).instant() > id(&before[0]).instant());
    let messages = rig.accepted(Lane::Urgent).await;
    assert_eq!(messages.len(), 2);
    assert!(messages.iter().all(|message| message.accepted_at >= at));
}
