//! What only a running router knows: carriers that are down, and those tried before.

use sms::{CarrierName, Class, UnixMs};
use table::{Action, Decision, HeldBack, OnUnknown, Query, Table, files::Files};

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

fn names(decision: &Decision) -> Vec<&str> {
    decision.candidates.iter().map(|one| one.carrier.as_str()).collect()
}

/// Decides with `down` and `tried`, each a list of names.
fn decide(table: &Table, down: &[&str], tried: &[&str]) -> Decision {
    let tried: Vec<CarrierName> = tried
        .iter()
        .map(|name| CarrierName::new(name).expect("a name"))
        .collect();
    let is_down = |carrier: &CarrierName| down.contains(&carrier.as_str());
    let query = Query {
        tried: &tried,
        down: Some(&is_down),
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
            already_tried: 1
        }
    );
    assert!(decision.candidates.is_empty());
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
    let decision = decide(&table(&["a", "b", "c"], "attempts = 2"), &[], &[]);
    assert_eq!(names(&decision), ["a", "b"]);
    assert_eq!(decision.policy.as_deref(), Some("all"));
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
