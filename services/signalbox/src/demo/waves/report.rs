//! What the scene prints, and whether enough happened in it to show anything.

use std::collections::BTreeMap;

use journey::EndState;
use signalbox_loadtest::{smsc::Counts, stage::Books};

use super::{
    super::{drive::Trip, stage::Stage},
    check::Verdict,
};

/// What all carriers together counted.
pub(super) struct Seen {
    counts: Counts,
    /// Whether routers took every receipt.
    is_settled: bool,
}

impl Seen {
    /// What carriers counted so far.
    pub(super) fn of(stage: &Stage, is_settled: bool) -> Self {
        let mut all = Counts::default();
        for (_, counts) in stage.counts() {
            all += counts;
        }
        Self {
            counts: all,
            is_settled,
        }
    }

    /// What did not happen and should have, so that nothing was shown.
    fn missing(&self) -> Vec<String> {
        let counts = &self.counts;
        let wanted = [
            ("throttled a message", counts.throttled),
            ("kept an answer back", counts.dropped),
            ("cut a connection", counts.cuts),
            ("sent a receipt before its answer", counts.receipts_early),
            ("sent a receipt late", counts.receipts_late),
            ("sent a receipt twice", counts.receipts_twice),
        ];
        let mut missing: Vec<_> = wanted
            .into_iter()
            .filter(|(_, count)| *count == 0)
            .map(|(what, _)| format!("no carrier {what}: nothing is shown"))
            .collect();
        if !self.is_settled {
            missing.push(format!(
                "{} receipts wait at carriers, and no router takes them",
                counts.receipts_waiting
            ));
        }
        missing
    }
}

/// Prints everything; true = it is as it should be.
pub(super) fn print(trip: &Trip, books: &Books, seen: &Seen, mut verdict: Verdict) -> bool {
    verdict.findings.extend(seen.missing());
    println!();
    print_ends(trip, books);
    print_carriers(&seen.counts);
    print_messages(&verdict);
    println!();
    if verdict.findings.is_empty() {
        println!(
            "As it should be: every message ended once, handsets read what was sent, and none has a message twice but"
        );
        println!("where an answer was lost and the policy allows it.");
    } else {
        println!("NOT as it should be:");
        for finding in &verdict.findings {
            println!("  {finding}");
        }
    }
    verdict.findings.is_empty()
}

fn print_ends(trip: &Trip, books: &Books) {
    let mut states: BTreeMap<&str, u64> = BTreeMap::new();
    for end in books.ends.values() {
        *states.entry(end.state.as_str()).or_default() += 1;
    }
    let states: Vec<_> = states.iter().map(|(state, count)| format!("{state} {count}")).collect();
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for attempt in books.ends.values().flat_map(|end| &end.attempts) {
        *outcomes.entry(&attempt.answer.outcome).or_default() += 1;
    }
    let outcomes: Vec<_> = outcomes
        .iter()
        .map(|(outcome, count)| format!("{outcome} {count}"))
        .collect();
    println!("accepted {}, ended as {}", trip.accepted.len(), states.join(", "));
    println!("orders answered as {}", outcomes.join(", "));
    print_undelivered(books);
    if trip.held_back > 0 {
        println!("told to come back {} times, and came back", trip.held_back);
    }
    println!(
        "{:.1} s from the first submission to the last end; receipts after the end: {}",
        trip.took.as_secs_f64(),
        books.late
    );
}

/// Why messages ended otherwise than delivered: the state, and the words of the cause.
fn print_undelivered(books: &Books) {
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for end in books.ends.values().filter(|end| end.state != EndState::Delivered) {
        let (state, cause) = (end.state.as_str(), &end.cause);
        let reason = format!("{state} {} {}", cause.code, cause.detail);
        *reasons.entry(reason.trim_end().to_owned()).or_default() += 1;
    }
    for (reason, count) in reasons {
        println!("  {count:>6} {reason}");
    }
}

fn print_carriers(counts: &Counts) {
    println!();
    println!(
        "carriers: {} submissions, {} taken and answered, {} throttled, {} taken and never answered",
        counts.received, counts.accepted, counts.throttled, counts.dropped
    );
    println!(
        "  {} connections cut, with {} answers not yet written; {} binds",
        counts.cuts, counts.answers_lost, counts.binds
    );
    println!(
        "  {} receipts: {} before their answer, {} late, {} twice; {} sent and not taken, sent again; {} taken in all",
        counts.receipts,
        counts.receipts_early,
        counts.receipts_late,
        counts.receipts_twice,
        counts.receipts_again,
        counts.receipts_taken
    );
}

fn print_messages(verdict: &Verdict) {
    println!();
    println!(
        "texts compared and alike: {}, {} of them of several parts; torn: {}; never at a carrier: {}",
        verdict.read, verdict.read_long, verdict.torn, verdict.unseen
    );
    let copies: usize = verdict.copies.values().sum();
    println!("taken again: {copies}");
    for ((class, why), count) in &verdict.copies {
        println!("  {class:<14} {count:>5}: {why}");
    }
}
