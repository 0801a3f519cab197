//! A counted limit that is shared, and outlives the configuration it came from.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

/// Counts what is in use. Clones share one count.
#[derive(Clone, Debug, Default)]
pub struct Limit(Arc<AtomicU32>);

/// What was granted; given back on drop.
#[derive(Debug)]
pub struct Permits {
    count: Arc<AtomicU32>,
    granted: u32,
}

impl Limit {
    /// Takes up to `wanted`, so many that no more than `most` are in use. What is in use beyond a lowered `most` stays
    /// until it is given back.
    pub fn take(&self, wanted: u32, most: u32) -> Permits {
        let mut granted = 0;
        // The closure may run several times under contention; its last run is the one that counts.
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
            granted = wanted.min(most.saturating_sub(used));
            Some(used + granted)
        });
        Permits {
            count: Arc::clone(&self.0),
            granted,
        }
    }

    /// How many are in use.
    pub fn used(&self) -> u32 {
        self.0.load(Ordering::Acquire)
    }
}

impl Permits {
    /// How many were granted.
    pub fn granted(&self) -> u32 {
        self.granted
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        self.count.fetch_sub(self.granted, Ordering::AcqRel);
    }
}
