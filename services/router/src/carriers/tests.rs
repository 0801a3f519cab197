//! Combining what connectors say, and growing old.

use journey::{CarrierReport, LaneLoad};

use super::*;

const START: UnixMs = UnixMs(1_795_262_400_000);

fn at(seconds: f64) -> UnixMs {
    START + Duration::from_secs_f64(seconds)
}

fn carrier(name: &str) -> CarrierName {
    CarrierName::new(name).unwrap()
}

/// Nothing was said yet of carriers `a` and `other`, whose topics exist.
fn carriers() -> Carriers {
    let carriers = Carriers::default();
    carriers.have_topics(&[carrier("a"), carrier("other")]);
    carriers
}

/// What `run` said at `now` of carrier `name`: its state since `since`, and the wait in its normal lane.
fn word(now: f64, (run, name): (&str, &str), (state, since): (LinkState, f64), wait: Option<u64>) -> Stored {
    let report = CarrierReport {
        carrier: carrier(name),
        incarnation: run.to_owned(),
        link: name.to_owned(),
        state,
        since: at(since),
        said_at: at(now),
        binds: None,
        window_slots: 10,
        window_used: 0,
        rate_limit: None,
        taken_per_second: 0.0,
        lanes: [None, wait, None].map(|wait| LaneLoad {
            orders: 0,
            wait: wait.map(Duration::from_secs),
        }),
    };
    Stored {
        key: 0,
        value: record::carrier_to_bytes(&report),
        stored_at_ms: at(now).0,
        headers: Vec::new(),
    }
}

/// Hears it as it is said.
fn hear(carriers: &Carriers, now: f64, who: (&str, &str), state: (LinkState, f64), wait: Option<u64>) {
    carriers.learn(&[word(now, who, state, wait)], at(now), true);
}

/// Somebody else's words, every second from `from` to `to`.
fn others(carriers: &Carriers, from: u32, to: u32) {
    for second in from..=to {
        hear(carriers, second.into(), ("x", "other"), (LinkState::Up, 0.0), None);
    }
}

fn level(carriers: &Carriers, now: f64, name: &str) -> Level {
    let snapshot = carriers.snapshot(at(now));
    snapshot.level(&carrier(name), snapshot.known.carriers.get(&carrier(name)))
}

fn wait(carriers: &Carriers, now: f64, class: Class) -> Option<Duration> {
    carriers.snapshot(at(now)).standing(&carrier("a"), class).expected_wait
}

#[test]
fn a_carrier_nobody_spoke_of_is_down_once_everybody_must_have_spoken() {
    let carriers = carriers();
    let (a, other) = (carrier("a"), carrier("other"));
    let unheard = || carriers.unheard([&a, &other].into_iter()).len();
    assert_eq!(level(&carriers, 60.0, "a"), Level::Up, "nobody speaks at all");
    others(&carriers, 60, 69);
    assert_eq!((level(&carriers, 69.9, "a"), unheard()), (Level::Up, 0));
    others(&carriers, 70, 70);
    assert_eq!((level(&carriers, 70.0, "a"), unheard()), (Level::Down, 1));
    assert_eq!(level(&carriers, 99.0, "a"), Level::Down, "a silence changes nothing");
    hear(&carriers, 99.0, ("1", "a"), (LinkState::Up, 99.0), None);
    assert_eq!((level(&carriers, 99.0, "a"), unheard()), (Level::Up, 0));
}

#[test]
fn a_carrier_without_topics_is_down() {
    let carriers = carriers();
    assert_eq!(level(&carriers, 0.0, "b"), Level::Down);
    carriers.have_topics(&[carrier("b")]);
    assert_eq!(level(&carriers, 0.0, "b"), Level::Up);
}

#[test]
fn one_link_that_is_up_makes_the_carrier_up() {
    let carriers = carriers();
    hear(&carriers, 10.0, ("1", "a"), (LinkState::Down, 0.0), None);
    assert_eq!(level(&carriers, 10.0, "a"), Level::Down);
    hear(&carriers, 11.0, ("2", "a"), (LinkState::Up, 11.0), None);
    assert_eq!(level(&carriers, 11.0, "a"), Level::Up);
    hear(&carriers, 12.0, ("2", "a"), (LinkState::Draining, 12.0), None);
    assert_eq!(level(&carriers, 12.0, "a"), Level::Down);
}

#[test]
fn a_gap_that_the_connector_waits_out_is_no_down() {
    let carriers = carriers();
    hear(&carriers, 9.0, ("1", "a"), (LinkState::Down, 9.0), None);
    assert_eq!(level(&carriers, 9.9, "a"), Level::Up, "it starts");
    hear(&carriers, 10.0, ("1", "a"), (LinkState::Up, 10.0), None);
    hear(&carriers, 10.5, ("1", "a"), (LinkState::Down, 10.5), None);
    hear(&carriers, 11.0, ("1", "a"), (LinkState::Down, 10.5), None);
    assert_eq!(level(&carriers, 11.4, "a"), Level::Doubtful);
    assert_eq!(level(&carriers, 11.5, "a"), Level::Down);
    hear(&carriers, 12.0, ("1", "a"), (LinkState::Up, 12.0), None);
    assert_eq!(level(&carriers, 12.0, "a"), Level::Up);
}

#[test]
fn silence_of_one_carrier_is_down_and_silence_of_all_is_a_doubt() {
    let carriers = carriers();
    others(&carriers, 0, 5);
    hear(&carriers, 5.0, ("1", "a"), (LinkState::Up, 0.0), None);
    others(&carriers, 6, 15);
    assert_eq!(level(&carriers, 14.9, "a"), Level::Up);
    assert_eq!(level(&carriers, 15.0, "a"), Level::Down);
    assert_eq!(level(&carriers, 40.0, "a"), Level::Doubtful, "the log itself is silent");
    others(&carriers, 40, 49);
    assert_eq!(level(&carriers, 49.0, "a"), Level::Doubtful, "it may be about to speak");
    others(&carriers, 50, 50);
    assert_eq!(level(&carriers, 50.0, "a"), Level::Down);
}

#[test]
fn who_is_in_doubt_is_refused_unless_nobody_else_is_left() {
    let carriers = carriers();
    hear(&carriers, 0.0, ("1", "a"), (LinkState::Up, 0.0), None);
    let snapshot = carriers.snapshot(at(30.0));
    let standing = |standings: &dyn Standings| standings.standing(&carrier("a"), Class::Otp).circuit_open;
    assert_eq!((standing(&snapshot), standing(&snapshot.lenient())), (true, false));
    hear(&carriers, 31.0, ("1", "a"), (LinkState::Down, 20.0), None);
    let snapshot = carriers.snapshot(at(31.0));
    assert!(standing(&snapshot.lenient()), "that it is down was said");
}

#[test]
fn the_last_connector_that_leaves_takes_the_carrier_with_it() {
    let carriers = carriers();
    others(&carriers, 0, 11);
    for (run, state) in [("1", LinkState::Up), ("2", LinkState::Up), ("1", LinkState::Gone)] {
        hear(&carriers, 11.0, (run, "a"), (state, 0.0), None);
    }
    assert_eq!(level(&carriers, 11.0, "a"), Level::Up);
    hear(&carriers, 11.5, ("2", "a"), (LinkState::Gone, 11.5), None);
    assert_eq!(level(&carriers, 11.5, "a"), Level::Down);
}

#[test]
fn a_word_from_before_we_listened_is_as_old_as_its_record() {
    let carriers = carriers();
    let said = word(0.0, ("1", "a"), (LinkState::Up, 0.0), None);
    carriers.learn(&[said], at(9.0), false);
    assert_eq!(level(&carriers, 9.0, "a"), Level::Up);
    assert_eq!(level(&carriers, 10.0, "a"), Level::Doubtful);
}

#[test]
fn the_wait_is_the_mean_of_those_that_are_up() {
    let carriers = carriers();
    hear(&carriers, 0.0, ("1", "a"), (LinkState::Up, 0.0), Some(10));
    assert_eq!(
        wait(&carriers, 0.0, Class::Transactional),
        Some(Duration::from_secs(10))
    );
    assert_eq!(wait(&carriers, 0.0, Class::Otp), None);
    hear(&carriers, 0.0, ("2", "a"), (LinkState::Up, 0.0), Some(0));
    hear(&carriers, 0.0, ("3", "a"), (LinkState::Up, 0.0), None);
    hear(&carriers, 0.0, ("4", "a"), (LinkState::Down, 0.0), Some(99));
    assert_eq!(wait(&carriers, 0.0, Class::Transactional), Some(Duration::from_secs(5)));
}

#[test]
fn an_order_that_came_back_is_held_against_a_carrier_until_it_takes_one_or_comes_up() {
    let carriers = carriers();
    let hint = Duration::from_secs(2);
    carriers.went_down(&carrier("a"), at(0.0), hint);
    assert_eq!(level(&carriers, 1.9, "a"), Level::Doubtful);
    assert_eq!(level(&carriers, 2.0, "a"), Level::Up);
    carriers.went_down(&carrier("a"), at(3.0), hint);
    carriers.came_up(&carrier("a"));
    assert_eq!(level(&carriers, 3.0, "a"), Level::Up);
    hear(&carriers, 4.0, ("1", "a"), (LinkState::Down, 2.0), None);
    carriers.went_down(&carrier("a"), at(4.0), hint);
    hear(&carriers, 4.1, ("1", "a"), (LinkState::Up, 4.1), None);
    assert_eq!(level(&carriers, 4.1, "a"), Level::Up);
}

#[test]
fn a_word_that_is_none_costs_nothing() {
    let carriers = carriers();
    let stored = Stored {
        key: 0,
        value: bytes::Bytes::from_static(b"\xFF"),
        stored_at_ms: 0,
        headers: Vec::new(),
    };
    carriers.learn(&[stored], at(0.0), true);
    assert_eq!(level(&carriers, 0.0, "a"), Level::Up);
}
