//! What a delivered message costs: records on the bus, operations and calls of the store.

use std::{collections::BTreeMap, fmt};

use crate::tally::Counts;

/// Topics that a message does not pay for: words about carriers, said every second whatever travels, and notes of rebuilds.
const STANDING_TOPICS: [&str; 2] = ["carriers", "store"];
/// Keys that a message does not pay for: leases, renewed every second whatever travels, operators' orders to links, looked up as
/// often, and what a rebuild leaves.
const STANDING_KEYS: [&str; 4] = ["lease", "doubt", "link-order", "rate-order"];
/// Between the kinds of key that one call touches.
pub(crate) const BESIDE: &str = " + ";

/// What delivered messages cost, for each of them.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Budget {
    /// Messages delivered.
    pub messages: usize,
    /// Records by topic.
    pub records: BTreeMap<String, f64>,
    /// Store operations, reads included, by kind of key.
    pub operations: BTreeMap<String, f64>,
    /// Calls of the store by the kinds of key they touch.
    pub calls: BTreeMap<String, f64>,
    /// Octets of records by topic, and of keys and values written by kind of key.
    pub octets: BTreeMap<String, f64>,
}

impl Budget {
    /// `counts` shared out among `messages`, without what stands whatever travels.
    pub(crate) fn new(counts: &Counts, messages: usize) -> Self {
        let each = |counts: &BTreeMap<String, usize>, standing: &[&str]| {
            let moves = |name: &&String| name.split(BESIDE).any(|kind| !standing.contains(&kind));
            let names = counts.keys().filter(moves);
            names
                .map(|name| (name.clone(), counts[name] as f64 / messages as f64))
                .collect()
        };
        Self {
            messages,
            records: each(&counts.records, &STANDING_TOPICS),
            operations: each(&counts.operations, &STANDING_KEYS),
            calls: each(&counts.calls, &STANDING_KEYS),
            octets: each(&counts.octets, &[STANDING_TOPICS.as_slice(), &STANDING_KEYS].concat()),
        }
    }

    /// Records a message.
    pub fn records_each(&self) -> f64 {
        self.records.values().sum()
    }

    /// Store operations a message.
    pub fn operations_each(&self) -> f64 {
        self.operations.values().sum()
    }

    /// Octets a message, of records and of what is written to the store.
    pub fn octets_each(&self) -> f64 {
        self.octets.values().sum()
    }

    /// Calls of the store a message, where each travels alone.
    pub fn calls_each(&self) -> f64 {
        self.calls.values().sum()
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = |counts: &BTreeMap<String, f64>| {
            let parts: Vec<_> = counts.iter().map(|(name, each)| format!("{name} {each:.2}")).collect();
            parts.join(", ")
        };
        writeln!(f, "a delivered message of one segment, mean of {}:", self.messages)?;
        writeln!(
            f,
            "  records     {:.2}  ({})",
            self.records_each(),
            parts(&self.records)
        )?;
        writeln!(
            f,
            "  operations  {:.2}  ({})",
            self.operations_each(),
            parts(&self.operations)
        )?;
        writeln!(f, "  store calls {:.2}  ({})", self.calls_each(), parts(&self.calls))?;
        writeln!(f, "  octets      {:.0}  ({})", self.octets_each(), parts(&self.octets))
    }
}
