//! Which carriers were down a moment ago. A hint, kept in memory only: it spares messages a hop and decides nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sms::{CarrierName, Class, UnixMs};
use table::{Standing, Standings};

/// Carriers whose links were down lately.
#[derive(Debug, Default)]
pub(crate) struct Links(Mutex<BTreeMap<CarrierName, UnixMs>>);

/// Carriers that were down at one instant; for one batch.
#[derive(Debug, Default)]
pub(crate) struct Down(Vec<CarrierName>);

impl Links {
    /// Notes that an order came back from `carrier` because its link was gone.
    pub(crate) fn went_down(&self, carrier: &CarrierName, now: UnixMs, hint: Duration) {
        self.lock().insert(carrier.clone(), now + hint);
    }

    /// Notes that `carrier` took something.
    pub(crate) fn came_up(&self, carrier: &CarrierName) {
        self.lock().remove(carrier);
    }

    /// Who is thought to be down at `now`.
    pub(crate) fn down(&self, now: UnixMs) -> Down {
        let mut links = self.lock();
        links.retain(|_, until| *until > now);
        Down(links.keys().cloned().collect())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<CarrierName, UnixMs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Standings for Down {
    fn standing(&self, carrier: &CarrierName, _: Class) -> Standing {
        Standing {
            circuit_open: self.0.contains(carrier),
            ..Standing::UP
        }
    }
}
