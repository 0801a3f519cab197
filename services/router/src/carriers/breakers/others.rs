//! Whom other routers eject, as they say every second.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use journey::Ejections;
use sms::{CarrierName, UnixMs};
use table::Network;

use super::EJECTED_MAX;

/// A router that said nothing for so long says nothing: it died, or the log is away and everybody judges alone.
const FRESH: Duration = Duration::from_secs(3);
/// Routers whose words are kept at once.
const ROUTERS_MAX: usize = 256;

/// The last word of each router.
#[derive(Debug, Default)]
pub(super) struct Others(BTreeMap<String, Word>);

#[derive(Debug)]
struct Word {
    /// Absent network = all.
    ejected: BTreeSet<(CarrierName, Option<Network>)>,
    fresh_until: UnixMs,
}

impl Others {
    /// Takes a word, heard at `now` and said at `at` by our clock.
    pub(super) fn hear(&mut self, said: Ejections, at: UnixMs, now: UnixMs) {
        self.0.retain(|_, word| now < word.fresh_until);
        let is_known = self.0.contains_key(&said.router);
        if said.ejected.is_empty() || (!is_known && self.0.len() >= ROUTERS_MAX) {
            self.0.remove(&said.router);
            return;
        }
        let ejected = said.ejected.into_iter().take(EJECTED_MAX);
        let targets = ejected.filter_map(|one| match one.network.as_str() {
            "" => Some((one.carrier, None)),
            network => Some((one.carrier, Some(network.parse().ok()?))),
        });
        let word = Word {
            ejected: targets.collect(),
            fresh_until: at + FRESH,
        };
        self.0.insert(said.router, word);
    }

    /// Whom any of them ejects.
    pub(super) fn ejected(&self, now: UnixMs) -> impl Iterator<Item = &(CarrierName, Option<Network>)> {
        let fresh = self.0.values().filter(move |word| now < word.fresh_until);
        fresh.flat_map(|word| &word.ejected)
    }
}
