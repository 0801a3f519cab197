//! Routers on one log in memory that serve what is published there, under virtual time.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ::router::{Base, Note};
use bus::{Bus, Commit, ConsumeError, MemoryBus, Position, PublishError, Read, Record, Subscribe, Topic, TopicSpec};
use futures::future::BoxFuture;
use service::{Clock, Deps, Dice, StopHandle};
use signalbox_proto::{tables::pack, topics};
use sms::UnixMs;
use store::MemoryStore;
use table::{LiveTable, files};

use super::*;

/// A log that may be away.
struct Log {
    inner: MemoryBus,
    is_away: Arc<AtomicBool>,
}

impl Log {
    fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }
}

impl Bus for Log {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        self.inner.ensure(topics)
    }

    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>> {
        if self.is_away() {
            return Box::pin(async { Err(PublishError::Away("away".to_owned())) });
        }
        self.inner.publish(topic, records)
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        self.inner.subscribe(group, topics)
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        if self.is_away() {
            return Box::pin(async { Err(ConsumeError::Away("away".to_owned())) });
        }
        self.inner.read(topic, from)
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.inner.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.check()
    }

    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.close(limit)
    }
}

/// Routers on one log.
struct Fleet {
    deps: Deps,
    is_away: Arc<AtomicBool>,
    home: tempfile::TempDir,
}

/// One of them, ended with the test.
struct Router {
    tables: Tables,
    live: Arc<LiveTable>,
    _stop: StopHandle,
    _tasks: Tasks,
}

impl Fleet {
    async fn new() -> Self {
        let clock = Clock::starting_at(UnixMs(1_767_225_600_000));
        let inner = MemoryBus::new(clock.as_millis_fn());
        inner.ensure(&topics::fixed(1)).await.unwrap();
        let is_away = Arc::new(AtomicBool::new(false));
        let log = Log {
            inner,
            is_away: is_away.clone(),
        };
        let deps = Deps {
            bus: Arc::new(log),
            store: Arc::new(MemoryStore::new(clock.as_millis_fn())),
            clock,
            dice: Dice::seeded(5),
            tracer: service::Tracer::default(),
        };
        Self {
            deps,
            is_away,
            home: tempfile::tempdir().unwrap(),
        }
    }

    fn tables(&self, name: &str, tasks: &mut Tasks, stop: &Stop) -> Tables {
        let tables = Tables::new(self.deps.clone(), Some(name.to_owned()), None);
        let (reading, stop) = (tables.clone(), stop.clone());
        tasks.spawn(async move { reading.run(&stop).await.unwrap() });
        tables
    }

    fn last_good(&self, name: &str) -> LastGood {
        LastGood::at(self.home.path().join(name))
    }

    /// The version of the copy that a router keeps; `None` = it keeps none.
    fn kept(&self, name: &str) -> Option<String> {
        files::read(&self.home.path().join(name))
            .ok()
            .map(|files| files.version())
    }

    /// One more router, once it has a table.
    async fn start(&self, name: &str) -> Router {
        let (stop, stopped) = Stop::new();
        let mut tasks = Tasks::new();
        let tables = self.tables(name, &mut tasks, &stopped);
        let last_good = self.last_good(name);
        let begun = begin(&tables, &last_good, &Readiness::new(), &stopped).await.unwrap();
        tables.serves(begun.served());
        let (loaded, follower) = begun.follower(tables.clone(), last_good.clone());
        let live = Arc::new(LiveTable::new(loaded.table));
        let follower = follower(Swap::new(Arc::clone(&live), last_good, None, loaded.files));
        tasks.spawn(async move { follower.follow(&stopped).await });
        Router {
            tables,
            live,
            _stop: stop,
            _tasks: tasks,
        }
    }

    /// Publishes `files` without asking whether they are a table, as a router of another version might.
    async fn publish(&self, files: &Files, confirm_within: Option<Duration>) -> u64 {
        let (_stop, stopped) = Stop::new();
        let mut tasks = Tasks::new();
        let tables = self.tables("publisher", &mut tasks, &stopped);
        assert!(tables.is_read(READ_LIMIT).await);
        let packed = pack(files.iter()).unwrap();
        let published = tables
            .publish(&packed, &files.version(), Base::Any, confirm_within, Note::default())
            .await;
        published.unwrap().publication.number
    }
}

impl Router {
    /// Waits until it serves `version`.
    async fn serves(&self, version: &str) {
        while self.live.snapshot().version() != version {
            time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// The shipped starter table, called `name`.
fn table(name: &str) -> Files {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples/starter");
    let mut files = files::read(&dir).unwrap();
    let text = String::from_utf8(files.get("table.toml").unwrap().to_vec()).unwrap();
    files.insert(
        "table.toml",
        text.replace("name = \"starter\"", &format!("name = \"{name}\"")),
    );
    files
}

fn bad() -> Files {
    let mut files = table("bad");
    files.insert("carriers.toml", "[[carrier]]\nname = 7\n");
    files
}

const MINUTE: Option<Duration> = Some(Duration::from_secs(60));

#[tokio::test(start_paused = true)]
async fn what_is_published_reaches_every_router_without_a_restart() {
    let fleet = Fleet::new().await;
    let (first, second) = (table("first"), table("second"));
    fleet.publish(&first, None).await;
    let routers = [fleet.start("one").await, fleet.start("other").await];
    fleet.publish(&second, None).await;
    for router in &routers {
        router.serves(&second.version()).await;
    }
    let late = fleet.start("late").await;
    assert_eq!(late.live.snapshot().version(), second.version());
}

#[tokio::test(start_paused = true)]
async fn a_router_waits_for_the_first_table() {
    let fleet = Fleet::new().await;
    let (readiness, (_stop, stopped)) = (Readiness::new(), Stop::new());
    let mut tasks = Tasks::new();
    let tables = fleet.tables("one", &mut tasks, &stopped);
    let last_good = fleet.last_good("one");
    let begun = begin(&tables, &last_good, &readiness, &stopped);
    tokio::pin!(begun);
    assert!(time::timeout(Duration::from_secs(60), &mut begun).await.is_none());
    assert!(
        readiness.reasons().contains("signalbox table publish DIR"),
        "{}",
        readiness.reasons()
    );
    let (first, publishing) = (
        table("first"),
        Fleet {
            home: tempfile::tempdir().unwrap(),
            ..fleet
        },
    );
    let (begun, _) = tokio::join!(begun, publishing.publish(&first, None));
    assert_eq!(
        begun.unwrap().served(),
        Served {
            number: Some(1),
            version: first.version(),
            fault: String::new()
        }
    );
    assert!(!readiness.reasons().contains("table"), "{}", readiness.reasons());
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_refused_changes_nothing_and_the_reason_is_told() {
    let fleet = Fleet::new().await;
    let first = table("first");
    fleet.publish(&first, None).await;
    let routers = [fleet.start("one").await, fleet.start("other").await];
    fleet.publish(&bad(), None).await;
    let (_stop, stopped) = Stop::new();
    let mut tasks = Tasks::new();
    let asked = fleet.tables("asked", &mut tasks, &stopped);
    let told = || {
        asked
            .servings()
            .into_iter()
            .filter(|said| said.fault.contains("carriers.toml:1: error"))
            .count()
    };
    while told() < routers.len() {
        time::sleep(Duration::from_millis(100)).await;
    }
    for router in &routers {
        assert_eq!(router.live.snapshot().version(), first.version());
    }
    assert_eq!(fleet.kept("one"), Some(first.version()));
    // One that starts now goes on with the copy it has, and says why; one without a copy has nothing to go on with.
    let again = fleet.start("one").await;
    assert_eq!(again.live.snapshot().version(), first.version());
    let third = table("third");
    fleet.publish(&third, None).await;
    again.serves(&third.version()).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_confirmed_returns_also_while_the_log_is_away() {
    let fleet = Fleet::new().await;
    let (first, second) = (table("first"), table("second"));
    fleet.publish(&first, None).await;
    let routers = [fleet.start("one").await, fleet.start("other").await];
    fleet.publish(&second, MINUTE).await;
    for router in &routers {
        router.serves(&second.version()).await;
    }
    // One that starts meanwhile has to have what it may return to at hand as well.
    let late = fleet.start("late").await;
    time::sleep(Duration::from_secs(10)).await;
    fleet.is_away.store(true, Ordering::Relaxed);
    for router in routers.iter().chain([&late]) {
        router.serves(&first.version()).await;
    }
    assert_eq!(
        fleet.kept("one"),
        Some(first.version()),
        "what may not stay is not kept"
    );
    assert_eq!(late.tables.in_force().unwrap().number, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_confirmed_stays_and_is_kept() {
    let fleet = Fleet::new().await;
    let (first, second) = (table("first"), table("second"));
    fleet.publish(&first, None).await;
    let router = fleet.start("one").await;
    let number = fleet.publish(&second, MINUTE).await;
    router.serves(&second.version()).await;
    router.tables.confirm(number, String::new()).await.unwrap();
    time::sleep(Duration::from_secs(600)).await;
    assert_eq!(router.live.snapshot().version(), second.version());
    assert_eq!(fleet.kept("one"), Some(second.version()));
}

#[tokio::test(start_paused = true)]
async fn a_router_begins_with_its_last_good_table_where_the_log_does_not_tell() {
    let fleet = Fleet::new().await;
    let (first, second) = (table("first"), table("second"));
    fleet.publish(&first, None).await;
    let before = fleet.start("one").await;
    while fleet.kept("one").is_none() {
        time::sleep(Duration::from_millis(100)).await;
    }
    drop(before);
    fleet.is_away.store(true, Ordering::Relaxed);
    let router = fleet.start("one").await;
    assert_eq!(router.live.snapshot().version(), first.version());
    fleet.is_away.store(false, Ordering::Relaxed);
    fleet.publish(&second, None).await;
    router.serves(&second.version()).await;
}
