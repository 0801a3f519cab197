//! What operators order a link to do, with a scripted link under virtual time.

use super::*;
use crate::{
    directive::Conduct,
    link::{self, Arrived, Reply},
};
use sms::{Receipt, ReceiptState};

/// The numbers of the messages among `jobs`.
fn ids(jobs: &[link::Job]) -> Vec<u128> {
    jobs.iter().map(|job| job.ready.order.message.id.0.as_u128()).collect()
}

fn receipt(token: u64, remote_id: &str) -> Event {
    Event::Receipts(vec![Arrived {
        token,
        remote_id: remote_id.to_owned(),
        receipt: Receipt {
            state: ReceiptState::Delivered,
            fault: sms::ReceiptFault::Handset,
            raw: "DELIVRD".to_owned(),
            error: String::new(),
            done_at: None,
            vendor: Vec::new(),
        },
        party: None,
    }])
}

#[tokio::test(start_paused = true)]
async fn a_paused_link_submits_nothing_holds_its_queue_and_sends_all_of_it_once_it_is_resumed() {
    let world = world_with(&(1..=15).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    assert_eq!(jobs.len(), 9);
    rig.order(Conduct::Paused);
    jobs.iter().for_each(|job| rig.answer(job, taken("id")));
    world.publish(&[order(16)]).await;
    rig.assert_silent(120).await;
    assert_eq!(
        rig.said().await.len(),
        9,
        "what was in flight is answered, what waits is held"
    );
    let (state, _) = rig.vitals.state();
    assert_eq!(state, Stand::Draining, "routers send it nothing");
    assert_eq!(rig.vitals.connection().0, Stand::Up, "and it is connected");
    rig.order(Conduct::Open);
    let mut rest = Vec::new();
    while rest.len() < 7 {
        for job in rig.jobs().await {
            rig.answer(&job, taken("id"));
            rest.extend(ids(&[job]));
        }
    }
    rest.sort_unstable();
    assert_eq!(rest, (10..=16).collect::<Vec<_>>());
    assert_eq!(rig.vitals.state().0, Stand::Up);
    assert_eq!(rig.said().await.len(), 16);
}

#[tokio::test(start_paused = true)]
async fn a_link_paused_as_it_comes_up_sends_nothing() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::down(&world, 1, |_| {}).await;
    settle().await;
    rig.tell(Event::Up);
    rig.order(Conduct::Paused);
    rig.assert_silent(5).await;
    assert_eq!(rig.said().await, [""; 0]);
    assert_eq!(rig.vitals.queued(), 1);
}

/// The window is full, so what was claimed waits in line; its parts have tokens and no slots.
#[tokio::test(start_paused = true)]
async fn what_is_claimed_and_not_sent_when_a_link_is_paused_goes_on_to_other_carriers() {
    let world = world_with(&[long_order(1, 4), order(2)]).await;
    let mut rig = Rig::up_with(&world, |settings| settings.window = 1).await;
    let first = rig.job().await;
    rig.answer(&first, Verdict::Displaced);
    let again = rig.job().await;
    rig.tell(Event::Room { binds: 1, slots: 1 });
    rig.answer(&again, Verdict::Displaced);
    rig.order(Conduct::Paused);
    rig.assert_silent(5).await;
    assert_eq!(
        rig.said().await,
        ["1 link_down link_stopped"],
        "not one of its parts was written; the second was not claimed"
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_of_which_a_part_was_sent_is_finished_also_by_a_paused_link() {
    let world = world_with(&[long_order(1, 3), order(2)]).await;
    let mut rig = Rig::up_with(&world, |settings| settings.window = 1).await;
    let first = rig.job().await;
    rig.order(Conduct::Paused);
    settle().await;
    rig.answer(&first, taken("a"));
    for id in ["b", "c"] {
        let job = rig.job().await;
        assert_eq!(ids(std::slice::from_ref(&job)), [1]);
        rig.answer(&job, taken(id));
    }
    rig.assert_silent(60).await;
    assert_eq!(rig.said().await, ["1 accepted a,b,c"]);
}

/// It would wait for the carrier in place; the router waits instead.
#[tokio::test(start_paused = true)]
async fn what_a_carrier_holds_when_its_link_is_paused_goes_on_to_other_carriers() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.answer(&job, refused("hold"));
    settle().await;
    rig.order(Conduct::Paused);
    rig.assert_silent(5).await;
    assert_eq!(rig.said().await, ["1 link_down link_stopped"]);
}

#[tokio::test(start_paused = true)]
async fn receipts_go_on_while_a_link_is_paused() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.answer(&job, taken("a1"));
    settle().await;
    rig.order(Conduct::Paused);
    settle().await;
    rig.tell(receipt(5, "a1"));
    assert_eq!(
        rig.replies().await,
        [Reply {
            token: 5,
            is_safe: true
        }]
    );
}

#[tokio::test(start_paused = true)]
async fn a_drained_link_finishes_what_is_in_flight_hands_back_the_rest_and_disconnects() {
    let world = world_with(&(1..=15).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    rig.order(Conduct::Drained);
    rig.assert_silent(5).await;
    let handed_back: Vec<String> = (10..=15).map(|id| format!("{id} link_down link_stopped")).collect();
    assert_eq!(rig.said().await, handed_back);
    assert!(!rig.vitals.heeded().is_unplugged, "nine are in flight");
    jobs.iter().for_each(|job| rig.answer(job, taken("id")));
    let close = time::timeout(Duration::from_secs(1), rig.plug.commands.recv()).await;
    assert!(matches!(close, Some(Some(Command::Close))), "{close:?}");
    assert_eq!(rig.said().await.len(), 15);
    let (_, unplugged) = link::wire();
    rig.tell(Event::Down {
        reason: "unbound".into(),
    });
    drop(std::mem::replace(&mut rig.plug, unplugged));
    settle().await;
    assert!(rig.vitals.heeded().is_unplugged);
    assert_eq!(rig.vitals.trouble(), None, "an end that was ordered is no trouble");
    world.publish(&[order(16)]).await;
    time::sleep(Duration::from_secs(60)).await;
    assert_eq!(rig.said().await.last().unwrap(), "16 link_down link_stopped");
    assert!(rig.plugs.try_recv().is_err(), "it stays disconnected");
    rig.order(Conduct::Open);
    rig.plug = rig.plugs.recv().await.unwrap();
    rig.tell(Event::Up);
    world.publish(&[order(17)]).await;
    let job = rig.job().await;
    rig.answer(&job, taken("a17"));
    assert_eq!(rig.said().await.last().unwrap(), "17 accepted a17");
}

/// A reply to what came over the connection before says nothing about what comes over this one, though it has its token.
#[tokio::test(start_paused = true)]
async fn a_reply_that_was_late_for_its_link_does_not_reach_the_next_one() {
    let (wire, mut first) = link::wire();
    let reply = |token| Reply { token, is_safe: true };
    let before = wire.commands.mark(5);
    wire.commands.send(Command::Reply(vec![reply(before)]));
    let (_events, mut second) = wire.commands.renew();
    assert!(matches!(first.commands.recv().await, Some(Command::Reply(replies)) if replies == [reply(5)]));
    assert!(first.commands.recv().await.is_none(), "nothing leads to it any more");
    let (six, seven) = (wire.commands.mark(6), wire.commands.mark(7));
    wire.commands
        .send(Command::Reply(vec![reply(six), reply(before), reply(seven)]));
    let got = second.commands.recv().await;
    assert!(
        matches!(&got, Some(Command::Reply(replies)) if *replies == [reply(6), reply(7)]),
        "{got:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_takes_too_long_is_cut_short() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    let began = time::now();
    rig.order(Conduct::Drained);
    let close = time::timeout(Duration::from_secs(60), rig.plug.commands.recv()).await;
    assert!(matches!(close, Some(Some(Command::Close))), "{close:?}");
    assert_eq!(time::now().duration_since(began).as_secs(), 35);
    rig.answer(&job, Verdict::Unanswered);
    assert_eq!(rig.said().await, ["1 unknown"]);
}

#[tokio::test(start_paused = true)]
async fn a_drain_that_is_called_off_before_it_is_done_leaves_the_link_as_it_was() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.order(Conduct::Drained);
    settle().await;
    rig.order(Conduct::Open);
    settle().await;
    rig.answer(&job, taken("a1"));
    world.publish(&[order(2)]).await;
    let job = rig.job().await;
    rig.answer(&job, taken("a2"));
    assert_eq!(rig.said().await, ["1 accepted a1", "2 accepted a2"]);
}

/// A link that is resumed while it says goodbye is begun anew once it has.
#[tokio::test(start_paused = true)]
async fn a_link_resumed_while_it_closes_is_begun_anew() {
    let world = world_with(&[]).await;
    let mut rig = Rig::up(&world, 1).await;
    settle().await;
    rig.order(Conduct::Drained);
    let close = rig.plug.commands.recv().await;
    assert!(matches!(close, Some(Command::Close)), "{close:?}");
    rig.order(Conduct::Open);
    settle().await;
    assert!(rig.plugs.try_recv().is_err(), "it is not gone yet");
    let (_, unplugged) = link::wire();
    drop(std::mem::replace(&mut rig.plug, unplugged));
    rig.plug = rig.plugs.recv().await.unwrap();
    rig.tell(Event::Up);
    world.publish(&[order(1)]).await;
    rig.job().await;
}

#[tokio::test(start_paused = true)]
async fn a_link_that_was_drained_before_its_connector_started_is_not_begun() {
    let world = world_with(&[order(1)]).await;
    let directive = tokio::sync::watch::Sender::new(crate::directive::Directive {
        conduct: Conduct::Drained,
        rate: None,
    });
    let mut rig = Rig::down(&world, 1, |settings| settings.directive = directive.subscribe()).await;
    rig.assert_silent(5).await;
    assert!(rig.vitals.heeded().is_unplugged);
    assert_eq!(rig.said().await, ["1 link_down link_stopped"]);
    directive.send_modify(|directive| directive.conduct = Conduct::Open);
    assert!(rig.plugs.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stops_while_a_link_is_drained_or_paused_ends() {
    for conduct in [Conduct::Paused, Conduct::Drained] {
        let world = world_with(&[order(1)]).await;
        let mut rig = Rig::up(&world, 1).await;
        let job = rig.job().await;
        rig.order(conduct);
        settle().await;
        rig.stop.request();
        rig.answer(&job, taken("a1"));
        let close = time::timeout(Duration::from_secs(1), rig.plug.commands.recv()).await;
        assert!(matches!(close, Some(Some(Command::Close))), "{close:?}");
        let Rig { mut pump, plug, .. } = rig;
        drop(plug);
        assert_eq!(pump.join_next().await.unwrap().unwrap(), Abandoned { orders: 0 });
        assert_eq!(world.said().await, ["1 accepted a1"]);
    }
}

/// Sends through the link for `seconds` and counts.
async fn sent_within(rig: &mut Rig, seconds: f64) -> usize {
    let (until, mut sent) = (time::now() + Duration::from_secs_f64(seconds), 0);
    while let Some(Some(Command::Submit(jobs))) =
        time::timeout(until.duration_since(time::now()), rig.plug.commands.recv()).await
    {
        sent += jobs.len();
        jobs.iter().for_each(|job| rig.answer(job, taken("id")));
    }
    sent
}

#[tokio::test(start_paused = true)]
async fn an_ordered_rate_is_kept_at_once_up_and_down_and_until_the_configuration_s_is_back() {
    let world = world_with(&(1..=900).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up_with(&world, |settings| {
        settings.rate = Some(20);
        settings.window_max = 50;
    })
    .await;
    let configured = sent_within(&mut rig, 5.0).await;
    assert!((95..=105).contains(&configured), "{configured}");
    for (rate, least, most) in [(Some(100), 480, 520), (Some(5), 24, 36), (None, 95, 105)] {
        rig.order_rate(rate);
        let sent = sent_within(&mut rig, 5.0).await;
        assert!((least..=most).contains(&sent), "{sent} at {rate:?}");
        assert_eq!(rig.vitals.rate(), rate.or(Some(20)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_without_a_rate_can_be_given_one_and_lose_it_again() {
    let world = world_with(&(1..=400).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up(&world, 1).await;
    rig.order_rate(Some(10));
    let sent = sent_within(&mut rig, 5.0).await;
    assert!((48..=55).contains(&sent), "{sent}");
    rig.order_rate(None);
    let sent = sent_within(&mut rig, 5.0).await;
    assert!(sent > 300, "{sent}");
}

#[tokio::test(start_paused = true)]
async fn answers_are_timed_and_the_last_refusal_that_is_the_link_s_is_kept() {
    let world = world_with(&[order(1), order(2), order(3)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    time::sleep(Duration::from_millis(80)).await;
    rig.answer(&jobs[0], taken("a1"));
    rig.answer(&jobs[1], refused("next"));
    rig.answer(&jobs[2], refused("fail"));
    settle().await;
    assert_eq!(rig.vitals.round_trips().last(), Some(Duration::from_millis(80)));
    assert_eq!(rig.vitals.trouble().unwrap().words, "refused a part: word ESME_X");
    rig.tell(Event::Down {
        reason: "the peer closed the connection".into(),
    });
    settle().await;
    assert_eq!(rig.vitals.trouble().unwrap().words, "the peer closed the connection");
}
