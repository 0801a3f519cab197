//! Carriers that are offered more than they take: one that is slow, one that is gone. What they cannot take stays with the
//! customers, nobody else feels it, and nothing that was accepted is lost.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use bus::{Bus, MemoryBus, Position, Read, Topic};
use connector::{
    LinkConfig, LinkKind,
    simulator::{Hub, SimulatorConfig},
};
use ingest::{Account, BusyWhat, Draft, Intake, KeySecret, Refusal};
use journey::{EndState, Event};
use service::{Clock, Deps, Dice, Stop, StopHandle, Tasks, time, trace::Call};
use signalbox_proto::{record, topics};
use sms::{AccountId, CarrierName, Class, Content, Lane, MessageId, Msisdn, Sender, UnixMs};
use store::MemoryStore;
use table::{LiveTable, files::Files};

/// 2026-01-01T00:00:00Z.
const START: UnixMs = UnixMs(1_767_225_600_000);
/// Messages a second that the slow carrier takes, and that a campaign offers.
const TAKEN: u64 = 10;
const OFFERED: usize = 100;
/// How long it offers them.
const OFFER_SECONDS: u64 = 3_600;
/// Queue in bulk from which on messages are refused, and at which all are, in seconds.
const LIMIT_SECONDS: u64 = 600;
const FULL_SECONDS: u64 = 750;
/// From a queue to what ingest makes of it two words go by, and a window over which the pace is counted; ten seconds of queue
/// may be added in each.
const OVERSHOOT_SECONDS: u64 = 50;
const SLOW: &str = "slow";

/// Ingest without its sockets, a router and a connector, over a log and a store in memory.
struct World {
    bus: MemoryBus,
    account: Account,
    intake: Intake,
    roles: Tasks<Result<(), String>>,
    keepers: Tasks,
    stop: StopHandle,
    /// Cuts and mends links.
    hub: Hub,
    orders: Box<dyn Read>,
    outcomes: Box<dyn Read>,
    /// Orders of the campaign that the slow carrier has not answered.
    queue: u64,
}

/// What the customers were told.
#[derive(Default)]
struct Told {
    accepted: BTreeSet<MessageId>,
    refused: Vec<ingest::Busy>,
}

fn name(carrier: &str) -> CarrierName {
    CarrierName::new(carrier).unwrap()
}

fn table() -> table::Table {
    let mut files = Files::default();
    files.insert("table.toml", "name = \"pressure\"\ncurrency = \"EUR\"\n");
    let carriers = [SLOW, "fast"].map(|name| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n"));
    files.insert("carriers.toml", carriers.concat());
    let numbering = "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n44,234,15,GB,Vodafone\n";
    files.insert("numbering.csv", numbering);
    files.insert("policies.toml", "");
    for (name, mcc) in [(SLOW, 208), ("fast", 234)] {
        let sheet = format!("mcc,mnc,prefix,price,from,until\n{mcc},,,0.04,,\n");
        files.insert(format!("rates/{name}.csv"), sheet);
    }
    table::build(&files).unwrap_or_else(|problems| panic!("{problems}")).0
}

fn draft(to: &str, class: Class) -> Draft {
    let content = Content::Text("hello".to_owned());
    let size = sms::count(&content);
    Draft {
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new(to).unwrap(),
        content,
        encoding: size.encoding,
        segments: size.segments,
        class,
        ttl: None,
        receipt: true,
        reference: String::new(),
        idempotency_key: String::new(),
    }
}

impl World {
    /// With `rate` messages a second on the link to the slow carrier.
    async fn new(rate: Option<u32>) -> Self {
        let clock = Clock::starting_at(START);
        let bus = MemoryBus::new(clock.as_millis_fn());
        let store = MemoryStore::new(clock.as_millis_fn());
        let deps = |seed| Deps {
            bus: Arc::new(bus.clone()),
            store: Arc::new(store.handle()),
            clock: clock.clone(),
            dice: Dice::seeded(seed),
            tracer: service::Tracer::default(),
        };
        let (stop, stopped) = Stop::new();
        let intake = Intake::new(&deps(1), KeySecret::new([7; 16]));
        bus.ensure(&topics::fixed(4)).await.unwrap();
        bus.ensure(&topics::of_carrier(&name(SLOW), 4)).await.unwrap();
        let (mut roles, mut keepers) = (Tasks::new(), Tasks::new());
        keepers.spawn(ingest::keep_epoch(deps(1).store, stopped.clone()));
        keepers.spawn(ingest::keep_pressure(intake.pressure(), deps(1), stopped.clone()));
        let config = router::Config {
            partitions: 4,
            ..router::Config::default()
        };
        let live = Arc::new(LiveTable::new(table()));
        let routing = router::run(config, deps(2), live, stopped.clone());
        roles.spawn(async move { Box::pin(routing).await.map_err(|error| error.to_string()) });
        let link = |carrier: &str, rate| {
            let kind = LinkKind::Simulator(SimulatorConfig::default());
            let mut link = LinkConfig::new(carrier, vec![name(carrier)], kind);
            link.rate = rate;
            link
        };
        let config = connector::Config {
            partitions: 4,
            ..connector::Config::new(vec![link(SLOW, rate), link("fast", None)])
        };
        let hub = Hub::default();
        let connecting = connector::Deps {
            shell: deps(3),
            simulators: hub.clone(),
        };
        let connecting = connector::run(config, connecting, stopped);
        roles.spawn(async move { Box::pin(connecting).await.map_err(|error| error.to_string()) });
        time::sleep(Duration::from_secs(2)).await;
        let read = async |topic: Topic| bus.read(&topic, Position::Start).await.unwrap();
        Self {
            orders: read(topics::dispatch(&name(SLOW), Lane::Bulk)).await,
            outcomes: read(topics::outcomes()).await,
            account: Account::new(AccountId::new("acme").unwrap()),
            intake,
            roles,
            keepers,
            stop,
            hub,
            queue: 0,
            bus,
        }
    }

    async fn submit(&self, drafts: Vec<Draft>, told: &mut Told) {
        let drafts = drafts.into_iter().map(Ok).collect();
        for answer in self
            .intake
            .submit(&self.account, drafts, Call::default())
            .await
            .finish()
            .await
        {
            match answer {
                Ok(accepted) => _ = told.accepted.insert(accepted.id),
                Err(Refusal::Busy(busy)) => told.refused.push(busy),
                Err(refusal) => panic!("{refusal}"),
            }
        }
    }

    /// Lets a second pass, and counts what waits for the slow carrier.
    async fn second(&mut self) -> u64 {
        time::sleep(Duration::from_secs(1)).await;
        self.queue += self.orders.poll(10_000).await.unwrap().len() as u64;
        for stored in self.outcomes.poll(10_000).await.unwrap() {
            let answer = record::outcome_from_bytes(&stored.value).unwrap();
            let is_of_campaign = answer.order.carrier == name(SLOW) && answer.returned.class() == Class::Promotional;
            self.queue -= u64::from(is_of_campaign);
        }
        self.queue
    }

    /// How each message ended.
    async fn ends(&self) -> BTreeMap<MessageId, EndState> {
        let mut reader = self.bus.read(&topics::events(), Position::Start).await.unwrap();
        let mut ends = BTreeMap::new();
        loop {
            let records = reader.poll(10_000).await.unwrap();
            if records.is_empty() {
                return ends;
            }
            for stored in records {
                if let Event::Ended(ended) = record::event_from_bytes(&stored.value).unwrap() {
                    let before = ends.insert(ended.message.id, ended.state);
                    assert_eq!(before, None, "{} ended twice", ended.message.id);
                }
            }
        }
    }

    async fn stop(mut self) {
        self.stop.request();
        while let Some(ended) = self.roles.join_next().await {
            ended.unwrap().unwrap();
        }
        self.keepers.join_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_is_too_much_for_its_carrier_is_held_back_at_the_door() {
    let mut world = World::new(u32::try_from(TAKEN).ok()).await;
    let (mut campaign, mut others) = (Told::default(), Told::default());
    let mut settled = Vec::new();
    for second in 0..OFFER_SECONDS {
        world
            .submit(vec![draft("33612345678", Class::Promotional); OFFERED], &mut campaign)
            .await;
        let otp = draft("33612345678", Class::Otp);
        let elsewhere = [Class::Promotional, Class::Transactional].map(|class| draft("44712345678", class));
        let mut beside = elsewhere.to_vec();
        beside.extend((second % 5 == 0).then_some(otp));
        world.submit(beside, &mut others).await;
        let queue = world.second().await;
        assert!(
            queue <= (FULL_SECONDS + OVERSHOOT_SECONDS) * TAKEN,
            "{queue} orders wait after {second} s"
        );
        if second > 300 {
            settled.push(queue / TAKEN);
        }
    }
    let (least, most) = (settled.iter().min().unwrap(), settled.iter().max().unwrap());
    println!("{} accepted, a queue of {least} to {most} s", campaign.accepted.len());
    assert!(*least >= LIMIT_SECONDS, "the carrier has enough to do: {least} s");
    assert_eq!(others.refused, [], "nobody else feels it");
    for busy in &campaign.refused {
        assert!(
            matches!(busy.what, BusyWhat::Destination(head) if head.number() == 336),
            "{busy:?}"
        );
        assert_eq!((busy.lane, busy.limit.as_secs()), (Lane::Bulk, LIMIT_SECONDS));
        assert!((10..=450).contains(&busy.retry_after.as_secs()), "{busy:?}");
    }

    // The offer stops: everything that was accepted is sent.
    for _ in 0..FULL_SECONDS + OVERSHOOT_SECONDS + 120 {
        world.second().await;
    }
    assert_eq!(world.queue, 0);
    let ends = world.ends().await;
    let accepted: BTreeSet<_> = campaign.accepted.union(&others.accepted).copied().collect();
    assert_eq!(ends.keys().copied().collect::<BTreeSet<_>>(), accepted);
    let undelivered = ends.values().filter(|state| **state != EndState::Delivered).count();
    assert_eq!(undelivered, 0);
    let mut after = Told::default();
    world
        .submit(vec![draft("33612345678", Class::Promotional); OFFERED], &mut after)
        .await;
    assert_eq!(after.refused, [], "it is over");
    world.stop().await;
}

/// The only carrier of a country loses its link for three quarters of an hour, and a campaign of two messages a second goes on.
#[tokio::test(start_paused = true)]
async fn a_campaign_to_a_country_that_is_dark_does_not_fill_the_log() {
    const OFFERED: usize = 2;
    const DARK_SECONDS: usize = 2_700;
    /// The last quarter of an hour, when the first have waited for half an hour.
    const LATE_SECONDS: usize = 900;
    let mut world = World::new(None).await;
    let (mut campaign, mut others) = (Told::default(), Told::default());
    world.hub.cut(SLOW);
    world.second().await;
    let mut accepted_early = 0;
    for second in 0..DARK_SECONDS {
        if second == DARK_SECONDS - LATE_SECONDS {
            accepted_early = campaign.accepted.len();
        }
        world
            .submit(vec![draft("33612345678", Class::Promotional); OFFERED], &mut campaign)
            .await;
        assert!(
            second > 600 || campaign.refused.is_empty(),
            "it may be back soon: {second} s"
        );
        world
            .submit(vec![draft("44712345678", Class::Promotional)], &mut others)
            .await;
        world.second().await;
    }
    let accepted_late = campaign.accepted.len() - accepted_early;
    println!("{accepted_early} accepted for a dark country at first, {accepted_late} late");
    assert!(accepted_late < OFFERED * LATE_SECONDS / 2, "{accepted_late}");
    assert_eq!(others.refused, [], "nobody else feels it");

    world.hub.mend(SLOW);
    for _ in 0..200 {
        world.second().await;
    }
    let ends = world.ends().await;
    let accepted: BTreeSet<_> = campaign.accepted.union(&others.accepted).copied().collect();
    assert_eq!(ends.keys().copied().collect::<BTreeSet<_>>(), accepted);
    assert!(ends.values().all(|state| *state == EndState::Delivered));
    let mut after = Told::default();
    world
        .submit(vec![draft("33612345678", Class::Promotional); OFFERED], &mut after)
        .await;
    assert_eq!(after.refused, [], "it is over");
    world.stop().await;
}
