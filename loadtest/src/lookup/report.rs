//! What a run found, for people and as JSON, and which of the numbers to reach it did.

use std::fmt;

use serde::Serialize;

use super::{shared::Shared, steady::Steady, warm::Warm};
use crate::decide::targets::Target;

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Programs that ran or waited for a core at the beginning, over a minute; absent = not known.
    pub(crate) load_average: Option<f64>,
    pub(crate) warm: Warm,
    pub(crate) shared: Vec<Shared>,
    pub(crate) steady: Steady,
    pub(crate) targets: Vec<Target>,
}

/// Octets that may live more at the end: messages under way come and go.
const GROWTH_MAX: f64 = 1e6;

/// The targets of a run that sends `rate` messages a second, `hits` of a hundred to numbers in memory.
pub(crate) fn targets(warm: &Warm, shared: &[Shared], steady: &Steady) -> Vec<Target> {
    let target = |what, target, found, is_met| Target {
        what,
        target,
        found,
        is_met,
    };
    let mut targets = vec![
        target(
            "warm look-ups a second on one core",
            ">= 3000000",
            warm.hits.per_second,
            warm.hits.per_second >= 3e6,
        ),
        target(
            "octets allocated by a miss",
            "0",
            warm.miss_octets,
            warm.miss_octets == 0.0,
        ),
    ];
    for one in shared {
        let what = match one.store {
            "redis" => "hits a second in Redis",
            _ => "hits a second in the embedded store",
        };
        targets.push(target(what, ">= 100000", one.per_second, one.per_second >= 1e5));
    }
    targets.extend([
        target(
            "messages a second at a steady rate",
            ">= 9900",
            steady.per_second,
            steady.per_second >= 9_900.0,
        ),
        target(
            "messages to numbers in memory",
            ">= 89 %",
            steady.hits,
            steady.hits >= 89.0,
        ),
        target(
            "messages without an answer in 2 s",
            "0",
            steady.plan as f64,
            steady.plan == 0,
        ),
        target(
            "growth of live memory",
            "<= 1 MB",
            steady.growth_octets / 1e6,
            steady.growth_octets <= GROWTH_MAX,
        ),
    ]);
    targets
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warm = &self.warm;
        write!(
            f,
            "{} numbers in memory, {:.1} octets each",
            warm.numbers, warm.octets_per_number
        )?;
        if let Some(load) = self.load_average {
            write!(f, "; load average {load:.1} at the beginning")?;
        }
        writeln!(f)?;
        for (what, rate) in [
            ("in memory", &warm.hits),
            ("  clock read for each", &warm.hits_with_clock),
            ("not known", &warm.misses),
            ("on the list", &warm.listed),
        ] {
            writeln!(f, "  {what:<22} {rate}")?;
        }
        writeln!(
            f,
            "\nshared store, {} numbers a read",
            self.shared.first().map_or(0, |one| one.batch)
        )?;
        for one in &self.shared {
            writeln!(
                f,
                "  {:<22} {:>12.0} a second, {} numbers",
                one.store, one.per_second, one.numbers
            )?;
        }
        let steady = &self.steady;
        writeln!(
            f,
            "\nsteady, {} messages in {:.1} s: {:.0} a second, {:.1} % of them in memory",
            steady.messages, steady.seconds, steady.per_second, steady.hits
        )?;
        writeln!(
            f,
            "  others answered by provider {}, store {}, plan {}; wait p50 {:.0} p99 {:.0} ms",
            steady.provider, steady.store, steady.plan, steady.wait_ms_p50, steady.wait_ms_p99
        )?;
        let mb = |octets: Option<&usize>| octets.map_or(0.0, |octets| *octets as f64 / 1e6);
        writeln!(
            f,
            "  memory {:.2} MB after the first second, {:.2} MB after the last; most of the last third over the second {:+.2} MB",
            mb(steady.live.first()),
            mb(steady.live.last()),
            steady.growth_octets / 1e6
        )?;
        writeln!(f, "\ntargets")?;
        for one in &self.targets {
            let verdict = if one.is_met { "met   " } else { "MISSED" };
            let (what, target, found) = (one.what, one.target, one.found);
            writeln!(f, "  {verdict}  {what:<36} {target:<12} found {found:.2}")?;
        }
        Ok(())
    }
}
