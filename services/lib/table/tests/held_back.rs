//! What only a running router knows: carriers that are down, those that are busy, and those tried before.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use sms::{CarrierName, Class, UnixMs};
use table::{
    Action, Decision, HeldBack, Network, OnUnknown, Query, Refusal, Served, Source, Standing, Standings, Table,
    files::Files,
};

/// Carriers in order of their prices, and the route of every message.
fn table(carriers: &[&str], route: &str) -> Table {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"");
    files.insert(
        "policies.toml",
        format!("[[policy]]\nname = \"all\"\nroute = {{ {route} }}\n"),
    );
    files.insert("numbering.csv", "prefix,mcc,mnc,country,operator\n33,208,,FR,\n");
    let entries = carriers
        .iter()
        .map(|name| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n"));
    files.insert("carriers.toml", entries.collect::<String>());
    for (index, name) in carriers.iter().enumerate() {
        let sheet = format!("mcc,mnc,prefix,price,from,until\n208,,,0.0{},,\n", index + 1);
        files.insert(format!("rates/{name}.csv"), sheet);
    }
    table::build(&files).expect("a sound table").0
}

fn names<'a>(decision: &Decision<'a>) -> Vec<&'a str> {
    decision.candidates.iter().map(|one| one.carrier.as_str()).collect()
}

/// Decides with `down` and `tried`, each a list of names.
fn decide<'t>(table: &'t Table, down: &[&str], tried: &[&str]) -> Decision<'t> {
    let tried: Vec<CarrierName> = tried
        .iter()
        .map(|name| CarrierName::new(name).expect("a name"))
        .collect();
    let standings = |carrier: &CarrierName, _| match down.contains(&carrier.as_str()) {
        true => Standing::DOWN,
        false => Standing::UP,
    };
    let query = Query {
        tried: &tried,
        standings: Some(&standings),
        ..Query::new("33612345678", UnixMs(0))
    };
    let mut decision = Decision::new();
    table.decide(&query, &mut decision);
    decision
}

#[test]
fn the_next_candidate_takes_over() {
    let table = table(&["a", "b", "c"], "");
    assert_eq!(names(&decide(&table, &[], &[])), ["a", "b", "c"]);
    assert_eq!(names(&decide(&table, &["a"], &[])), ["b", "c"]);
    assert_eq!(names(&decide(&table, &["a"], &["b"])), ["c"]);
}

#[test]
fn a_message_waits_where_only_the_moment_refuses() {
    let table = table(&["a", "b"], "");
    let decision = decide(&table, &["a"], &["b", "a"]);
    assert_eq!(decision.action, Action::Wait);
    // Being down is looked for before having been tried.
    assert_eq!(
        decision.held_back,
        HeldBack {
            circuit_open: 1,
            saturated: 0,
            already_tried: 1
        }
    );
    assert!(decision.candidates.is_empty());
}

/// Carrier `a` is down towards one network.
struct DownOn(Network);

impl Standings for DownOn {
    fn standing(&self, _: &CarrierName, _: Class) -> Standing {
        unreachable!("a decision asks for the network")
    }

    fn standing_on(&self, carrier: &CarrierName, network: Option<Network>, _: Class) -> Standing {
        match carrier.as_str() == "a" && network == Some(self.0) {
            true => Standing::DOWN,
            false => Standing::UP,
        }
    }
}

#[test]
fn a_carrier_may_stand_otherwise_on_each_network() {
    let table = table(&["a", "b"], "");
    let network: Network = "20801".parse().expect("a network");
    let standings = DownOn(network);
    let served = |network| Served {
        network,
        source: Source::Query,
    };
    let query = Query {
        standings: Some(&standings),
        ..Query::new("33612345678", UnixMs(0))
    };
    let mut decision = Decision::new();
    table.decide(&query, &mut decision);
    assert_eq!(names(&decision), ["a", "b"]);
    let there = Query {
        network: Some(served(network)),
        ..query
    };
    table.decide(&there, &mut decision);
    assert_eq!(names(&decision), ["b"]);
    let explained = table.explain(&there).candidates;
    assert_eq!(explained.last().and_then(|one| one.reason), Some("circuit_open"));
}

/// Who is asked first where the cheaper of two carriers holds a message of `class`, `age` old, for `wait`.
fn busy(route: &str, class: Class, wait: Duration, age: Duration, ttl: Option<Duration>) -> String {
    let standings = move |carrier: &CarrierName, asked: Class| match carrier.as_str() {
        "a" if asked == class => Standing::after(wait),
        _ => Standing::UP,
    };
    let query = Query {
        class,
        standings: Some(&standings),
        accepted_at: Some(UnixMs(0)),
        ttl,
        ..Query::new("33612345678", UnixMs(0) + age)
    };
    let mut decision = Decision::new();
    let table = table(&["a", "b"], route);
    table.decide(&query, &mut decision);
    decision.candidates[0].carrier.to_string()
}

#[test]
fn a_carrier_that_is_busy_beyond_spill_after_is_passed_over() {
    let seconds = Duration::from_secs;
    let first = |route, class, wait| busy(route, class, seconds(wait), seconds(0), None);
    assert_eq!(first("spill_after = \"10s\"", Class::Otp, 10), "a");
    assert_eq!(first("spill_after = \"10s\"", Class::Otp, 11), "b");
    // The class fills in where the route says nothing; promotional has no limit but the deadline.
    assert_eq!(first("", Class::Otp, 3), "b");
    assert_eq!(first("", Class::Transactional, 30), "a");
    assert_eq!(first("", Class::Promotional, 24 * 3_600), "a");
    assert_eq!(first("", Class::Promotional, 24 * 3_600 + 1), "b");
}

#[test]
fn a_carrier_that_is_busy_beyond_the_time_left_is_passed_over() {
    let seconds = Duration::from_secs;
    let first =
        |route, age, ttl: Option<u64>| busy(route, Class::Transactional, seconds(20), seconds(age), ttl.map(seconds));
    assert_eq!(first("", 0, None), "a");
    // The message's own limit, then the route's, then the class's.
    assert_eq!(first("", 0, Some(20)), "a");
    assert_eq!(first("", 1, Some(20)), "b");
    assert_eq!(first("deadline = \"1m\"", 40, None), "a");
    assert_eq!(first("deadline = \"1m\"", 41, None), "b");
    assert_eq!(first("", 4 * 3_600 - 19, None), "b");
}

#[test]
fn live_refusals_come_last_and_in_order() {
    let table = table(&["a", "b", "c", "d"], "max_price = \"0.03\"");
    let standings = |carrier: &CarrierName, _| match carrier.as_str() {
        "a" => Standing {
            circuit_open: true,
            expected_wait: Some(Duration::MAX),
        },
        "b" => Standing::after(Duration::MAX),
        "d" => Standing::DOWN,
        _ => Standing::UP,
    };
    let tried = ["a", "b", "c"].map(|name| CarrierName::new(name).expect("a name"));
    let query = Query {
        standings: Some(&standings),
        tried: &tried,
        ..Query::new("33612345678", UnixMs(0))
    };
    let explained = table.explain(&query);
    let reasons: Vec<_> = explained.candidates.iter().filter_map(|one| one.reason).collect();
    assert_eq!(reasons, ["circuit_open", "saturated", "already_tried", "max_price"]);
    assert_eq!(
        (explained.action, explained.reason.as_deref()),
        ("wait", Some("circuit_open"))
    );
    let mut decision = Decision::new();
    table.decide(&query, &mut decision);
    assert_eq!((decision.action, decision.held_back.total()), (Action::Wait, 3));
}

#[test]
fn a_message_waits_for_a_busy_carrier_if_nobody_else_is_left() {
    let table = table(&["a"], "");
    let standings = |_: &CarrierName, _| Standing::after(Duration::from_secs(31));
    let query = Query {
        standings: Some(&standings),
        ..Query::new("33612345678", UnixMs(0))
    };
    let explained = table.explain(&query);
    assert_eq!(
        (explained.action, explained.reason.as_deref()),
        ("wait", Some("saturated"))
    );
}

#[test]
fn no_route_is_the_tables_own_word() {
    let table = table(&["a", "b"], "max_price = \"0.001\"");
    let decision = decide(&table, &["a"], &["b"]);
    assert_eq!(
        (decision.action, decision.held_back),
        (Action::NoRoute, HeldBack::default())
    );
}

#[test]
fn only_as_many_as_attempts_are_handed_out() {
    let table = table(&["a", "b", "c"], "attempts = 2");
    let decision = decide(&table, &[], &[]);
    assert_eq!(names(&decision), ["a", "b"]);
    assert_eq!(decision.policy, Some("all"));
}

#[test]
fn the_class_fills_what_the_route_leaves_open() {
    let table = table(&["a"], "");
    let terms = [Class::Otp, Class::Transactional, Class::Promotional].map(|class| {
        let mut decision = Decision::new();
        table.decide(
            &Query {
                class,
                ..Query::new("33612345678", UnixMs(0))
            },
            &mut decision,
        );
        let spill = decision.terms.spill_after.map(|span| span.as_secs());
        (decision.terms.deadline.as_secs(), spill, decision.terms.on_unknown)
    });
    let wanted = [
        (120, Some(2), OnUnknown::Resend),
        (4 * 3_600, Some(30), OnUnknown::Wait),
        (24 * 3_600, None, OnUnknown::Fail),
    ];
    assert_eq!(terms, wanted);
}

#[test]
fn a_reused_decision_forgets_the_last() {
    let table = table(&["a"], "");
    let mut decision = decide(&table, &[], &[]);
    table.decide(&Query::new("999", UnixMs(0)), &mut decision);
    assert_eq!((decision.action, decision.candidates.len()), (Action::NoRoute, 0));
}

#[test]
fn who_explains_and_who_quotes_ask_each_carrier_once() {
    let routes = [
        "",
        "strategy = \"fastest\"",
        "strategy = \"priority\", carriers = [\"a\", \"b\"]",
    ];
    for route in routes {
        let table = table(&["a", "b"], route);
        let asked = AtomicUsize::new(0);
        // Down whenever it is asked the first time, up ever after.
        let standings = |carrier: &CarrierName, _| match carrier.as_str() {
            "a" if asked.fetch_add(1, Ordering::Relaxed) == 0 => Standing::DOWN,
            _ => Standing::UP,
        };
        let query = Query {
            standings: Some(&standings),
            ..Query::new("33612345678", UnixMs(0))
        };
        let told = table.explain(&query).candidates;
        let told: Vec<_> = told.iter().map(|one| (one.carrier.as_str(), one.reason)).collect();
        assert_eq!(told, [("b", None), ("a", Some("circuit_open"))], "{route}");
        assert_eq!(asked.swap(0, Ordering::Relaxed), 1, "{route}");
        let refused = table.quote(&query).refused;
        assert_eq!(
            refused,
            [(CarrierName::new("a").expect("a name"), Refusal::CircuitOpen)],
            "{route}"
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1, "{route}");
    }
}
