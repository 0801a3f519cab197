//! What the relay found, for people and as JSON.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::spread::Spread;

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// From the first frame to the last event.
    pub seconds: f64,
    /// Messages a second over all of it.
    pub per_second: f64,
    /// Microseconds of one core for each message, by process.
    pub processor_us: BTreeMap<String, f64>,
}

/// What moving messages costs at the least.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    /// What carried them.
    pub over: String,
    /// Messages of each round.
    pub messages: u64,
    /// Records of a message.
    pub records: u64,
    /// Octets of these, on the mean.
    pub octets: f64,
    /// Messages a second, in a closed loop.
    pub per_second: Spread,
    /// Microseconds of one core for each message, by process.
    pub processor_us: BTreeMap<String, Spread>,
    /// Those of all processes.
    pub processor_us_all: Spread,
}

impl Floor {
    /// What `rounds` found; `None` = there are none.
    pub(super) fn new(over: &str, messages: u64, (records, octets): (u64, f64), rounds: Vec<Round>) -> Option<Self> {
        let each = rounds.iter().map(|round| &round.processor_us);
        Some(Self {
            over: over.to_owned(),
            messages,
            records,
            octets,
            per_second: Spread::of(rounds.iter().map(|round| round.per_second))?,
            processor_us_all: Spread::of(each.clone().map(|costs| costs.values().sum()))?,
            processor_us: Spread::by_name(each),
        })
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            over,
            messages,
            records,
            octets,
            per_second,
            ..
        } = self;
        writeln!(
            f,
            "{messages} messages of {records} records, {octets:.0} octets, and 4 operations of the store in 3 calls, over {over};\n\
             a closed loop, medians of {} rounds",
            per_second.runs
        )?;
        writeln!(f, "  {:<12} {per_second} messages/s", "throughput")?;
        for (name, cost) in &self.processor_us {
            writeln!(f, "  {name:<12} {cost:.1} µs of a core for each message")?;
        }
        writeln!(f, "  {:<12} {:.1} µs", "all", self.processor_us_all)
    }
}
