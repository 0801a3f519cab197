//! What the table itself says of a number, for whoever looks numbers up.

use crate::{digits::Digits, network::Network, table::Table};

impl Table {
    /// The network that `number` moved to, by the list of ported numbers; `None` = it is not on it. A leading plus is dropped.
    pub fn moved(&self, number: &str) -> Option<Network> {
        self.numbers.moved(Digits::of_number(number)?)
    }

    /// The network that the numbering plan gives `number` to; without an MNC where it names the country alone, `None` = it has
    /// no row for it.
    pub fn planned(&self, number: &str) -> Option<Network> {
        self.numbers.planned(Digits::of_number(number)?)
    }

    /// Whether `network` may serve `number`: numbers move between networks of one country. Whatever the numbering plan does not
    /// know may be.
    pub fn may_serve(&self, network: Network, number: &str) -> bool {
        Digits::of_number(number).is_none_or(|number| self.numbers.may_serve(network, number))
    }
}

#[cfg(test)]
mod tests;
