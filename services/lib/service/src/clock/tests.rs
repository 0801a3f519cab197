//! A machine's clock that is set, as processes on it see it.

use super::*;
use crate::time;

const START: UnixMs = UnixMs(1_790_000_000_000);
const HOUR_MS: i64 = 3_600_000;

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_goes_on_in_the_process() {
    let clock = Clock::starting_at(START);
    assert_eq!(clock.now(), START);
    clock.set_machine(-HOUR_MS);
    assert_eq!(clock.now(), START);
    time::sleep(Duration::from_secs(5)).await;
    assert_eq!(clock.now(), START + Duration::from_secs(5));
    assert_eq!(clock.process.told.load(Relaxed), HOUR_MS);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_forward_is_followed_at_once() {
    let clock = Clock::starting_at(START);
    assert_eq!(clock.now(), START);
    clock.set_machine(HOUR_MS);
    assert_eq!(clock.now(), START + Duration::from_secs(3_600));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_comes_back_is_followed_from_where_it_has_caught_up() {
    let clock = Clock::starting_at(START);
    assert_eq!(clock.now(), START);
    clock.set_machine(-HOUR_MS);
    clock.set_machine(HOUR_MS / 2);
    assert_eq!(clock.now(), START);
    assert_eq!(clock.process.told.load(Relaxed), HOUR_MS / 2);
    clock.set_machine(HOUR_MS);
    assert_eq!(clock.now(), START + Duration::from_secs(1_800));
    assert_eq!(clock.process.told.load(Relaxed), 0);
    clock.set_machine(-HOUR_MS);
    assert_eq!(clock.now(), START + Duration::from_secs(1_800));
    assert_eq!(clock.process.told.load(Relaxed), HOUR_MS);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_believes_the_machine() {
    let clock = Clock::starting_at(START);
    assert_eq!(clock.now(), START);
    clock.set_machine(-HOUR_MS);
    let next = clock.of_next_process();
    assert_eq!(next.now() + Duration::from_secs(3_600), START);
    assert_eq!((clock.now(), next.process.told.load(Relaxed)), (START, 0));
}

/// Reads the real clock from several threads at once: none of them sees it go back.
#[test]
fn no_reading_is_before_an_earlier_one() {
    let seen = AtomicI64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20_000 {
                    let before = seen.load(std::sync::atomic::Ordering::SeqCst);
                    let now = i64::try_from(Clock::wall().now().0).unwrap();
                    assert!(now >= before, "{now} ms after {before} ms");
                    seen.fetch_max(now, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
}
