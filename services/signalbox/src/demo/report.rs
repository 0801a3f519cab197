//! What the demonstration prints.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use signalbox_loadtest::stage::{Books, taken};
use sms::{CarrierName, UnixMs, UnixUs};
use table::Table;

use super::{
    check::taken_in_doubt,
    drive::Trip,
    placing::{cost_alone, cost_micros, query, shares},
    stage::Scene,
};

/// Prints the books, one explained decision, and the findings.
pub(super) fn print(scene: &Scene, trip: &Trip, books: &Books, findings: &[String]) -> anyhow::Result<()> {
    println!();
    print_ends(scene, trip, books);
    print_shares(trip, books);
    print_cost(scene, trip, books);
    print_latency(scene, trip, books)?;
    print_decision(scene, trip, books);
    println!();
    if findings.is_empty() {
        println!(
            "The books are in order: every accepted message ended exactly once, the carriers' own logs agree octet"
        );
        println!("for octet, and every message went where the table in force says.");
    } else {
        println!("The books are NOT in order:");
        for finding in findings {
            println!("  {finding}");
        }
    }
    Ok(())
}

fn print_ends(scene: &Scene, trip: &Trip, books: &Books) {
    let mut states: BTreeMap<&str, u64> = BTreeMap::from([("delivered", 0), ("failed", 0)]);
    for end in books.ends.values() {
        *states.entry(end.state.as_str()).or_default() += 1;
    }
    let states: Vec<_> = states.iter().map(|(state, count)| format!("{state} {count}")).collect();
    println!("accepted {}, {}", trip.accepted.len(), states.join(", "));
    if !trip.lost.is_empty() {
        println!(
            "never answered {}, of which {} were taken all the same",
            trip.lost.len(),
            books.strangers
        );
    }
    if trip.held_back > 0 {
        println!("told to come back {} times, and came back", trip.held_back);
    }
    let failovers = books.ends.values().filter(|end| end.attempts.len() > 1).count();
    let unanswered = attempts_with(books, "unknown");
    let bounced = attempts_with(books, "link_down");
    let rate = trip.accepted.len() as f64 / trip.took.as_secs_f64();
    println!(
        "{:.1} s from the first submission to the last end: {rate:.0} messages/s",
        trip.took.as_secs_f64()
    );
    for how in &trip.rebuilt {
        println!("store rebuilt {how}");
    }
    println!("failed over {failovers}: {bounced} orders met a dead link, {unanswered} were sent and never answered");
    let doubtful = taken_in_doubt(scene, trip, books);
    println!(
        "segments a carrier took without our learning it: {doubtful}; late receipts: {}",
        books.late
    );
}

fn attempts_with(books: &Books, outcome: &str) -> usize {
    books
        .ends
        .values()
        .flat_map(|end| &end.attempts)
        .filter(|attempt| attempt.answer.outcome == outcome)
        .count()
}

fn print_shares(trip: &Trip, books: &Books) {
    let shares = shares(trip, books);
    let mut heads = vec!["at first".to_owned()];
    heads.extend(trip.dark.as_ref().map(|(carrier, ..)| format!("{carrier} dead")));
    heads.extend(trip.cheaper.as_ref().map(|(carrier, _)| format!("{carrier} cheaper")));
    let totals: Vec<u64> = (0..3)
        .map(|phase| shares.values().map(|counts| counts[phase]).sum())
        .collect();
    println!();
    let cells: String = heads.iter().map(|head| format!("{head:>20}")).collect();
    println!("{:<12}{cells}", "taken by");
    for (carrier, counts) in &shares {
        let share = |phase: usize| 100.0 * counts[phase] as f64 / totals[phase].max(1) as f64;
        let cells: String = (0..heads.len())
            .map(|phase| format!("{:>12} {:>5.1} %", counts[phase], share(phase)))
            .collect();
        println!("{:<12}{cells}", carrier.as_str());
    }
}

fn print_cost(scene: &Scene, trip: &Trip, books: &Books) {
    let total: i64 = books.ends.values().map(cost_micros).sum();
    let in_force = |at: UnixMs| -> &Table {
        let is_new = scene.tables.len() > 1 && trip.cheaper.as_ref().is_some_and(|(_, saved)| at >= *saved);
        &scene.tables[usize::from(is_new)]
    };
    let alone = |carrier: &CarrierName| -> Option<i64> {
        books
            .ends
            .iter()
            .filter_map(|(id, end)| Some((trip.accepted.get(id)?, end)))
            .map(|(letter, end)| {
                cost_alone(
                    in_force(end.message.accepted_at),
                    letter,
                    end.message.accepted_at,
                    carrier,
                )
            })
            .sum()
    };
    let singles = scene
        .logs
        .iter()
        .filter_map(|(carrier, _)| Some((alone(carrier)?, carrier)));
    println!();
    println!("total cost {}", euros(total));
    match singles.min() {
        Some((cost, carrier)) => println!(
            "cheapest single carrier that could have taken all: {carrier} at {}, {:.1} % more",
            euros(cost),
            100.0 * (cost - total) as f64 / total.max(1) as f64
        ),
        None => println!("no single carrier could have taken all"),
    }
}

fn euros(micros: i64) -> String {
    format!("{}.{:06} EUR", micros / 1_000_000, micros.rem_euclid(1_000_000))
}

/// From the instant a message was answered OK to the instant the carrier wrote it down, by the clocks of this machine.
fn print_latency(scene: &Scene, trip: &Trip, books: &Books) -> anyhow::Result<()> {
    let arrivals = scene.arrivals();
    let mut histogram: Histogram<u64> = Histogram::new(3)?;
    let mut span = (UnixMs(u64::MAX), UnixMs(0));
    for (id, end) in &books.ends {
        let (Some(letter), Some(attempt)) = (trip.accepted.get(id), taken(end)) else {
            continue;
        };
        let first = arrivals.first(&attempt.carrier, letter.to.digits(), end.message.accepted_at);
        if let Some(first) = first.map(UnixUs::millis) {
            histogram.record(first.0 - end.message.accepted_at.0)?;
            span = (span.0.min(end.message.accepted_at), span.1.max(first));
        }
    }
    let at = |quantile| histogram.value_at_quantile(quantile);
    println!();
    println!(
        "from accepted to carrier: p50 {} ms, p95 {} ms, p99 {} ms, slowest {} ms (messages: {})",
        at(0.5),
        at(0.95),
        at(0.99),
        histogram.max(),
        histogram.len()
    );
    let seconds = span.1.since(span.0).as_secs_f64().max(0.001);
    println!(
        "the carriers had them within {seconds:.1} s: {:.0} messages/s",
        histogram.len() as f64 / seconds
    );
    Ok(())
}

fn print_decision(scene: &Scene, trip: &Trip, books: &Books) {
    let last = scene.tables.last().and_then(|table| {
        let by_table = books.ends.iter().filter(|(_, end)| end.table == table.version());
        let mut found = by_table.filter_map(|(id, end)| Some((trip.accepted.get(id)?, end)));
        found.next().map(|(letter, end)| (table, letter, end))
    });
    if let Some((table, letter, end)) = last {
        println!();
        println!("one decision, explained:");
        for line in table
            .explain(&query(letter, end.message.accepted_at))
            .to_string()
            .lines()
        {
            println!("  {line}");
        }
    }
}
