//! Locks on keys: a fixed number of them, taken in order, so that calls never wait for each other in a circle.

use std::sync::{Mutex, MutexGuard};

use crate::Key;

/// Locks that all keys share. Few enough to take in one pass, many enough that calls on different keys rarely meet.
const LOCKS: usize = 64;

pub(super) struct Locks([Mutex<()>; LOCKS]);

impl Default for Locks {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }
}

impl Locks {
    /// Locks all `keys` until the guards are dropped.
    pub(super) fn lock<'a>(&self, keys: impl Iterator<Item = &'a Key>) -> Vec<MutexGuard<'_, ()>> {
        let wanted = keys.fold(0_u64, |wanted, key| wanted | 1 << (hash(&key.0) % LOCKS as u64));
        let indexes = (0..LOCKS).filter(|index| wanted & (1 << index) != 0);
        indexes
            .map(|index| self.0[index].lock().expect("no holder panics"))
            .collect()
    }
}

/// FNV-1a; the same in every run.
fn hash(octets: &[u8]) -> u64 {
    octets.iter().fold(0xcbf2_9ce4_8422_2325, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
    })
}

const _: () = assert!(LOCKS == u64::BITS as usize, "the locks wanted are the bits of one word");
