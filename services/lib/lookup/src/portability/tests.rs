//! What is learnt, how fast, and within which bounds.

use super::*;

const NUMBER: &str = "33612345678";
const NEIGHBOUR: &str = "33612999999";
const ELSEWHERE: &str = "33712345678";

fn orange() -> Option<Network> {
    Network::parse("208", "01").ok()
}

fn learn(portability: &Portability, number: &str, stayed: u32, ported: u32, dead: u32) {
    for (seen, times) in [(Seen::Stayed, stayed), (Seen::Ported, ported), (Seen::Dead, dead)] {
        (0..times).for_each(|_| portability.learn(number, orange(), seen));
    }
}

#[test]
fn what_is_assumed_holds_until_something_is_learnt() {
    let assumed = Rates {
        ported: Share::percent(25),
        dead: Share::percent(3),
        answers: 0,
    };
    let portability = Portability::new(assumed);
    assert_eq!(portability.rates(NUMBER, orange()), assumed);
    assert_eq!(portability.rates(NUMBER, None), assumed);
}

#[test]
fn a_range_comes_to_what_its_answers_say() {
    let portability = Portability::new(Rates::default());
    learn(&portability, NUMBER, 1_200, 700, 100);
    let rates = portability.rates(NEIGHBOUR, orange());
    // 35 % and 5 %, a little drawn to what is assumed.
    assert!((340_000..=350_000).contains(&rates.ported.get()), "{rates:?}");
    assert!((49_000..=50_000).contains(&rates.dead.get()), "{rates:?}");
    assert_eq!(rates.answers, 2_000);
}

#[test]
fn a_range_without_answers_leans_on_its_country() {
    let portability = Portability::new(Rates::default());
    learn(&portability, NUMBER, 0, 1_000, 0);
    let rates = portability.rates(ELSEWHERE, orange());
    assert!(rates.ported > Share::percent(95), "{rates:?}");
    let abroad = Network::parse("262", "01").ok();
    assert_eq!(portability.rates("4915112345678", abroad), Rates::default());
}

#[test]
fn few_answers_of_a_range_say_little() {
    let portability = Portability::new(Rates::default());
    learn(&portability, ELSEWHERE, 1_000, 0, 0);
    learn(&portability, NUMBER, 0, 1, 0);
    let rates = portability.rates(NUMBER, orange());
    assert!(rates.ported < Share::percent(6), "{rates:?}");
}

#[test]
fn a_change_is_followed() {
    let portability = Portability::new(Rates::default());
    learn(&portability, NUMBER, 100_000, 0, 0);
    learn(&portability, NUMBER, 0, 3 * ANSWERS_MAX, 0);
    let rates = portability.rates(NUMBER, orange());
    assert!(rates.ported > Share::percent(85), "{rates:?}");
}

#[test]
fn counts_stay_within_their_bits() {
    let mut cell = Cell::empty(7);
    for _ in 0..100_000 {
        cell = cell.with(Seen::Dead);
        assert!(cell.answers() <= ANSWERS_MAX && cell.dead() == cell.answers());
        assert_eq!((cell.tag(), cell.ported()), (7, 0));
    }
}

#[test]
fn more_ranges_than_are_kept_take_no_more_room() {
    let portability = Portability::new(Rates::default());
    learn(&portability, NUMBER, 0, 500, 0);
    for range in 0..2 * RANGES_MAX {
        portability.learn(&format!("1{range:06}000000"), None, Seen::Stayed);
    }
    assert_eq!(portability.ranges.len(), RANGES_MAX);
    let rates = portability.rates(NUMBER, None);
    assert!(
        rates.ported > Share::percent(90),
        "who has many answers stays: {rates:?}"
    );
}

#[test]
fn short_numbers_share_one_range() {
    let portability = Portability::new(Rates::default());
    portability.learn("112", None, Seen::Ported);
    assert_eq!(portability.rates("", None).answers, 1);
}

#[test]
fn threads_lose_no_answer() {
    let portability = Portability::new(Rates::default());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| learn(&portability, NUMBER, 400, 100, 0));
        }
    });
    assert_eq!(portability.rates(NUMBER, orange()).answers, 2_000);
}

#[test]
fn the_plan_says_whether_a_network_is_another() {
    let answer = |network: Option<Network>, ported| Answer {
        network,
        ported,
        reach: Reach::Unknown,
        roaming: None,
        source: crate::Source::Provider,
        provider: "p".into(),
        cost: table::Micros(0),
        asked_at: sms::UnixMs(0),
        expires_at: sms::UnixMs(1),
        confidence: crate::Confidence::High,
    };
    let other = Network::parse("208", "10").ok();
    assert_eq!(Seen::of(&answer(other, Some(false)), orange()), Some(Seen::Ported));
    assert_eq!(Seen::of(&answer(orange(), Some(true)), orange()), Some(Seen::Stayed));
    assert_eq!(Seen::of(&answer(None, Some(true)), orange()), Some(Seen::Ported));
    assert_eq!(Seen::of(&answer(other, None), None), None);
    let dead = Answer {
        reach: Reach::Dead,
        ..answer(other, None)
    };
    assert_eq!(Seen::of(&dead, orange()), Some(Seen::Dead));
}
