//! What a message costs, as it is committed in `measured.toml`: the one place of these figures.

use std::collections::BTreeMap;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The committed figures.
const MEASURED: &str = include_str!("measured.toml");

/// What a message costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// How and on what this was measured.
    pub taken: Taken,
    /// Microseconds of one core for a message with a receipt, by role, and of Redis.
    pub processor_us: BTreeMap<String, Work>,
    /// Octets of the log on the disk of one broker, compressed, by kind of topic.
    pub log: BTreeMap<String, Cost>,
    /// Octets of the store's memory.
    pub store: StoreCosts,
    /// Octets before compression, as the simulation counts them: where these change, all of this is to be measured again.
    pub encoded: BTreeMap<String, f64>,
}

/// How and on what costs were measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taken {
    /// What was run.
    pub command: String,
    /// The processor, and how many of its cores there were.
    pub machine: String,
    /// Version of Apache Kafka, and what its records were compressed with.
    pub kafka: String,
    /// Version of Redis.
    pub redis: String,
}

/// Microseconds of one core for each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// Of one segment.
    pub first: f64,
    /// Of each further segment.
    pub further: f64,
}

/// Octets for each message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Of one segment, with a receipt.
    pub first: f64,
    /// Of each further segment.
    pub further: f64,
    /// Of one segment, without a receipt.
    pub silent: f64,
    /// More with an idempotency key.
    pub key: f64,
}

/// Octets of the store's memory for each message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreCosts {
    /// While it waits for its receipt.
    pub waiting: Cost,
    /// From its end until it is forgotten.
    pub kept: Cost,
}

/// What messages are like on the mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// Segments of a message, 1 and above.
    pub segments: f64,
    /// Share of messages with a receipt, 0 to 1.
    pub receipts: f64,
    /// Share of messages with an idempotency key, 0 to 1.
    pub keys: f64,
}

impl Costs {
    /// The committed figures.
    ///
    /// # Errors
    /// The file in the repository was edited and no longer holds together.
    pub fn committed() -> anyhow::Result<Self> {
        toml::from_str(MEASURED).context("measured.toml")
    }
}

impl Work {
    /// Microseconds of a message of `mix` on the mean. One without a receipt counts as one with it, which is a little too much.
    pub fn of(&self, mix: &Mix) -> f64 {
        self.first + (mix.segments - 1.0) * self.further
    }
}

impl Cost {
    /// Octets of a message of `mix` on the mean. A further segment counts as one with a receipt wherever there is anything
    /// without one, which is a little too much.
    pub fn of(&self, mix: &Mix) -> f64 {
        let silent = 1.0 - mix.receipts;
        let longer = if self.silent > 0.0 { 1.0 } else { mix.receipts };
        mix.receipts * self.first
            + silent * self.silent
            + longer * (mix.segments - 1.0) * self.further
            + mix.keys * self.key
    }
}
