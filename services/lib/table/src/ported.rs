//! Numbers that moved to another network. Few did, so that most are seen not to be among them by one look at a filter.

use std::ops::Range;

use crate::{digits::Digits, network::Network};

/// The numbers and their networks.
#[derive(Debug)]
pub(crate) struct Ported {
    /// In order of the numbers.
    numbers: Box<[(Digits, Network)]>,
    /// By hash: a word for every four numbers or fewer, in which each of them set up to three bits.
    filter: Box<[u64]>,
}

/// Numbers for each word of the filter, at most. With 12 of 64 bits set, it lets less than 1 % of all others pass.
const PER_WORD: usize = 4;

impl Ported {
    /// `numbers` in order, each once.
    pub(crate) fn new(numbers: &[(Digits, Network)]) -> Self {
        let words = numbers.len().div_ceil(PER_WORD).next_power_of_two();
        let mut filter = vec![0; words].into_boxed_slice();
        for (number, _) in numbers {
            let (word, bits) = mark(*number, words);
            filter[word] |= bits;
        }
        Self {
            numbers: numbers.into(),
            filter,
        }
    }

    /// Where the numbers that begin with `prefix` stand among all.
    pub(crate) fn under(&self, prefix: Digits) -> (u32, u32) {
        let from = self.numbers.partition_point(|(number, _)| *number < prefix);
        let count = self.numbers[from..].partition_point(|(number, _)| number.starts_with(prefix));
        let index = |at| u32::try_from(at).expect("row limits keep counts below 2^32");
        (index(from), index(from + count))
    }

    /// The network that `number` moved to, which stands in `range` if it is any of these.
    pub(crate) fn network(&self, number: Digits, range: Range<u32>) -> Option<Network> {
        if range.is_empty() {
            return None;
        }
        let (word, bits) = mark(number, self.filter.len());
        if self.filter[word] & bits != bits {
            return None;
        }
        let range = &self.numbers[range.start as usize..range.end as usize];
        let at = range.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(range[at].1)
    }
}

/// The word of a number among `words`, a power of two, and its bits there.
fn mark(number: Digits, words: usize) -> (usize, u64) {
    let hash = number.hash();
    let bit = |shift: u32| 1 << (hash >> shift & 63);
    ((hash >> 18) as usize & (words - 1), bit(0) | bit(6) | bit(12))
}

#[cfg(test)]
mod tests;
