//! Several routers on one log in memory: publications, and who comes first.

use std::sync::Arc;

use bus::{Bus as _, MemoryBus, Position, Record};
use bytes::Bytes;
use service::{Clock, Dice, Stop, StopHandle, Tasks};
use signalbox_proto::{record::CHUNK_OCTETS_MAX, tables::pack, topics};
use store::MemoryStore;
use table::files::Files;

use super::*;
use crate::Error;

/// Routers on one log.
struct Fleet {
    bus: MemoryBus,
    deps: Deps,
    stop: StopHandle,
    stopped: Stop,
    tasks: Tasks<Result<(), Error>>,
}

impl Fleet {
    async fn new() -> Self {
        let clock = Clock::starting_at(UnixMs(1_767_225_600_000));
        let bus = MemoryBus::new(clock.as_millis_fn());
        bus.ensure(&topics::fixed(1)).await.unwrap();
        let deps = Deps {
            bus: Arc::new(bus.clone()),
            store: Arc::new(MemoryStore::new(clock.as_millis_fn())),
            clock,
            dice: Dice::seeded(5),
            tracer: service::Tracer::default(),
        };
        let (stop, stopped) = Stop::new();
        let tasks = Tasks::new();
        Self {
            bus,
            deps,
            stop,
            stopped,
            tasks,
        }
    }

    /// One more router, which has read what is there.
    async fn router(&mut self, name: &str) -> Tables {
        let tables = Tables::new(self.deps.clone(), Some(name.to_owned()), None);
        let (reading, stop) = (tables.clone(), self.stopped.clone());
        self.tasks.spawn(async move { reading.run(&stop).await });
        assert!(tables.is_read(Duration::from_secs(10)).await);
        tables
    }

    /// What stands on the topic, empty values aside.
    async fn kept(&self) -> usize {
        let mut reader = self.bus.read(&topics::tables(), Position::Start).await.unwrap();
        let records = reader.poll(10_000).await.unwrap();
        records.iter().filter(|record| !record.value.is_empty()).count()
    }

    async fn put(&self, key: u64, value: Bytes) {
        let record = Record::new(key, value);
        self.bus
            .publish(&topics::tables(), vec![record])
            .await
            .unwrap()
            .await
            .unwrap();
    }
}

/// Packed files with their version.
fn packed(text: &str) -> (Bytes, String) {
    let mut files = Files::default();
    files.insert("table.toml", text);
    (pack(files.iter()).unwrap(), files.version())
}

async fn publish(tables: &Tables, text: &str, base: Base) -> Result<Version, PublishError> {
    let (packed, version) = packed(text);
    tables.publish(&packed, &version, base, None, Note::default()).await
}

/// The number in force, once `tables` has heard of it.
async fn in_force(tables: &Tables, number: u64) -> InForce {
    let mut watch = tables.watch();
    loop {
        match tables.in_force() {
            Some(version) if version.number == number => return version,
            _ => tables.changed(&mut watch).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_one_router_publishes_another_reads() {
    let mut fleet = Fleet::new().await;
    let (one, other) = (fleet.router("one").await, fleet.router("other").await);
    let published = publish(&one, "first", Base::Number(0)).await.unwrap();
    assert_eq!((published.publication.number, published.stand), (1, Stand::InForce));
    let version = in_force(&other, 1).await;
    let files = version.unpack(&other.fetch(&version).await.unwrap()).unwrap();
    assert_eq!(files.get("table.toml"), Some(&b"first"[..]));
}

/// Random text, which no compression makes small: three chunks, the last of them short.
#[tokio::test(start_paused = true)]
async fn a_version_of_many_chunks_comes_out_as_it_went_in() {
    let mut fleet = Fleet::new().await;
    let dice = Dice::seeded(3);
    let text: String = (0..CHUNK_OCTETS_MAX / 3)
        .map(|_| format!("{:016x}", dice.next_u64()))
        .collect();
    let (packed, version) = packed(&text);
    assert!(packed.len() > 2 * CHUNK_OCTETS_MAX, "{}", packed.len());
    let tables = fleet.router("one").await;
    tables
        .publish(&packed, &version, Base::Any, None, Note::default())
        .await
        .unwrap();
    let found = fleet.router("late").await;
    let version = found.in_force().unwrap();
    assert_eq!(found.fetch(&version).await.unwrap(), packed);
}

/// Both look before either writes.
#[tokio::test(start_paused = true)]
async fn of_two_that_publish_at_once_one_is_refused() {
    let mut fleet = Fleet::new().await;
    let (one, other) = (fleet.router("one").await, fleet.router("other").await);
    publish(&one, "first", Base::Number(0)).await.unwrap();
    in_force(&other, 1).await;
    let (ann, bob) = tokio::join!(
        publish(&one, "ann's", Base::Number(1)),
        publish(&other, "bob's", Base::Number(1))
    );
    let (won, lost) = if ann.is_ok() { (ann, bob) } else { (bob, ann) };
    let won = won.unwrap();
    assert!(matches!(lost, Err(PublishError::Base(Some(found))) if found.publication == won.publication));
    assert_eq!(in_force(&one, 2).await.version, in_force(&other, 2).await.version);
}

#[tokio::test(start_paused = true)]
async fn who_stands_on_an_older_version_is_refused_and_nothing_is_written() {
    let mut fleet = Fleet::new().await;
    let tables = fleet.router("one").await;
    for (text, base) in [("first", 0), ("second", 1)] {
        publish(&tables, text, Base::Number(base)).await.unwrap();
    }
    let before = fleet.kept().await;
    let error = publish(&tables, "third", Base::Number(1)).await.unwrap_err();
    assert!(error.to_string().contains("another version is in force"), "{error}");
    assert_eq!(fleet.kept().await, before);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_confirmed_returns_by_itself_and_what_is_stays() {
    let mut fleet = Fleet::new().await;
    let (one, other) = (fleet.router("one").await, fleet.router("other").await);
    publish(&one, "first", Base::Any).await.unwrap();
    let minute = Some(Duration::from_secs(60));
    for (text, number, is_confirmed) in [("second", 2, false), ("third", 3, true)] {
        let (packed, version) = packed(text);
        let published = one
            .publish(&packed, &version, Base::Any, minute, Note::default())
            .await
            .unwrap();
        assert_eq!(published.stand, Stand::Pending);
        in_force(&other, number).await;
        if is_confirmed {
            assert!(other.confirm(number, String::new()).await.unwrap().is_confirmed);
            time::sleep(Duration::from_secs(120)).await;
            assert_eq!(in_force(&one, number).await.confirm_by, None);
        } else {
            // Nothing but the time wakes it.
            assert_eq!(in_force(&one, 1).await.number, 1);
            assert!(other.confirm(number, String::new()).await.is_err());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn undoing_copies_no_files() {
    let mut fleet = Fleet::new().await;
    let tables = fleet.router("one").await;
    publish(&tables, "first", Base::Any).await.unwrap();
    let second = publish(&tables, "second", Base::Any).await.unwrap();
    let before = fleet.kept().await;
    let older = tables.older(0).unwrap();
    let again = tables
        .publish_again(&older, Base::Number(2), Note::default())
        .await
        .unwrap();
    assert_eq!((again.publication.number, again.publication.again), (3, Some(1)));
    assert_eq!(fleet.kept().await, before + 1);
    let version = tables.in_force().unwrap();
    let files = version.unpack(&tables.fetch(&version).await.unwrap()).unwrap();
    assert_eq!(files.get("table.toml"), Some(&b"first"[..]));
    assert_eq!(tables.older(0).unwrap().publication, second.publication);
}

/// Sixty versions: what is not kept is taken off, and a router that starts then serves what the others do.
#[tokio::test(start_paused = true)]
async fn the_topic_keeps_so_many_versions_and_no_more() {
    let mut fleet = Fleet::new().await;
    let tables = fleet.router("one").await;
    for number in 0..HISTORY_MAX + 10 {
        publish(&tables, &number.to_string(), Base::Any).await.unwrap();
    }
    // Two records of each version, and the word of the router.
    assert_eq!(fleet.kept().await, 2 * HISTORY_MAX + 1);
    let late = fleet.router("late").await;
    assert_eq!(late.in_force(), tables.in_force());
    assert_eq!(late.ledger().history(late.now()).len(), HISTORY_MAX);
    assert!(matches!(late.older(3), Err(PublishError::NoSuch(3))));
}

#[tokio::test(start_paused = true)]
async fn words_of_a_later_version_and_damaged_ones_change_nothing() {
    let mut fleet = Fleet::new().await;
    let tables = fleet.router("one").await;
    publish(&tables, "first", Base::Any).await.unwrap();
    let mut reader = fleet.bus.read(&topics::tables(), Position::Start).await.unwrap();
    let sound = reader
        .poll(100)
        .await
        .unwrap()
        .into_iter()
        .find(|record| !record.value.is_empty())
        .unwrap();
    let newer = signalbox_proto::record::of_a_later_format(&sound.value);
    let mut damaged = sound.value.to_vec();
    *damaged.last_mut().unwrap() ^= 1;
    for (key, value) in [(1, newer), (2, damaged.into()), (3, Bytes::from_static(b"?"))] {
        fleet.put(key, value).await;
    }
    publish(&tables, "second", Base::Number(1)).await.unwrap();
    assert_eq!(fleet.router("late").await.in_force().unwrap().number, 2);
}

#[tokio::test(start_paused = true)]
async fn routers_say_what_they_serve_until_they_go_or_fall_silent() {
    let mut fleet = Fleet::new().await;
    let (one, other) = (fleet.router("one").await, fleet.router("other").await);
    one.serves(Served {
        number: Some(1),
        version: "v".to_owned(),
        fault: String::new(),
    });
    time::sleep(Duration::from_secs(60)).await;
    let servings = other.ledger().servings(other.now());
    let said: Vec<_> = servings
        .iter()
        .map(|said| (said.router.as_str(), said.number, said.version.as_str()))
        .collect();
    assert_eq!(said, [("one", Some(1), "v"), ("other", None, "")]);
    let now = other.now();
    fleet.stop.request();
    fleet.tasks.join_next().await.unwrap().unwrap().unwrap();
    fleet.tasks.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(fleet.kept().await, 0, "who goes takes its word along");
    assert_eq!(servings.len(), other.ledger().servings(now).len());
    assert!(
        other.ledger().servings(now + SERVING_FRESH).is_empty(),
        "who says nothing is gone"
    );
}
