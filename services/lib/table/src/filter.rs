//! Tells of most values that they are not in a set, by one read.

/// A set of hashes. Says of a hash that it is in it wherever it is, and of few others.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// A word for every four hashes or fewer, in which each of them set up to three bits; none for the empty set.
    words: Box<[u64]>,
}

/// Hashes for each word, at most. With 12 of 64 bits set, less than 1 % of all others pass.
const PER_WORD: usize = 4;

impl Filter {
    /// The set of `hashes`, whose lower 48 bits are well mixed.
    pub(crate) fn new(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let count = match hashes.len() {
            0 => 0,
            hashes => hashes.div_ceil(PER_WORD).next_power_of_two(),
        };
        let mut words = vec![0; count].into_boxed_slice();
        for hash in hashes {
            words[place(hash, count)] |= bits(hash);
        }
        Self { words }
    }

    /// Whether `hash` may be in the set.
    pub(crate) fn may_hold(&self, hash: u64) -> bool {
        let (count, bits) = (self.words.len(), bits(hash));
        count > 0 && self.words[place(hash, count)] & bits == bits
    }
}

/// The word of `hash` among `count`, a power of two.
fn place(hash: u64, count: usize) -> usize {
    (hash >> 18) as usize & (count - 1)
}

fn bits(hash: u64) -> u64 {
    let bit = |shift: u32| 1 << (hash >> shift & 63);
    bit(0) | bit(6) | bit(12)
}

#[cfg(test)]
mod tests;
