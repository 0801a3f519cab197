//! What opens a breaker, what closes it, and what must hold of it whatever happens.

use proptest::prelude::*;

use super::*;

const LIMITS: Limits = Limits {
    run: 10,
    answers_min: 50,
};
const START: UnixMs = UnixMs(1_795_262_400_000);

fn at(seconds: u64) -> UnixMs {
    START + Duration::from_secs(seconds)
}

fn breaker() -> Breaker {
    Breaker::new(LIMITS, START)
}

/// Hears so many answers, each to an order of that very moment.
fn hear(breaker: &mut Breaker, count: u32, is_taken: bool, second: u64) {
    for _ in 0..count {
        breaker.hear(is_taken, at(second), at(second));
    }
}

/// Fails until it is ejected, and says for how many seconds.
fn ejection(breaker: &mut Breaker, second: u64) -> u64 {
    while breaker.gate(at(second)) != Gate::Shut {
        hear(breaker, 1, false, second);
    }
    let until = breaker.ejected_until().expect("it is shut");
    until.since(at(second)).as_secs()
}

#[test]
fn failures_in_a_row_open_it() {
    let mut breaker = breaker();
    hear(&mut breaker, 9, false, 0);
    hear(&mut breaker, 1, true, 0);
    hear(&mut breaker, 9, false, 0);
    assert_eq!(breaker.gate(at(0)), Gate::Open);
    assert!(breaker.hear(false, at(0), at(0)), "the tenth changes how it stands");
    assert_eq!(breaker.gate(at(4)), Gate::Shut);
    assert_eq!(breaker.gate(at(5)), Gate::Probing);
}

#[test]
fn a_share_of_failures_opens_it_once_there_are_enough_answers() {
    let mut half = breaker();
    for pair in 0..24 {
        hear(&mut half, 1, true, pair / 2);
        hear(&mut half, 1, false, pair / 2);
    }
    assert_eq!(half.gate(at(12)), Gate::Open, "48 answers");
    hear(&mut half, 1, true, 12);
    hear(&mut half, 1, false, 12);
    assert_eq!(half.gate(at(12)), Gate::Shut);
    let mut third = breaker();
    for _ in 0..100 {
        hear(&mut third, 2, true, 0);
        hear(&mut third, 1, false, 0);
    }
    assert_eq!(third.gate(at(0)), Gate::Open, "a third of them");
}

#[test]
fn answers_of_long_ago_are_forgotten() {
    let mut breaker = breaker();
    for _ in 0..24 {
        hear(&mut breaker, 1, true, 0);
        hear(&mut breaker, 1, false, 0);
    }
    hear(&mut breaker, 1, true, 30);
    hear(&mut breaker, 5, false, 30);
    assert_eq!(breaker.gate(at(30)), Gate::Open);
}

#[test]
fn five_probes_in_a_row_close_it_and_one_failure_ejects_it_for_longer() {
    let mut breaker = breaker();
    assert_eq!(ejection(&mut breaker, 0), 5);
    hear(&mut breaker, 4, true, 5);
    assert_eq!(breaker.gate(at(5)), Gate::Probing);
    hear(&mut breaker, 1, false, 5);
    assert_eq!(breaker.gate(at(14)), Gate::Shut, "ten seconds");
    hear(&mut breaker, 5, true, 15);
    assert_eq!(breaker.gate(at(15)), Gate::Open);
}

#[test]
fn ejections_grow_up_to_five_minutes_and_start_over_after_ten_of_calm() {
    let mut breaker = breaker();
    let mut second = 0;
    let mut spans = Vec::new();
    for _ in 0..9 {
        let span = ejection(&mut breaker, second);
        spans.push(span);
        second += span;
    }
    assert_eq!(spans, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    hear(&mut breaker, 5, true, second);
    assert_eq!(ejection(&mut breaker, second + 599), 300);
    hear(&mut breaker, 5, true, second + 899);
    assert_eq!(ejection(&mut breaker, second + 899 + 600), 5);
}

#[test]
fn answers_to_orders_from_before_a_change_say_nothing() {
    let mut breaker = breaker();
    ejection(&mut breaker, 10);
    assert_eq!(breaker.gate(at(15)), Gate::Probing);
    for _ in 0..100 {
        breaker.hear(false, at(9), at(15));
        breaker.hear(true, at(14), at(15));
    }
    assert_eq!(breaker.gate(at(15)), Gate::Probing);
}

#[test]
fn an_idle_one_may_be_forgotten() {
    let mut breaker = breaker();
    hear(&mut breaker, 1, true, 100);
    assert!(!breaker.is_idle(at(699)));
    assert!(breaker.is_idle(at(700)));
    ejection(&mut breaker, 700);
    assert_eq!(breaker.gate(at(705)), Gate::Probing);
    assert!(!breaker.is_idle(at(705 + 3_599)));
    assert!(breaker.is_idle(at(705 + 3_600)), "nobody asked it since");
}

#[test]
fn a_clock_that_is_set_back_holds_up_nothing() {
    const HOUR: u64 = 3_600;
    let mut shut = breaker();
    ejection(&mut shut, HOUR);
    assert_eq!(shut.gate(at(0)), Gate::Shut);
    assert_eq!(shut.gate(at(299)), Gate::Shut);
    assert_eq!(shut.gate(at(300)), Gate::Probing, "the longest ejection later");
    let mut probed = breaker();
    ejection(&mut probed, HOUR);
    assert_eq!(probed.gate(at(HOUR + 5)), Gate::Probing);
    let mut unasked = probed.clone();
    assert!(unasked.is_vouched_for(at(0)) && !unasked.is_vouched_for(at(10)));
    hear(&mut probed, 5, true, 0);
    assert_eq!(probed.gate(at(0)), Gate::Open, "answers count");
    hear(&mut probed, 10, false, 1);
    assert_eq!(probed.gate(at(1)), Gate::Shut);
}

/// Answers as (seconds since the one before, seconds since its order, whether it was taken), most of them failures.
fn answers() -> impl Strategy<Value = Vec<(u64, u64, bool)>> {
    let gap = prop_oneof![8 => Just(0_u64), 2 => 0..20_u64, 1 => 0..1_000_u64];
    prop::collection::vec((gap, 0..30_u64, prop::bool::weighted(0.3)), 0..400)
}

proptest! {
    /// Whatever happened, nobody is out for longer than the longest ejection, and five probes bring anybody back.
    #[test]
    fn always_probes_again_and_can_always_come_back(answers in answers()) {
        let mut breaker = breaker();
        let (mut second, mut before) = (1_000, None::<(u64, UnixMs)>);
        for (gap, age, is_taken) in answers {
            second += gap;
            let was = breaker.gate(at(second));
            breaker.hear(is_taken, at(second - age), at(second));
            if let (true, Some(until)) = (was != Gate::Shut, breaker.ejected_until()) {
                prop_assert!(!is_taken, "only a failure ejects");
                let span = until.since(at(second)).as_secs();
                prop_assert!((5..=300).contains(&span));
                if let Some((last, end)) = before
                    && at(second).since(end) < CALM
                {
                    prop_assert!(span >= last.min(300), "{span} after {last}");
                    prop_assert!(span == 300 || span == last * 2, "{span} after {last}");
                }
                before = Some((span, until));
            }
            let mut later = breaker.clone();
            let end = second + 300;
            prop_assert!(later.gate(at(end)) != Gate::Shut);
            hear(&mut later, 5, true, end);
            prop_assert_eq!(later.gate(at(end)), Gate::Open);
        }
    }

    /// A carrier that takes nine of ten in any order is never ejected, unless ten fail in a row.
    #[test]
    fn a_carrier_that_takes_most_is_left_alone(answers in prop::collection::vec(prop::bool::weighted(0.9), 0..2_000)) {
        let mut breaker = breaker();
        let (mut run, mut is_out) = (0, false);
        for (place, is_taken) in (0_u64..).zip(answers) {
            run = if is_taken { 0 } else { run + 1 };
            is_out |= run >= 10;
            hear(&mut breaker, 1, is_taken, place / 100);
            prop_assert!(is_out || breaker.gate(at(place / 100)) == Gate::Open);
        }
    }
}
