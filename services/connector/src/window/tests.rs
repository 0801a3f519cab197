//! The moving limit of a window.

use super::*;
use service::time;

#[tokio::test(start_paused = true)]
async fn throttling_halves_the_limit_once_a_second_and_never_below_one() {
    let mut window = Window::new(8);
    for _ in 0..100 {
        window.slow_down(time::now());
    }
    assert_eq!(window.free(Lane::Urgent), 4);
    for _ in 0..10 {
        time::sleep(CUT_INTERVAL).await;
        window.slow_down(time::now());
    }
    assert_eq!(window.free(Lane::Urgent), 1);
}

#[test]
fn a_window_of_answers_gives_one_slot_back_up_to_the_most() {
    let mut window = Window::new(4);
    window.limit = 2.0;
    for _ in 0..3 {
        window.speed_up();
    }
    assert_eq!(window.limit(), 3);
    for _ in 0..100 {
        window.speed_up();
    }
    assert_eq!(window.limit(), 4);
}

#[tokio::test(start_paused = true)]
async fn slots_in_use_beyond_a_cut_limit_leave_none_free() {
    let mut window = Window::new(4);
    window.take(4);
    window.slow_down(time::now());
    assert_eq!(window.free(Lane::Urgent), 0);
    window.give(3);
    assert_eq!(window.free(Lane::Urgent), 1);
}

#[test]
fn a_tenth_of_the_slots_is_left_to_urgent_messages() {
    let mut window = Window::new(30);
    assert_eq!((window.free(Lane::Bulk), window.free(Lane::Urgent)), (27, 30));
    window.take(28);
    assert_eq!((window.free(Lane::Normal), window.free(Lane::Urgent)), (0, 2));
    assert_eq!(Window::new(5).free(Lane::Bulk), 5);
}

#[tokio::test(start_paused = true)]
async fn a_window_that_was_throttled_still_has_a_slot_for_urgent_messages() {
    let mut window = Window::new(30);
    let free = |window: &Window| (window.free(Lane::Bulk), window.free(Lane::Urgent));
    let mut after_cuts = Vec::new();
    for _ in 0..5 {
        time::sleep(CUT_INTERVAL).await;
        window.slow_down(time::now());
        after_cuts.push(free(&window));
    }
    assert_eq!(after_cuts, [(14, 15), (6, 7), (2, 3), (1, 1), (1, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_tells_how_busy_it_is_is_kept_at_its_optimum() {
    let mut window = Window::new(100);
    let start = time::now();
    window.heed(95, start);
    window.heed(100, start);
    assert_eq!(window.limit(), 50, "once a second");
    window.heed(85, start);
    (0..500).for_each(|_| window.speed_up());
    assert_eq!(window.limit(), 50, "busy as it should be");
    window.heed(30, start);
    (0..500).for_each(|_| window.speed_up());
    assert!(window.limit() > 55);
}

#[test]
fn what_the_carrier_grants_shrinks_and_grows_with_the_slots_there_are() {
    let mut window = Window::new(100);
    window.set_slots_max(40);
    assert_eq!((window.limit(), window.slots_max()), (40, 40));
    window.limit = 10.0;
    window.set_slots_max(80);
    assert_eq!(window.limit(), 50, "a throttled window stays so, beside what is new");
    window.set_slots_max(0);
    assert_eq!((window.limit(), window.slots_max()), (1, 1), "at least one");
}
