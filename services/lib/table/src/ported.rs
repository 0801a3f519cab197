//! Numbers that moved to another network. Few did, so that most are seen not to be among them by one look at a filter.

use std::ops::Range;

use crate::{digits::Digits, filter::Filter, network::Network};

/// The numbers and their networks.
#[derive(Debug)]
pub(crate) struct Ported {
    /// In order of the numbers.
    numbers: Box<[(Digits, Network)]>,
    filter: Filter,
}

impl Ported {
    /// `numbers` in order, each once.
    pub(crate) fn new(numbers: &[(Digits, Network)]) -> Self {
        Self {
            numbers: numbers.into(),
            filter: Filter::new(numbers.iter().map(|(number, _)| number.hash())),
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
        if range.is_empty() || !self.filter.may_hold(number.hash()) {
            return None;
        }
        let range = &self.numbers[range.start as usize..range.end as usize];
        let at = range.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(range[at].1)
    }
}

#[cfg(test)]
mod tests;
