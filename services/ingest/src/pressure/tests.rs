//! Words of routers, and what they refuse.

use bus::Stored;
use journey::{Congestion, Ejections, RouterReport};
use signalbox_proto::record::router_report_to_bytes;

use super::*;

/// Messages judged where a share is wanted.
const ASKED: usize = 10_000;

fn at(seconds: f64) -> UnixMs {
    UnixMs(1_763_726_400_000) + Duration::from_secs_f64(seconds)
}

fn to(number: &str) -> Msisdn {
    Msisdn::new(number).unwrap()
}

fn account(name: &str) -> AccountId {
    AccountId::new(name).unwrap()
}

/// How far a router is behind in every lane, and where messages in bulk would wait, in seconds.
fn word(router: &str, lag: u64, congested: &[(u32, u64)]) -> Stored {
    let congestion = |(head, wait): &(u32, u64)| Congestion {
        lane: Lane::Bulk,
        account: None,
        head: Head::new(*head).unwrap(),
        wait: Duration::from_secs(*wait),
    };
    let report = RouterReport {
        ejections: Ejections {
            router: router.to_owned(),
            ..Ejections::default()
        },
        pressure: Said {
            lags: [Duration::from_secs(lag); 3],
            congested: congested.iter().map(congestion).collect(),
        },
    };
    Stored {
        key: 0,
        value: router_report_to_bytes(&report),
        stored_at_ms: 0,
        headers: Vec::new(),
    }
}

/// Percent of messages to `number` that are refused in each lane.
fn refused(pressure: &Pressure, now: f64, number: &str) -> [usize; 3] {
    let (judge, dice) = (pressure.judge(at(now)), Dice::seeded(1));
    Lane::ALL.map(|lane| {
        let refused = (0..ASKED).filter(|_| judge.refuse(&account("acme"), lane, &to(number), &dice).is_some());
        (refused.count() * 100 + ASKED / 2) / ASKED
    })
}

fn heard(words: &[Stored]) -> Pressure {
    let pressure = Pressure::default();
    pressure.learn(words, at(0.0));
    pressure
}

#[test]
fn nothing_is_refused_while_nobody_speaks() {
    assert_eq!(refused(&Pressure::default(), 0.0, "33612345678"), [0, 0, 0]);
    assert!(Pressure::default().judge(at(0.0)).0.is_none());
}

#[test]
fn campaigns_are_refused_first_and_passwords_last_where_routers_are_behind() {
    let shares = [4, 6, 7, 16, 19, 48, 60].map(|lag| refused(&heard(&[word("a", lag, &[])]), 0.0, "1202555"));
    let wanted = [
        [0, 0, 0],
        [0, 0, 80],
        [0, 0, 100],
        [0, 27, 100],
        [0, 100, 100],
        [27, 100, 100],
        [100, 100, 100],
    ];
    for (share, wanted) in shares.iter().flatten().zip(wanted.iter().flatten()) {
        assert!(share.abs_diff(*wanted) <= 2, "{shares:?}");
    }
}

#[test]
fn only_numbers_that_would_wait_are_refused_and_only_in_that_lane() {
    let pressure = heard(&[word("a", 0, &[(336, 1_000), (447, 599)])]);
    assert_eq!(refused(&pressure, 0.0, "33612345678"), [0, 0, 100]);
    assert_eq!(refused(&pressure, 0.0, "33712345678"), [0, 0, 0]);
    assert_eq!(refused(&pressure, 0.0, "44712345678"), [0, 0, 0]);
}

#[test]
fn who_has_a_dead_route_is_refused_alone() {
    let judge = |accounts: &[(Option<&str>, u64)]| {
        let one = |(name, wait): &(Option<&str>, u64)| Congestion {
            lane: Lane::Bulk,
            account: name.map(account),
            head: Head::new(336).unwrap(),
            wait: Duration::from_secs(*wait),
        };
        let mut report = RouterReport::default();
        report.ejections.router = "a".to_owned();
        report.pressure.congested = accounts.iter().map(one).collect();
        let said = Stored {
            value: router_report_to_bytes(&report),
            ..word("a", 0, &[])
        };
        let (judge, dice) = (heard(&[said]).judge(at(0.0)), Dice::seeded(1));
        ["acme", "globex"].map(|name| {
            let busy = judge.refuse(&account(name), Lane::Bulk, &to("33612345678"), &dice);
            busy.map_or(0, |busy| busy.wait.as_secs())
        })
    };
    assert_eq!(judge(&[(Some("acme"), 900)]), [900, 0]);
    assert_eq!(judge(&[(None, 800), (Some("acme"), 900)]), [900, 800]);
    assert_eq!(
        judge(&[(None, 900), (Some("acme"), 700)]),
        [900, 900],
        "the worst counts"
    );
}

/// The share grows from nothing at ten minutes to all at twelve and a half.
#[test]
fn the_share_that_is_refused_grows_with_the_wait() {
    let shares =
        [600, 675, 735, 750].map(|wait| refused(&heard(&[word("a", 0, &[(336, wait)])]), 0.0, "33612345678")[2]);
    for (share, wanted) in shares.into_iter().zip([0, 50, 90, 100_usize]) {
        assert!(share.abs_diff(wanted) <= 2, "{shares:?}");
    }
}

#[test]
fn the_worst_of_all_routers_counts() {
    let words = [
        word("a", 0, &[(336, 650)]),
        word("b", 0, &[(336, 900)]),
        word("c", 0, &[(447, 900)]),
    ];
    assert_eq!(refused(&heard(&words), 0.0, "33612345678")[2], 100);
    assert_eq!(refused(&heard(&words), 0.0, "44712345678")[2], 100);
    let words = [word("a", 4, &[]), word("b", 9, &[]), word("c", 0, &[])];
    assert_eq!(refused(&heard(&words), 0.0, "33612345678")[2], 100);
}

#[test]
fn a_word_counts_until_it_is_taken_back_or_some_seconds_old() {
    let pressure = heard(&[word("a", 9, &[])]);
    assert_eq!(refused(&pressure, 3.9, "33612345678")[2], 100);
    assert_eq!(refused(&pressure, 4.0, "33612345678")[2], 0, "it died");
    pressure.learn(&[word("b", 0, &[(336, 900)])], at(4.0));
    assert_eq!(
        refused(&pressure, 4.0, "44712345678")[2],
        0,
        "its word does not come back"
    );
    pressure.learn(&[word("a", 9, &[])], at(5.0));
    pressure.learn(&[word("a", 0, &[])], at(6.0));
    assert_eq!(refused(&pressure, 6.0, "44712345678")[2], 0, "it took it back");
    assert_eq!(refused(&pressure, 6.0, "33612345678")[2], 100, "the other one did not");
}

#[test]
fn no_more_words_are_kept_than_there_may_be_routers() {
    let words: Vec<_> = (0..300).map(|router| word(&router.to_string(), 9, &[])).collect();
    let pressure = heard(&words);
    assert_eq!(pressure.0.words.lock().unwrap().len(), ROUTERS_MAX);
}

#[test]
fn words_of_connectors_and_words_that_are_none_refuse_nobody() {
    let none = Stored {
        value: bytes::Bytes::from_static(b"\xFF"),
        ..word("a", 0, &[])
    };
    let pressure = heard(&[none, word("b", 9, &[])]);
    assert_eq!(refused(&pressure, 0.0, "33612345678")[2], 100);
}

/// The hint says how long the excess takes to be worked off, and not the same to everybody.
#[test]
fn who_is_refused_is_told_how_long_to_stay_away() {
    let hints = |word: Stored| -> Vec<u64> {
        let (judge, dice) = (heard(&[word]).judge(at(0.0)), Dice::seeded(1));
        let busy = (0..1_000).filter_map(|_| judge.refuse(&account("acme"), Lane::Bulk, &to("33612345678"), &dice));
        let hints = busy.map(|busy| u64::try_from(busy.retry_after.as_millis()).unwrap());
        let mut hints: Vec<_> = hints.collect();
        hints.sort_unstable();
        hints.dedup();
        hints
    };
    let within = |hints: Vec<u64>, least: u64, most: u64| {
        assert!(hints.len() > 500, "spread: {}", hints.len());
        let (first, last) = (hints[0], hints[hints.len() - 1]);
        assert!(first >= least && last <= most, "{first} to {last}");
        assert!(last - first > (most - least) / 2, "{first} to {last}");
    };
    within(hints(word("a", 0, &[(336, 760)])), 160_000, 240_000);
    within(hints(word("a", 0, &[(336, 86_400)])), 300_000, 450_000);
    within(hints(word("a", 15, &[])), 10_000, 15_000);
    within(hints(word("a", 900, &[])), 30_000, 45_000);
}
