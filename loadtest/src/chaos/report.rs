//! What the run tells.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::Serialize;
use sms::UnixUs;

use super::{
    args::{Args, Bus},
    fault::{Kind, Prey},
    recovery::{Latency, Recovery},
    storm::{Died, Struck},
};
use crate::{customer::Troubles, oracle::Verdict};

/// The whole of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    bus: Bus,
    seed: u64,
    rate: u32,
    minutes: f64,
    accepted: usize,
    ended: usize,
    lost: usize,
    states: BTreeMap<String, usize>,
    /// Messages that the customer submitted more than once.
    submitted_again: usize,
    /// What the customer's calls came to beside answers.
    troubles: Troubles,
    /// Messages that carriers had more than once, by class.
    doubled: BTreeMap<&'static str, usize>,
    /// Passwords, from when they were due until a carrier had them, before the first fault and after it.
    quiet: Latency,
    stormy: Latency,
    /// After so long a password counts as late.
    late_ms: f64,
    faults: Vec<Fault>,
    /// By kind of fault and whom it hit.
    recovery: BTreeMap<String, Recovered>,
    /// Kinds of faults that could not be, with why.
    skipped: BTreeMap<&'static str, &'static str>,
    /// Processes that ended by themselves.
    died: Vec<String>,
    /// Drains amid other faults that left work for others.
    left_behind: usize,
    findings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Fault {
    kind: Kind,
    target: String,
    /// Since the first message.
    at_s: f64,
    lasted_s: f64,
    /// Absent = passwords never flowed as before.
    recovered_s: Option<f64>,
    /// Until carriers had all that was due when a connector was lost; absent = none was, or another fault was under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_over_s: Option<f64>,
    /// Orders whose answer it took.
    unanswered: usize,
    /// Orders that were handed back unsent.
    unsent: usize,
    /// Messages that carriers had again for it: their answer was lost, and passwords may go twice then.
    doubled: usize,
}

/// Times to recover from a kind of fault, in seconds.
#[derive(Debug, Serialize)]
struct Recovered {
    count: usize,
    never: usize,
    p50_s: f64,
    p99_s: f64,
}

/// What the report is made of.
pub(super) struct Parts<'a> {
    pub(super) args: &'a Args,
    pub(super) start: UnixUs,
    pub(super) struck: &'a [Struck],
    pub(super) died: &'a [Died],
    pub(super) left_behind: usize,
    pub(super) troubles: Troubles,
    pub(super) submitted_again: usize,
    pub(super) skipped: BTreeMap<&'static str, &'static str>,
    pub(super) recovery: &'a Recovery,
    /// For each fault that lost a connector, see [`super::takeover`].
    pub(super) taken_over: &'a [Option<Duration>],
    pub(super) verdict: Verdict,
    /// What is wrong beside the messages.
    pub(super) findings: Vec<String>,
}

impl Report {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts {
            args,
            verdict,
            recovery,
            ..
        } = parts;
        let mut doubled = BTreeMap::new();
        for message in &verdict.doubled {
            *doubled.entry(message.class).or_default() += 1;
        }
        let faults: Vec<_> = (0..parts.struck.len())
            .zip(parts.taken_over)
            .map(|(number, taken_over)| Fault {
                taken_over_s: taken_over.map(|took| took.as_secs_f64()),
                ..Fault::new(number, parts.start, parts.struck, recovery, &verdict)
            })
            .collect();
        let since = |at: UnixUs| at.0.saturating_sub(parts.start.0) as f64 / 1e6;
        let died = parts.died.iter();
        let died = died.map(|died| format!("{:.1} s: {} ended by itself, {}", since(died.at), died.name, died.how));
        Self {
            bus: args.bus,
            seed: args.seed,
            rate: args.rate,
            minutes: args.minutes,
            accepted: verdict.accepted,
            ended: verdict.ended,
            lost: verdict.accepted - verdict.ended,
            states: verdict.states,
            submitted_again: parts.submitted_again,
            troubles: parts.troubles,
            doubled,
            quiet: recovery.quiet,
            stormy: recovery.stormy,
            late_ms: recovery.late_us as f64 / 1_000.0,
            recovery: recovered(&faults),
            faults,
            skipped: parts.skipped,
            died: died.collect(),
            left_behind: parts.left_behind,
            findings: [parts.findings, verdict.findings].concat(),
        }
    }

    /// Whether everything is as was promised.
    pub(super) fn is_good(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Fault {
    fn new(number: usize, start: UnixUs, struck: &[Struck], recovery: &Recovery, verdict: &Verdict) -> Self {
        let fault = &struck[number];
        let since = |at: UnixUs, from: UnixUs| at.0.saturating_sub(from.0) as f64 / 1e6;
        let blamed = |counts: &BTreeMap<Option<usize>, usize>| counts.get(&Some(number)).copied().unwrap_or(0);
        Self {
            kind: fault.kind,
            target: fault.target.clone(),
            at_s: since(fault.at, start),
            lasted_s: fault.ended_at.map_or(0.0, |ended| since(ended, fault.at)),
            recovered_s: recovery.after(struck, number).map(|time| time.as_secs_f64()),
            taken_over_s: None,
            unanswered: blamed(&verdict.unanswered),
            unsent: blamed(&verdict.unsent),
            doubled: verdict
                .doubled
                .iter()
                .filter(|message| message.fault == Some(number))
                .count(),
        }
    }
}

fn recovered(faults: &[Fault]) -> BTreeMap<String, Recovered> {
    let mut times: BTreeMap<String, Vec<Option<f64>>> = BTreeMap::new();
    for fault in faults {
        let role = fault.target.trim_end_matches(|c: char| c == '-' || c.is_ascii_digit());
        let kind = match fault.kind.prey() {
            Prey::Process | Prey::Connector => format!("{} {role}", fault.kind.word()),
            _ => fault.kind.word().to_owned(),
        };
        for kind in [kind, "all".to_owned()] {
            times.entry(kind).or_default().push(fault.recovered_s);
        }
    }
    let summed = |times: Vec<Option<f64>>| {
        let mut known: Vec<_> = times.iter().flatten().copied().collect();
        known.sort_by(f64::total_cmp);
        // The nearest rank: with few faults the p99 is the longest.
        let at = |percent: usize| {
            let rank = (known.len() * percent).div_ceil(100).max(1);
            known.get(rank - 1).copied().unwrap_or(0.0)
        };
        Recovered {
            count: times.len(),
            never: times.len() - known.len(),
            p50_s: at(50),
            p99_s: at(99),
        }
    };
    times.into_iter().map(|(kind, times)| (kind, summed(times))).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:>8}  {:<15} {:<14} {:>7} {:>10} {:>11} {:>7} {:>8}",
            "at", "fault", "target", "lasted", "recovered", "unanswered", "unsent", "doubled"
        )?;
        for fault in &self.faults {
            let recovered = fault
                .recovered_s
                .map_or("never".to_owned(), |time| format!("{time:.2} s"));
            writeln!(
                f,
                "{:>6.1} s  {:<15} {:<14} {:>5.1} s {:>10} {:>11} {:>7} {:>8}",
                fault.at_s,
                fault.kind.word(),
                fault.target,
                fault.lasted_s,
                recovered,
                fault.unanswered,
                fault.unsent,
                fault.doubled
            )?;
            if let Some(took) = fault.taken_over_s {
                writeln!(f, "{:>12}all that was due then was with carriers after {took:.2} s", "")?;
            }
        }
        writeln!(
            f,
            "\n{:<18} {:>6} {:>6} {:>8} {:>8}",
            "recovery from", "times", "never", "p50", "p99"
        )?;
        for (kind, times) in &self.recovery {
            writeln!(
                f,
                "{kind:<18} {:>6} {:>6} {:>6.2} s {:>6.2} s",
                times.count, times.never, times.p50_s, times.p99_s
            )?;
        }
        for (kind, why) in &self.skipped {
            writeln!(f, "skipped: {kind}: {why}")?;
        }
        for died in &self.died {
            writeln!(f, "{died}")?;
        }
        if self.left_behind > 0 {
            writeln!(
                f,
                "drains amid other faults that left work for others: {}",
                self.left_behind
            )?;
        }
        self.write_books(f)
    }
}

impl Report {
    fn write_books(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<String, usize>| {
            let each = counts.iter().map(|(what, count)| format!("{what} {count}"));
            each.collect::<Vec<_>>().join(", ")
        };
        let told = |latency: &Latency| {
            format!(
                "p50 {:.0} ms, p99 {:.0} ms, slowest {:.0} ms ({} passwords, {} more at no carrier)",
                latency.p50_ms, latency.p99_ms, latency.max_ms, latency.count, latency.never
            )
        };
        writeln!(
            f,
            "\npasswords, due to carrier, before the first fault: {}",
            told(&self.quiet)
        )?;
        writeln!(
            f,
            "passwords, due to carrier, from the first fault on: {}",
            told(&self.stormy)
        )?;
        writeln!(f, "late is a password after {:.0} ms", self.late_ms)?;
        writeln!(
            f,
            "accepted {}, ended {}: {}; lost {}",
            self.accepted,
            self.ended,
            list(&self.states),
            self.lost
        )?;
        let doubled: usize = self.doubled.values().sum();
        writeln!(
            f,
            "submitted again by the customer {}; had by carriers more than once {doubled}",
            self.submitted_again
        )?;
        for (what, count) in &self.troubles {
            writeln!(f, "the customer met: {what}: {count}")?;
        }
        if self.findings.is_empty() {
            writeln!(f, "The books are in order.")?;
        } else {
            writeln!(f, "The books are NOT in order:")?;
        }
        self.findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}

/// So long as people write it.
pub(super) fn seconds(minutes: f64) -> Duration {
    Duration::from_secs_f64(minutes * 60.0)
}
