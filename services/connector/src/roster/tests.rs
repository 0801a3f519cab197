//! What is made of words, at instants that the tests choose.

use journey::{Binds, LaneLoad};
use sms::UnixMs;

use super::*;
use crate::fixture::carrier;

/// A roster at some seconds from its beginning.
struct Heard {
    roster: Roster,
    start: Instant,
}

impl Heard {
    fn new() -> Self {
        Self {
            roster: Roster::default(),
            start: time::now(),
        }
    }

    /// Each of these speaks every second of `from..until`, such as `a:atlas:up`: run, carrier, state.
    fn hear(&self, from: u64, until: u64, words: &[&str]) {
        for second in from..until {
            for word in words {
                self.roster.hear(&report(word), self.at(second));
            }
        }
    }

    fn at(&self, second: u64) -> Instant {
        self.start + Duration::from_secs(second)
    }

    fn forsaken(&self, second: u64) -> Vec<String> {
        let named = ["table"].map(carrier);
        let forsaken = self.roster.forsaken(named, self.at(second));
        forsaken.iter().map(ToString::to_string).collect()
    }

    /// Whether somebody beside run `a` serves atlas.
    fn is_served(&self, second: u64) -> bool {
        self.roster.is_served_beside(&own(), &carrier("atlas"), self.at(second))
    }
}

fn own() -> Incarnation {
    Incarnation::new(0xA)
}

fn report(word: &str) -> CarrierReport {
    let [run, name, state] = word.split(':').collect::<Vec<_>>().try_into().unwrap();
    let incarnation = match run {
        "a" => own().as_str().to_owned(),
        other => other.to_owned(),
    };
    let state = match state {
        "up" => LinkState::Up,
        "down" => LinkState::Down,
        "draining" => LinkState::Draining,
        _ => LinkState::Gone,
    };
    CarrierReport {
        carrier: carrier(name),
        incarnation,
        link: String::new(),
        state,
        since: UnixMs(0),
        said_at: UnixMs(0),
        binds: Some(Binds { up: 1, wanted: 1 }),
        window_slots: 0,
        window_used: 0,
        rate_limit: None,
        taken_per_second: 0.0,
        lanes: [LaneLoad::default(); 3],
    }
}

#[test]
fn a_carrier_is_forsaken_nine_seconds_after_its_last_word() {
    let heard = Heard::new();
    heard.hear(0, 20, &["a:atlas:up", "b:borealis:up", "t:table:down"]);
    heard.hear(20, 40, &["b:borealis:up", "t:table:down"]);
    assert_eq!(
        (heard.forsaken(27), heard.forsaken(28)),
        (vec![], vec!["atlas".to_owned()])
    );
    heard.hear(40, 41, &["c:atlas:down", "b:borealis:up", "t:table:down"]);
    assert!(heard.forsaken(40).is_empty(), "whoever speaks of it answers its orders");
}

#[test]
fn one_that_left_is_forsaken_as_one_that_died() {
    let heard = Heard::new();
    heard.hear(0, 20, &["b:borealis:up", "t:table:up"]);
    heard.hear(19, 20, &["a:atlas:gone"]);
    heard.hear(20, 30, &["b:borealis:up", "t:table:up"]);
    assert_eq!(
        (heard.forsaken(27), heard.forsaken(28)),
        (vec![], vec!["atlas".to_owned()])
    );
}

#[test]
fn a_carrier_of_the_table_that_nobody_ever_spoke_of_is_forsaken() {
    let heard = Heard::new();
    heard.hear(0, 10, &["b:borealis:up"]);
    assert_eq!(
        (heard.forsaken(8), heard.forsaken(9)),
        (vec![], vec!["table".to_owned()])
    );
}

#[test]
fn nobody_is_forsaken_while_the_log_may_be_silent() {
    let heard = Heard::new();
    assert!(heard.forsaken(100).is_empty(), "nothing was heard at all");
    heard.hear(0, 20, &["a:atlas:up", "b:borealis:up"]);
    assert!(heard.forsaken(60).is_empty(), "everybody fell silent together");
    heard.hear(60, 80, &["b:borealis:up"]);
    assert!(heard.forsaken(68).is_empty(), "the log is back for too short a time");
    assert_eq!(heard.forsaken(69), ["atlas", "table"]);
}

#[test]
fn another_connector_serves_while_its_word_says_so_and_is_fresh() {
    let heard = Heard::new();
    heard.hear(0, 5, &["a:atlas:up", "b:atlas:down", "b:borealis:up"]);
    assert!(
        !heard.is_served(5),
        "its own word and one about another carrier are none"
    );
    heard.hear(5, 10, &["b:atlas:up"]);
    assert!(heard.is_served(10));
    heard.hear(10, 11, &["b:atlas:draining"]);
    assert!(!heard.is_served(11));
    heard.hear(11, 12, &["b:atlas:up"]);
    assert!(heard.is_served(19));
    assert!(!heard.is_served(20), "silent for nine seconds");
}
