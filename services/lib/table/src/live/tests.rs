//! What a swap promises.

use sms::UnixMs;

use super::LiveTable;
use crate::{Action, Decision, Query, Table, build, files::Files};

fn table(price: &str) -> Table {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"");
    files.insert("carriers.toml", "[[carrier]]\nname = \"atlas\"\ncurrency = \"EUR\"");
    files.insert("policies.toml", "");
    files.insert("numbering.csv", "prefix,mcc,mnc,country,operator\n33,208,,FR,\n");
    files.insert(
        "rates/atlas.csv",
        format!("mcc,mnc,prefix,price,from,until\n208,,,{price},,\n"),
    );
    build(&files).expect("a sound table").0
}

#[test]
fn a_snapshot_outlives_the_swap() {
    let live = LiveTable::new(table("0.01"));
    let (before, other) = (live.snapshot(), live.clone());
    let replaced = live.replace(table("0.02"));
    assert_eq!(before.version(), replaced.version());
    assert_ne!(other.snapshot().version(), before.version());
    let mut decision = Decision::new();
    let costs = [&before, &other.snapshot()].map(|table| {
        table.decide(&Query::new("33612345678", UnixMs(0)), &mut decision);
        assert_eq!(decision.action, Action::Route);
        decision.candidates[0].cost.to_string()
    });
    assert_eq!(costs, ["0.010000", "0.020000"]);
}

#[test]
fn a_replaced_table_is_freed_by_the_sweep_and_not_by_who_held_it() {
    let live = LiveTable::new(table("0.01"));
    let held = live.snapshot();
    let freed = std::sync::Arc::downgrade(&held);
    drop(live.replace(table("0.02")));
    assert_eq!(live.sweep(), 1);
    drop(held);
    assert!(freed.upgrade().is_some());
    assert_eq!(live.sweep(), 0);
    assert!(freed.upgrade().is_none());
}
