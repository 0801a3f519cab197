//! Who may have started an order before us.

use bus::Topic;
use service::time;

use super::*;

/// The log's time at the beginning of a test.
const THEN: UnixMs = UnixMs(1_000_000);

/// One intake, and the log's clock.
struct Scene {
    origins: Origins,
    log: LogTime,
    start: Instant,
}

impl Scene {
    fn new() -> Self {
        let (log, start) = (LogTime::default(), time::now());
        log.hear(THEN, start);
        Self {
            origins: Origins::default(),
            log,
            start,
        }
    }

    fn at(&self, seconds: u64) -> Instant {
        self.start + Duration::from_secs(seconds)
    }

    fn own(&mut self, partitions: &[PartitionId], seconds: u64) {
        self.origins.own(partitions, |_| true, self.at(seconds));
    }

    fn inherited(&mut self, generation: u64, stored_at: u64, seconds: u64) -> bool {
        let now = self.at(seconds);
        let stored_at = std::iter::once(stored_at);
        self.origins.enter(&batch(generation), stored_at, now, &self.log)[0].is_inherited()
    }
}

fn batch(generation: u64) -> Delivered {
    Delivered {
        topic: Topic::new("orders"),
        partition: PartitionId(0),
        end: 1,
        generation,
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_stored_before_the_partition_was_ours_is_inherited() {
    let mut scene = Scene::new();
    scene.own(&[PartitionId(0)], 0);
    assert!(scene.inherited(1, THEN.0 - 5_000, 60));
    assert!(!scene.inherited(1, THEN.0 + 1_000, 60));
}

#[tokio::test(start_paused = true)]
async fn no_more_is_inherited_than_a_run_may_have_fetched() {
    let mut scene = Scene::new();
    let old = THEN.0 - 60_000;
    let first = (0..STARTED_MAX).map(|_| old);
    let first = scene.origins.enter(&batch(1), first, scene.start, &scene.log);
    assert!(first.iter().all(Origin::is_inherited));
    assert!(!scene.inherited(1, old, 0));
}

#[tokio::test(start_paused = true)]
async fn a_partition_that_comes_back_is_inherited_anew() {
    let mut scene = Scene::new();
    scene.own(&[PartitionId(0)], 0);
    assert!(!scene.inherited(1, THEN.0 + 10_000, 0));
    assert!(scene.inherited(2, THEN.0 + 10_000, 60), "another had it meanwhile");
    scene.own(&[], 60);
    scene.own(&[PartitionId(0)], 120);
    assert!(scene.inherited(2, THEN.0 + 70_000, 60));
}

#[tokio::test(start_paused = true)]
async fn before_the_log_tells_the_time_everything_is_inherited() {
    let mut scene = Scene::new();
    scene.log = LogTime::default();
    assert!(scene.inherited(1, THEN.0 + 3_600_000, 0));
}

/// How the partition was lost: it is gone, it is back and read from, it is back and nothing was read.
#[tokio::test(start_paused = true)]
async fn what_was_read_before_the_partition_went_to_somebody_else_is_inherited_from_then_on() {
    let lose: [fn(&mut Scene); 3] = [
        |scene| scene.own(&[], 62),
        |scene| assert!(scene.inherited(2, THEN.0 + 5_000, 62)),
        |scene| {
            let now = scene.at(62);
            scene.origins.own(&[PartitionId(0)], |read| read.generation == 2, now);
        },
    ];
    for lose in lose {
        let mut scene = Scene::new();
        scene.own(&[PartitionId(0)], 0);
        let stored_at = std::iter::once(THEN.0 + 5_000);
        let read = scene.origins.enter(&batch(1), stored_at, scene.at(60), &scene.log);
        scene.own(&[PartitionId(0)], 61);
        assert!(!read[0].is_inherited(), "it is ours still");
        lose(&mut scene);
        assert!(read[0].is_inherited());
    }
}
