//! What was found, for people, for programs, and as it is committed.

use std::fmt;

use super::{Args, Cost, Costs, Work};

/// What the committed file begins with.
const PREFACE: &str = "\
# What one message costs: measured, not guessed. `signalbox capacity` computes from it. Octets and microseconds, each for one message.
#
# first = of one segment with a receipt, further = of each further segment, silent = of one segment without a receipt,
# key = more with an idempotency key. [log] is on the disk of one broker, compressed and without indexes; [store] is memory
# that Redis says it uses; [processor_us] is time of one core, user and kernel, beyond what a process takes without messages.
# [encoded] is counted in the simulation: where it changes by a fifth a test fails, and all of this is to be measured again.

";

/// Prints as `args` say.
///
/// # Errors
/// It cannot be written in that form.
pub(super) fn print(costs: &Costs, args: &Args) -> anyhow::Result<()> {
    if args.toml {
        print!("{PREFACE}{}", toml::to_string(costs)?);
        return Ok(());
    }
    crate::printed::print(costs, args.json)
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let taken = &self.taken;
        writeln!(f, "{}\nKafka {}, Redis {}", taken.machine, taken.kafka, taken.redis)?;
        writeln!(f, "\nprocessor, microseconds for each message")?;
        for (role, Work { first, further }) in &self.processor_us {
            writeln!(
                f,
                "  {role:<12} {first:>8.1}, and {further:.1} for each further segment"
            )?;
        }
        writeln!(
            f,
            "\noctets for each message  {:>8} {:>8} {:>8} {:>8}",
            "first", "further", "silent", "key"
        )?;
        let mut total = Cost::default();
        for (kind, cost) in &self.log {
            row(f, &format!("log, {kind}"), cost)?;
            total.first += cost.first;
            total.further += cost.further;
            total.silent += cost.silent;
            total.key += cost.key;
        }
        row(f, "log, one copy", &total)?;
        row(f, "store, waiting", &self.store.waiting)?;
        row(f, "store, kept", &self.store.kept)?;
        let encoded: f64 = self.encoded.values().sum();
        writeln!(f, "\nbefore compression, in the simulation: {encoded:.0} octets")
    }
}

fn row(f: &mut fmt::Formatter<'_>, what: &str, cost: &Cost) -> fmt::Result {
    let Cost {
        first,
        further,
        silent,
        key,
    } = cost;
    writeln!(f, "  {what:<22} {first:>8.1} {further:>8.1} {silent:>8.1} {key:>8.1}")
}
