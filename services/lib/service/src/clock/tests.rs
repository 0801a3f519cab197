//! A machine's clock that is set, as processes on it see it.

use super::*;
use crate::time;

const START: UnixMs = UnixMs(1_790_000_000_000);
const HOUR_MS: i64 = 3_600_000;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_goes_on_in_the_process_a_twentieth_slower() {
    let clock = Clock::starting_at(START);
    assert_eq!(clock.now(), START);
    clock.set_machine(-HOUR_MS);
    assert_eq!((clock.now(), clock.ahead()), (START, seconds(3_600)));
    time::sleep(seconds(20)).await;
    assert_eq!((clock.now(), clock.ahead()), (START + seconds(19), seconds(3_599)));
}

/// An hour too many for a moment: what is ahead goes away, and time never goes back.
#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_forward_by_mistake_is_followed_again_in_the_end() {
    let clock = Clock::starting_at(START);
    clock.set_machine(HOUR_MS);
    let mut last = clock.now();
    clock.set_machine(-HOUR_MS);
    for _ in 0..20 * 60 {
        time::sleep(seconds(60)).await;
        let now = clock.now();
        assert_eq!(now.since(last), seconds(57));
        last = now;
    }
    assert_eq!((last, clock.ahead()), (START + seconds(20 * 3_600), seconds(0)));
    time::sleep(seconds(60)).await;
    assert_eq!(clock.now(), last + seconds(60));
}

#[tokio::test(start_paused = true)]
async fn a_process_far_ahead_is_not_ready_after_a_minute_until_it_is_near_again() {
    let clock = Clock::starting_at(START);
    let (readiness, (_handle, stop)) = (Readiness::new(), Stop::new());
    readiness.set(true);
    let mut tasks = crate::Tasks::new();
    tasks.spawn(watch_clock(clock.clone(), readiness.clone(), stop));
    time::sleep(seconds(1)).await;
    clock.set_machine(-40_000);
    time::sleep(seconds(55)).await;
    assert!(readiness.is_ready());
    time::sleep(seconds(15)).await;
    assert!(
        readiness.reasons().contains("start this process again"),
        "{}",
        readiness.reasons()
    );
    time::sleep(seconds(200)).await;
    assert!(readiness.is_ready(), "{}", readiness.reasons());
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
    assert_eq!(clock.ahead(), seconds(1_800));
    clock.set_machine(HOUR_MS);
    assert_eq!(clock.now(), START + Duration::from_secs(1_800));
    assert_eq!(clock.ahead(), seconds(0));
    clock.set_machine(-HOUR_MS);
    assert_eq!(clock.now(), START + Duration::from_secs(1_800));
    assert_eq!(clock.ahead(), seconds(3_600));
}

#[tokio::test(start_paused = true)]
async fn a_process_that_starts_believes_the_machine() {
    let clock = Clock::starting_at(START);
    assert_eq!(clock.now(), START);
    clock.set_machine(-HOUR_MS);
    let next = clock.of_next_process();
    assert_eq!(next.now() + Duration::from_secs(3_600), START);
    assert_eq!((clock.now(), next.ahead()), (START, seconds(0)));
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

/// Two processes on one machine read clocks that began apart by no whole number of milliseconds.
#[tokio::test(start_paused = true)]
async fn processes_on_one_machine_agree_to_the_microsecond() {
    let clock = Clock::starting_at(START);
    time::sleep(Duration::from_micros(5_700)).await;
    let other = clock.of_next_process();
    assert_eq!(clock.precisely(), other.precisely());
    assert_eq!(clock.precisely().millis(), clock.now());
}
