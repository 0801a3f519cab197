//! When carriers wrote messages down, by their own logs.

use std::collections::BTreeMap;

use sms::{CarrierName, UnixMs, UnixUs};

use crate::smsc::Received;

/// Every message that was taken, by carrier and recipient.
#[derive(Debug, Default)]
pub struct Arrivals(BTreeMap<CarrierName, BTreeMap<String, Vec<UnixUs>>>);

impl Arrivals {
    /// Takes what `carrier` received, if it took it.
    pub fn note(&mut self, carrier: &CarrierName, received: &Received) {
        if !received.was_taken() {
            return;
        }
        // A carrier is named once, not for every message.
        if !self.0.contains_key(carrier) {
            self.0.insert(carrier.clone(), BTreeMap::new());
        }
        let at = self
            .0
            .get_mut(carrier)
            .map(|by_recipient| by_recipient.entry(received.destination.clone()));
        if let Some(at) = at {
            at.or_default().push(received.at);
        }
    }

    /// When `carrier` first took something for `to` in the millisecond `since` or later; `None` = never.
    pub fn first(&self, carrier: &CarrierName, to: &str, since: UnixMs) -> Option<UnixUs> {
        let all = self.0.get(carrier)?.get(to)?;
        all.iter().filter(|at| at.millis() >= since).min().copied()
    }
}
