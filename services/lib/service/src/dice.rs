//! The one source of randomness.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{RngCore, SeedableRng, rngs::SmallRng};
use sms::{MessageId, UnixUs};

/// Random numbers, replayable from a seed. Cheap to clone; clones draw from one sequence.
#[derive(Clone, Debug)]
pub struct Dice(Arc<Mutex<SmallRng>>);

impl Dice {
    /// Seeded by the operating system.
    pub fn from_system() -> Self {
        Self(Arc::new(Mutex::new(SmallRng::from_os_rng())))
    }

    /// Seeded by `seed`: equal seeds give equal sequences.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(SmallRng::seed_from_u64(seed))))
    }

    /// The next 64 random bits.
    pub fn next_u64(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).next_u64()
    }

    /// A number from 0 to `bound` − 1; 0 if `bound` is 0.
    pub fn below(&self, bound: u64) -> u64 {
        // Multiply-shift keeps the bias under bound / 2^64.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in [0, 1).
    pub fn fraction(&self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// An independent sequence, itself replayable from this one's seed.
    pub fn fork(&self) -> Self {
        Self::seeded(self.next_u64())
    }

    /// A new message id whose time part is `at`.
    pub fn message_id(&self, at: impl Into<UnixUs>) -> MessageId {
        let mut random = [0_u8; 10];
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fill_bytes(&mut random);
        MessageId::precisely(at.into(), random)
    }
}
