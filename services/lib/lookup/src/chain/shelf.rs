//! What all processes know together, in the shared store.
//!
//! A number's key is a keyed hash of it, since the few digits of a number are guessed from any other. The store spares queries and
//! nothing hangs on it: where it is away, slow, lost or damaged, it has no answers.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use service::time::{self, Instant};
use signalbox_proto::{
    keys,
    record::{HandsetReach, LookedUp},
};
use sms::Msisdn;
use source::Secret;
use store::{Key, OPS_MAX, Op, StoreError, Versioned};

use super::{
    Inner,
    breaker::{Breaker, Pass},
    entry::{Age, By, Entry, Seconds},
};
use crate::{BreakerConfig, Reach, metrics};

/// What the key of all keys is derived for: no other use of the secret comes to the same.
const CONTEXT: &str = "signalbox lookup: keys of numbers in the shared store";

/// When a store that fails is left alone: look-ups would wait for it in vain.
const BREAKER: BreakerConfig = BreakerConfig {
    failures: 3,
    pause: Duration::from_secs(1),
    pause_max: Duration::from_secs(5),
};

/// Makes keys, and remembers how the store fares.
pub(super) struct Shelf {
    key: [u8; 32],
    breaker: Mutex<Breaker>,
}

impl Shelf {
    pub(super) fn new(secret: &Secret) -> Self {
        Self {
            key: blake3::derive_key(CONTEXT, secret.reveal().as_bytes()),
            breaker: Mutex::new(Breaker::new(BREAKER)),
        }
    }

    fn key(&self, number: &Msisdn) -> Key {
        let hash = blake3::keyed_hash(&self.key, number.digits().as_bytes());
        let (first, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 octets");
        keys::looked_up(*first)
    }

    /// The output of `call`, unless that fails, takes longer than `timeout`, or the store is left alone.
    async fn call<T>(
        &self,
        doing: &'static str,
        timeout: Duration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Option<T> {
        let breaker = || self.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        let pass = breaker().pass(time::now());
        if pass == Pass::Closed {
            return None;
        }
        let guard = Unheard { shelf: self, pass };
        let done = time::timeout(timeout, call).await;
        drop(guard);
        match done {
            Some(Ok(done)) => {
                breaker().well(pass);
                Some(done)
            }
            _ => {
                metrics::store_failed(doing);
                breaker().failed(pass, time::now());
                None
            }
        }
    }
}

/// A call under way: one that is dropped lets another find out how the store fares.
struct Unheard<'a> {
    shelf: &'a Shelf,
    pass: Pass,
}

impl Drop for Unheard<'_> {
    fn drop(&mut self) {
        let mut breaker = self.shelf.breaker.lock().unwrap_or_else(PoisonError::into_inner);
        breaker.unprobed(self.pass);
    }
}

impl Inner {
    /// What the store knows of each of `numbers`, in one call.
    pub(super) async fn load(&self, numbers: &[&Msisdn], until: Instant) -> Vec<Option<(Entry, Age)>> {
        let Some(shelf) = &self.shelf else {
            return vec![None; numbers.len()];
        };
        let mut found = Vec::with_capacity(numbers.len());
        for numbers in numbers.chunks(OPS_MAX) {
            let keys = numbers.iter().map(|number| shelf.key(number)).collect();
            let left = until.saturating_duration_since(time::now());
            let timeout = left.min(self.config.store_timeout);
            match shelf.call("read", timeout, self.deps.store.get(keys)).await {
                Some(values) => found.extend(values.into_iter().map(|value| self.read(value))),
                None => found.resize(found.len() + numbers.len(), None),
            }
        }
        found
    }

    /// Writes what was found.
    pub(super) async fn store(&self, found: Vec<(Msisdn, Entry)>) {
        let Some(shelf) = &self.shelf else { return };
        for found in found.chunks(OPS_MAX) {
            let put = |(number, entry): &(Msisdn, Entry)| Op::Put {
                key: shelf.key(number),
                value: self.written(entry),
                expires_at_ms: entry.gone_at().ms().0,
            };
            self.apply(shelf, "write", found.iter().map(put).collect()).await;
        }
    }

    /// Removes what is known of `number`.
    pub(super) async fn remove(&self, number: &Msisdn) {
        if let Some(shelf) = &self.shelf {
            let key = shelf.key(number);
            self.apply(shelf, "remove", vec![Op::Remove { key }]).await;
        }
    }

    /// Nobody waits for the commit: an answer that is lost is asked for again.
    async fn apply(&self, shelf: &Shelf, doing: &'static str, ops: Vec<Op>) {
        let timeout = self.config.store_timeout;
        _ = shelf.call(doing, timeout, self.deps.store.apply(ops)).await;
    }

    fn written(&self, entry: &Entry) -> Bytes {
        let by = usize::from(entry.by.0)
            .checked_sub(1)
            .and_then(|at| self.askers.get(at));
        let record = LookedUp {
            network: entry.network.map_or_else(String::new, |network| network.to_string()),
            ported: entry.ported,
            reach: match entry.reach {
                Reach::Unknown => HandsetReach::Unknown,
                Reach::Connected => HandsetReach::Connected,
                Reach::Absent => HandsetReach::Absent,
                Reach::Dead => HandsetReach::Dead,
            },
            roaming: entry.roaming,
            provider: by.map_or_else(String::new, |asker| asker.terms().name.clone()),
            asked_at: entry.asked_at.0,
            expires_at: entry.expires_at.0,
            reach_until: entry.reach_until.0,
        };
        record.to_bytes()
    }

    /// What a value says; one that cannot be read is as good as none, and is written over by the next answer.
    fn read(&self, value: Option<Versioned>) -> Option<(Entry, Age)> {
        let read = LookedUp::from_bytes(&value?.value)
            .ok()
            .and_then(|record| self.entry_of(&record));
        let Some(entry) = read else {
            metrics::store_failed("decode");
            return None;
        };
        let age = entry.age(self.now());
        (age != Age::Gone).then_some((entry, age))
    }

    /// `None` = the network is none.
    fn entry_of(&self, record: &LookedUp) -> Option<Entry> {
        let network = match &*record.network {
            "" => None,
            text => Some(text.parse().ok()?),
        };
        let named = |asker: &super::asker::Asker| asker.terms().name == record.provider;
        let by = self.askers.iter().position(named).map_or(0, |at| at + 1);
        Some(Entry {
            network,
            ported: record.ported,
            reach: match record.reach {
                HandsetReach::Unknown => Reach::Unknown,
                HandsetReach::Connected => Reach::Connected,
                HandsetReach::Absent => Reach::Absent,
                HandsetReach::Dead => Reach::Dead,
            },
            roaming: record.roaming,
            by: By(u8::try_from(by).expect("providers are counted")),
            asked_at: Seconds(record.asked_at),
            expires_at: Seconds(record.expires_at),
            reach_until: Seconds(record.reach_until),
        })
    }
}
