//! What counts as taken over, and when.

use std::sync::Arc;

use service::time;
use sms::UnixUs;

use super::{super::pace::Pace, *};
use crate::oracle::Take;

const START: u64 = 1_000_000_000_000;

/// Ten messages a second for ten seconds, each with a carrier a little later.
fn scene() -> (Ledger, Evidence) {
    let mut ledger = Ledger::new(time::now(), UnixUs(START), Arc::new(Pace::new(10, Duration::ZERO)));
    ledger.entries = vec![Default::default(); 100];
    let mut evidence = Evidence::default();
    for place in 0..100 {
        let at = UnixUs(ledger.due(place).0 + 5_000);
        evidence.takes.insert(place, vec![take(at)]);
    }
    (ledger, evidence)
}

fn take(at: UnixUs) -> Take {
    Take {
        at,
        carrier: 0,
        part: 1,
        parts: 1,
        hash: 0,
    }
}

/// A fault that began so many seconds after the start, and lasted so long.
fn fault(kind: Kind, at: f64, lasted: f64) -> Struck {
    let us = |seconds: f64| UnixUs(START + (seconds * 1e6) as u64);
    Struck {
        kind,
        target: "connector-1".into(),
        at: us(at),
        ended_at: Some(us(at + lasted)),
    }
}

#[test]
fn the_last_message_that_was_due_at_the_loss_counts_and_later_ones_do_not() {
    let (ledger, mut evidence) = scene();
    let loss = [fault(Kind::Lose, 5.0, 20.0)];
    evidence
        .takes
        .get_mut(&40)
        .unwrap()
        .push(take(UnixUs(START + 14_000_000)));
    evidence.takes.insert(60, vec![take(UnixUs(START + 40_000_000))]);
    let took = taken_over(&loss, 0, &ledger, &evidence);
    assert_eq!(took, Some(Duration::from_secs(9)));
    assert!(findings(&loss, &[took]).is_empty());
}

#[test]
fn a_takeover_beyond_lease_and_session_is_a_finding_with_its_time() {
    let (ledger, mut evidence) = scene();
    let loss = [fault(Kind::Lose, 5.0, 30.0)];
    evidence.takes.insert(40, vec![take(UnixUs(START + 23_500_000))]);
    let took = taken_over(&loss, 0, &ledger, &evidence);
    let found = findings(&loss, &[took]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("18.5s after its loss, the limit is 17s"), "{found:?}");
}

#[test]
fn what_another_fault_held_up_meanwhile_is_not_laid_on_the_loss() {
    let (ledger, evidence) = scene();
    let faults = [fault(Kind::Lose, 5.0, 20.0), fault(Kind::LinkCut, 12.0, 1.0)];
    assert_eq!(taken_over(&faults, 0, &ledger, &evidence), None);
    assert_eq!(taken_over(&faults, 1, &ledger, &evidence), None, "nobody was lost");
}
