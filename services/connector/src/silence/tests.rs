//! Which answers are overdue, under virtual time.

use service::time;

use super::*;

fn tag(flight: u64) -> Tag {
    Tag { flight, part: 0 }
}

/// Sends part 0 of every flight and has `seconds` pass.
async fn send(silence: &mut Silence, flights: std::ops::Range<u64>, seconds: f64) {
    flights.for_each(|flight| silence.sent(tag(flight), time::now()));
    time::sleep(Duration::from_secs_f64(seconds)).await;
    silence.look(time::now());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_overdue_a_second_after_its_part_left_and_no_more_once_it_came() {
    let mut silence = Silence::default();
    send(&mut silence, 0..3, 0.9).await;
    assert_eq!(silence.overdue(), 0);
    send(&mut silence, 3..4, 0.1).await;
    assert_eq!(silence.overdue(), 3);
    silence.ended(tag(1), true, time::now());
    assert_eq!(silence.overdue(), 2);
    silence.ended(tag(3), true, time::now());
    assert!(silence.look_at().is_none(), "nothing else can become overdue");
}

#[tokio::test(start_paused = true)]
async fn a_slow_carrier_is_given_its_own_round_trip() {
    let mut silence = Silence::default();
    for flight in 0..50 {
        send(&mut silence, flight..flight + 1, 5.0).await;
        silence.ended(tag(flight), true, time::now());
    }
    send(&mut silence, 50..51, 4.9).await;
    assert_eq!(silence.overdue(), 0);
    send(&mut silence, 51..51, 0.5).await;
    assert_eq!(silence.overdue(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_becomes_slow_is_believed_by_its_late_answers() {
    let mut silence = Silence::default();
    for flight in 0..50 {
        send(&mut silence, flight..flight + 1, 0.01).await;
        silence.ended(tag(flight), true, time::now());
    }
    send(&mut silence, 50..60, 3.0).await;
    assert_eq!(silence.overdue(), 10);
    (50..60).for_each(|flight| silence.ended(tag(flight), true, time::now()));
    send(&mut silence, 60..61, 3.0).await;
    assert_eq!(silence.overdue(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_given_up_says_nothing_of_the_round_trip() {
    let mut silence = Silence::default();
    send(&mut silence, 0..1, 30.0).await;
    silence.ended(tag(0), false, time::now());
    send(&mut silence, 1..2, 1.0).await;
    assert_eq!(silence.overdue(), 1);
}
