//! When carriers wrote messages down, by their own logs.

use std::collections::BTreeMap;

use sms::{CarrierName, UnixMs};

use super::stage::Scene;

/// Every message that was taken, by carrier and recipient.
pub(super) struct Arrivals<'a>(BTreeMap<(&'a CarrierName, &'a str), Vec<UnixMs>>);

impl<'a> Arrivals<'a> {
    /// What the carriers of `scene` took.
    pub(super) fn of(scene: &'a Scene) -> Self {
        let mut arrivals: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (carrier, log) in &scene.logs {
            for received in log.iter().filter(|received| received.was_taken()) {
                let place = (carrier, received.destination.as_str());
                arrivals.entry(place).or_default().push(received.at.millis());
            }
        }
        Self(arrivals)
    }

    /// When `carrier` first took something for `to` at `since` or later; `None` = never.
    pub(super) fn first(&self, carrier: &CarrierName, to: &str, since: UnixMs) -> Option<UnixMs> {
        let all = self.0.get(&(carrier, to))?;
        all.iter().filter(|at| **at >= since).min().copied()
    }
}
