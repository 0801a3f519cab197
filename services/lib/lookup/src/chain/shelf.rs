//! What all processes know together: the shared store.

use service::time::Instant;
use sms::Msisdn;

use super::{
    Inner,
    entry::{Age, Entry},
};

impl Inner {
    /// What the store knows of each of `numbers`.
    pub(super) async fn load(&self, numbers: &[&Msisdn], _until: Instant) -> Vec<Option<(Entry, Age)>> {
        vec![None; numbers.len()]
    }

    /// Writes what was found.
    pub(super) async fn store(&self, _found: Vec<(Msisdn, Entry)>) {}

    /// Removes what is known of `number`.
    pub(super) async fn remove(&self, _number: &Msisdn) {}
}
