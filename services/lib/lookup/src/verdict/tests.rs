//! Which numbers are looked up, to the millionth.

use super::*;

const NEVER: Curiosity = Curiosity { one_in: 0 };

fn stake() -> Stake {
    Stake {
        basis: Basis::Plan,
        networks: 3,
        can_change: true,
        saving_max: Micros(20_000),
        saving_mean: Micros(10_000),
        submit: Micros(40_000),
    }
}

fn rates(ported: u32, dead: u32) -> Rates {
    Rates {
        ported: Share::percent(ported),
        dead: Share::percent(dead),
        answers: 0,
    }
}

fn offer(price: i64) -> Option<Offer> {
    Some(Offer {
        price: Micros(price),
        ends_dead: true,
    })
}

#[test]
fn it_asks_where_the_answer_saves_more_than_it_costs() {
    // 14 % of 0.010 and 2 % of 0.040.
    let verdict = |price| matters(stake(), rates(14, 2), offer(price), NEVER, 0);
    assert_eq!(
        (verdict(2_199).why, verdict(2_199).expected),
        (Why::Worth, Micros(2_200))
    );
    assert_eq!(verdict(2_200).why, Why::Dear);
    assert_eq!(
        verdict(2_199).to_string(),
        "asks: would cost 0.002199, could save 0.010000 × 14.00 % + 0.040000 × 2.00 % = 0.002200; shares are assumed"
    );
}

#[test]
fn less_than_a_millionth_counts_too() {
    let one = Stake {
        saving_mean: Micros(1),
        submit: Micros(0),
        ..stake()
    };
    assert_eq!(matters(one, rates(1, 0), offer(0), NEVER, 0).why, Why::Worth);
    assert_eq!(matters(one, rates(0, 0), offer(0), NEVER, 0).why, Why::Dear);
}

#[test]
fn dead_numbers_count_where_the_answer_ends_the_message() {
    let hearsay = Some(Offer {
        price: Micros(1_400),
        ends_dead: false,
    });
    let verdict = matters(stake(), rates(14, 50), hearsay, NEVER, 0);
    assert_eq!((verdict.why, verdict.expected), (Why::Dear, Micros(1_400)));
}

#[test]
fn it_does_not_ask_where_no_network_changes_anything() {
    let same = Stake {
        can_change: false,
        ..stake()
    };
    assert_eq!(
        matters(same, rates(100, 100), offer(0), Curiosity { one_in: 1 }, 0).why,
        Why::Nothing
    );
    let told = Stake {
        basis: Basis::Told,
        ..stake()
    };
    assert_eq!(matters(told, rates(100, 100), offer(0), NEVER, 0).why, Why::Told);
    assert_eq!(matters(stake(), rates(100, 100), None, NEVER, 0).why, Why::Nobody);
}

#[test]
fn where_the_plan_names_the_country_alone_the_saving_counts_in_full() {
    let country = Stake {
        basis: Basis::Country,
        submit: Micros(0),
        ..stake()
    };
    assert_eq!(matters(country, rates(0, 0), offer(9_999), NEVER, 0).why, Why::Worth);
}

#[test]
fn one_in_so_many_is_asked_to_learn() {
    let curious = Curiosity { one_in: 10 };
    let asked = (0..100).filter(|roll| matters(stake(), rates(0, 0), offer(1), curious, *roll).asks());
    assert_eq!(asked.count(), 10);
    let idle = Stake {
        saving_max: Micros(0),
        ..stake()
    };
    assert!(
        !matters(idle, rates(0, 0), offer(1), Curiosity { one_in: 1 }, 0).asks(),
        "nothing to learn"
    );
}

#[test]
fn the_largest_amounts_fit() {
    let most = Stake {
        saving_max: Micros(i64::MAX),
        saving_mean: Micros(i64::MAX / 2),
        submit: Micros(i64::MAX / 2),
        ..stake()
    };
    let verdict = matters(most, rates(100, 100), offer(i64::MAX), NEVER, 0);
    assert_eq!(verdict.why, Why::Dear);
}
