//! Numbers drawn from a seed, the same on every machine and with every version of the dependencies.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// A sequence of numbers that its seed fixes.
#[derive(Clone, Debug)]
pub struct Draws {
    seed: u64,
    drawn: u64,
}

impl Draws {
    /// The sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.drawn += 1;
        keyed(self.seed, &[&self.drawn.to_le_bytes()])
    }

    /// A number from 0 to `bound` − 1; 0 if `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        scaled(self.next_u64(), bound)
    }

    /// One of `choices`.
    ///
    /// # Panics
    /// If there is none.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// The hash of `parts` under `seed`. Parts are told apart: `["ab", "c"]` and `["a", "bc"]` differ.
pub(crate) fn keyed(seed: u64, parts: &[&[u8]]) -> u64 {
    let mut hasher = SipHasher13::new_with_keys(seed, 0x5167_6e61_6c62_6f78);
    for part in parts {
        hasher.write(part);
        hasher.write(&(part.len() as u64).to_le_bytes());
    }
    hasher.finish()
}

/// `hash` brought to 0 … `bound` − 1, without the division that favours low numbers.
pub(crate) fn scaled(hash: u64, bound: u64) -> u64 {
    ((u128::from(hash) * u128::from(bound)) >> 64) as u64
}
