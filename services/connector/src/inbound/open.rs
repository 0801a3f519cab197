//! How much of long messages whose parts are awaited this process put into the store, by carrier. A carrier that announces
//! parts that never come takes no more room than this: its oldest message is then published as it is.

use std::collections::BTreeMap;

use sms::{CarrierName, Gathering, UnixMs};
use store::Key;

/// Octets of the parts of one carrier's messages that wait for others, however many those are.
pub(super) const OPEN_OCTETS_MAX: usize = 16 * 1024 * 1024;

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Open(BTreeMap<CarrierName, OfCarrier>);

#[derive(Debug, Default)]
struct OfCarrier {
    /// Octets of each message, oldest first.
    messages: BTreeMap<(UnixMs, Key), usize>,
    octets: usize,
}

impl Open {
    /// Notes what is there of a message by now; the keys of those that are to make room for it where more than `waiting_max` wait.
    pub(super) fn enter(&mut self, gathering: &Gathering, key: &Key, waiting_max: usize) -> Vec<Key> {
        let of = self.0.entry(gathering.carriers.first().clone()).or_default();
        // What others completed is known to be over by its time alone.
        let over = |at: UnixMs| at + gathering.rules.within < gathering.began_at;
        while of.messages.first_key_value().is_some_and(|((at, _), _)| over(*at)) {
            of.pop();
        }
        let octets = gathering.octets();
        let before = of.messages.insert((gathering.began_at, key.clone()), octets);
        of.octets = of.octets + octets - before.unwrap_or_default();
        let mut evicted = Vec::new();
        while of.messages.len() > waiting_max || of.octets > OPEN_OCTETS_MAX {
            evicted.extend(of.pop());
        }
        evicted
    }

    /// Forgets a message that is published.
    pub(super) fn leave(&mut self, gathering: &Gathering, key: &Key) {
        let Some(of) = self.0.get_mut(gathering.carriers.first()) else {
            return;
        };
        if let Some(octets) = of.messages.remove(&(gathering.began_at, key.clone())) {
            of.octets -= octets;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.values().map(|of| of.messages.len()).sum()
    }
}

impl OfCarrier {
    /// Forgets the oldest.
    fn pop(&mut self) -> Option<Key> {
        let ((_, key), octets) = self.messages.pop_first()?;
        self.octets -= octets;
        Some(key)
    }
}
