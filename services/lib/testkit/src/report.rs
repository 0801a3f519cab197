//! What a run came to, for people.

use std::{collections::BTreeMap, fmt, time::Duration};

use sms::MessageId;

use crate::Step;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule, such as `O1`.
    pub rule: &'static str,
    /// The message it speaks of; absent = none in particular.
    pub message: Option<MessageId>,
    /// What broke it.
    pub what: String,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// Hash of everything that stood on the log and that carriers were handed, with times. Equal runs have equal hashes.
    pub hash: u64,
    /// How long it took by its own clock.
    pub simulated: Duration,
    /// What it consisted of, by name.
    pub counts: BTreeMap<String, usize>,
    /// Every promise that was broken; empty = none.
    pub findings: Vec<Finding>,
    /// Faults and what else happened to processes, in order.
    pub diary: Vec<String>,
    /// Every call of every process, where the scenario tells them, and what carriers were handed.
    pub steps: Vec<Step>,
    /// The lives of the first messages with findings: line by line, in order of time.
    pub lives: Vec<String>,
}

impl Finding {
    /// `rule` was broken by `what`.
    pub(crate) fn new(rule: &'static str, what: impl Into<String>) -> Self {
        Self {
            rule,
            message: None,
            what: what.into(),
        }
    }

    /// `rule` was broken for `message` by `what`.
    pub(crate) fn of(rule: &'static str, message: MessageId, what: impl Into<String>) -> Self {
        Self {
            message: Some(message),
            ..Self::new(rule, what)
        }
    }
}

impl Report {
    /// How many there were of `name`.
    pub fn count(&self, name: &str) -> usize {
        self.counts.get(name).copied().unwrap_or(0)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message {
            Some(message) => write!(f, "{}: {message}: {}", self.rule, self.what),
            None => write!(f, "{}: {}", self.rule, self.what),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts: Vec<_> = self
            .counts
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        writeln!(f, "seed {}: {}", self.seed, counts.join(", "))?;
        if self.findings.is_empty() {
            return Ok(());
        }
        self.diary.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        self.lives.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        self.findings
            .iter()
            .try_for_each(|finding| writeln!(f, "  {finding}"))?;
        writeln!(
            f,
            "  replay: SIM_SEED={} cargo test -p testkit --test simulation",
            self.seed
        )
    }
}
