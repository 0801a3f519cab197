//! Which carriers a message was offered to before, in rounds: once all were tried, each may be tried again, but none a
//! third time before all had a second, and none twice within a moment.

use std::{collections::BTreeMap, time::Duration};

use journey::Attempt;
use sms::{CarrierName, UnixMs};

/// Shortest time between two orders of one message for one carrier, unless it asked for the second. No wait that ends in
/// trying again is shorter.
pub(crate) const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// How often each carrier was tried.
#[derive(Debug)]
pub(crate) struct Tried {
    times: BTreeMap<CarrierName, u32>,
    /// Asked a moment ago.
    recent: Vec<CarrierName>,
    round: u32,
}

impl Tried {
    /// The round that `attempts` are in. Holds do not count, unless they became a refusal.
    pub(crate) fn new(attempts: &[Attempt], now: UnixMs) -> Self {
        let mut times = BTreeMap::new();
        let mut recent = Vec::new();
        let mut round = 1;
        for attempt in attempts
            .iter()
            .filter(|attempt| attempt.spent || attempt.answer.outcome != "hold")
        {
            let count = times.entry(attempt.carrier.clone()).or_insert(0);
            *count += 1;
            round = *count;
            if now < attempt.issued_at + AGAIN_AFTER {
                recent.push(attempt.carrier.clone());
            }
        }
        Self { times, recent, round }
    }

    /// Carriers not to be asked in this round.
    pub(crate) fn carriers(&self) -> Vec<CarrierName> {
        let is_done = |(carrier, times): &(&CarrierName, &u32)| **times >= self.round || self.recent.contains(*carrier);
        self.times
            .iter()
            .filter(is_done)
            .map(|(carrier, _)| carrier.clone())
            .collect()
    }

    /// Goes on to the next round. False if everybody may be asked already.
    pub(crate) fn next_round(&mut self) -> bool {
        let last = self.times.values().max().copied().unwrap_or(0);
        self.round += 1;
        self.round <= last + 1
    }

    /// The round, from 1.
    pub(crate) fn round(&self) -> u32 {
        self.round
    }
}

#[cfg(test)]
mod tests;
