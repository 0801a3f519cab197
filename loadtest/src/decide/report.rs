//! What a run found, for people and as JSON.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{
    asks::Mix,
    compiled::Compiled,
    growth::Growth,
    measure::{Allocations, Latency},
    oracle::Answers,
    swap::Swapping,
    targets::Target,
};

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Rate rows of all carriers.
    pub(crate) rows: usize,
    pub(crate) carriers: usize,
    pub(crate) policies: usize,
    /// Different messages.
    pub(crate) queries: usize,
    /// Rounds that each median is over.
    pub(crate) rounds: usize,
    /// Programs that ran or waited for a core at the beginning, over a minute; absent = not known.
    pub(crate) load_average: Option<f64>,
    pub(crate) compiled: Compiled,
    pub(crate) deciding: Deciding,
    pub(crate) reference: Referred,
    /// With `--growth`.
    pub(crate) growth: Option<Growth>,
    /// With `--swap`.
    pub(crate) swapping: Option<Swapping>,
    pub(crate) mix: Mix,
    pub(crate) answers: Answers,
    pub(crate) targets: Vec<Target>,
}

/// How fast a table decides, on one core.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Deciding {
    /// Time of a core, over all messages and without a clock between them.
    pub(crate) ns_per_decision: f64,
    /// On a core of its own.
    pub(crate) decisions_per_second: f64,
    /// Share of a core that it was given meanwhile: below 1, other programs ran there.
    pub(crate) core_share: f64,
    /// Of single decisions.
    pub(crate) latency: Latency,
    /// The same of one round, by what ended the walk: the kind of policy, or `defaults`.
    pub(crate) by_end: BTreeMap<String, Latency>,
    /// What reading the clock adds to a single time; taken off above.
    pub(crate) clock_ns: u64,
    pub(crate) allocations: Allocations,
}

/// How fast the reference decides the same messages.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Referred {
    pub(crate) ns_per_decision: f64,
    pub(crate) decisions_per_second: f64,
    /// Its time ÷ the table's; median of the rounds' ratios.
    pub(crate) ratio: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_setting(f)?;
        self.write_work(f)?;
        self.write_table(f)?;
        if let Some(growth) = &self.growth {
            writeln!(f, "\ngrowth")?;
            for one in &growth.sizes {
                let (ns, compile) = (one.ns_per_decision, one.compile_seconds);
                writeln!(
                    f,
                    "  {:>9} rows   {ns:>6.0} ns   {}   compiled in {compile:.3} s",
                    one.rows, one.latency
                )?;
            }
            writeln!(f, "  largest ÷ smallest  {:.2}", growth.ratio)?;
        }
        if let Some(swapping) = &self.swapping {
            writeln!(f, "\nswapping, {} times", swapping.swaps)?;
            writeln!(f, "  quiet          {}", swapping.quiet)?;
            writeln!(f, "  while swapping {}", swapping.swapping)?;
            writeln!(f, "  p99.9 ratio    {:.2}", swapping.p999_ratio)?;
            for (version, decided) in &swapping.decided_by {
                writeln!(
                    f,
                    "  decided by {version}  {decided}, each as that version says at rest"
                )?;
            }
            writeln!(
                f,
                "  batches on another version than the one before  {}",
                swapping.versions_seen
            )?;
        }
        writeln!(f, "\ntargets")?;
        for one in &self.targets {
            let verdict = if one.is_met { "met   " } else { "MISSED" };
            let (what, target, found) = (one.what, one.target, one.found);
            writeln!(f, "  {verdict}  {what:<32} {target:<18} found {found:.2}")?;
        }
        Ok(())
    }
}

impl Report {
    fn write_setting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (queries, rounds) = (self.queries, self.rounds);
        writeln!(f, "{}", self.compiled.summary)?;
        write!(f, "{queries} messages, medians of {rounds} rounds")?;
        if let Some(load) = self.load_average {
            write!(f, ", load average {load:.1} at the beginning")?;
        }
        writeln!(f)
    }

    /// What the messages are, and what becomes of them.
    fn write_work(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mix, answers) = (&self.mix, &self.answers);
        writeln!(f, "\nmessages, %")?;
        writeln!(
            f,
            "  otp {:.1}, transactional {:.1}, promotional {:.1}; several segments {:.1}; UCS-2 {:.1}, binary {:.1}; \
             network told {:.1}; ported told {:.1}",
            mix.otp,
            mix.transactional,
            mix.promotional,
            mix.several_segments,
            mix.ucs2,
            mix.binary,
            mix.network_told,
            mix.ported_told
        )?;
        writeln!(
            f,
            "answers, %\n  route {:.1}, reject {:.1}, no_route {:.1}; {} equal to the reference's, {} of them explained alike",
            answers.route, answers.reject, answers.no_route, answers.compared, answers.explained
        )?;
        writeln!(
            f,
            "  {:.2} policies apply to a message; {:.1} carriers are ranked, {:.1} refused; {} policies end walks",
            answers.policies_applied, answers.carriers_ranked, answers.carriers_refused, answers.policies_ending
        )?;
        writeln!(f, "acts beside routing, %\n  {}", shares(&answers.acted, 2))?;
        writeln!(f, "policy that ended the walk, %\n  {}", shares(&answers.ended_by, 1))?;
        writeln!(
            f,
            "refusals of a message, by reason\n  {}",
            shares(&answers.refused_for, 3)
        )
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (compiled, deciding, reference) = (&self.compiled, &self.deciding, &self.reference);
        let mb = |bytes: usize| bytes as f64 / 1e6;
        writeln!(f, "\nrows            {}", self.rows)?;
        writeln!(
            f,
            "check, compile  {:.3} s, at best {:.3}, {:.3} of a core; {:.1} MB of files, {} warnings",
            compiled.seconds,
            compiled.seconds_min,
            compiled.core_seconds,
            mb(compiled.source_bytes),
            compiled.warnings
        )?;
        write!(f, "table           {:.1} MB", mb(compiled.table_bytes))?;
        match compiled.peak_bytes {
            Some(peak) => writeln!(f, ", at most {:.1} MB while compiling, files aside", mb(peak))?,
            None => writeln!(f)?,
        }
        let (rate, ns) = (deciding.decisions_per_second, deciding.ns_per_decision);
        let share = 100.0 * deciding.core_share;
        writeln!(
            f,
            "decisions       {rate:.0} a second on one core, {ns:.0} ns each; it was given {share:.0} % of a core"
        )?;
        writeln!(
            f,
            "latency         {}; {} ns for the clock taken off",
            deciding.latency, deciding.clock_ns
        )?;
        for (kind, times) in &deciding.by_end {
            writeln!(f, "  {kind:<20} {times}")?;
        }
        writeln!(f, "allocations     {} a decision", deciding.allocations.per_decision)?;
        let (rate, ns) = (reference.decisions_per_second, reference.ns_per_decision);
        writeln!(
            f,
            "reference       {rate:.0} a second, {ns:.0} ns each: {:.1} times the table's",
            reference.ratio
        )
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p99, p999, max) = (self.p50_ns, self.p99_ns, self.p999_ns, self.max_ns);
        write!(f, "p50 {p50:.0} p99 {p99:.0} p99.9 {p999:.0} max {max:.0} ns")
    }
}

/// Names with their figures, the largest first.
fn shares<K: fmt::Display>(figures: &BTreeMap<K, f64>, places: usize) -> String {
    let mut sorted: Vec<_> = figures.iter().collect();
    sorted.sort_by(|a, b| b.1.total_cmp(a.1));
    let written = sorted.iter().map(|(name, figure)| format!("{name} {figure:.places$}"));
    written.collect::<Vec<_>>().join(", ")
}
