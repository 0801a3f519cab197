//! What customers pay: the same sheets as for carriers, in the table's currency.

use sms::UnixMs;

use crate::{
    digits::Digits,
    money::Micros,
    network::Network,
    rates::{CarrierIndex, KeyId, RateBook},
    trie::Trie,
};

/// Name of the sheet of accounts that have none.
pub(crate) const DEFAULT: &str = "default";

/// Sell prices by account. A sheet stands where a carrier stands in a book of rates.
#[derive(Debug)]
pub(crate) struct SellBook {
    /// Names of the sheets in text order; a sheet's index is its place.
    pub(crate) sheets: Vec<String>,
    pub(crate) rates: RateBook,
    pub(crate) trie: Trie,
    /// Of each of the trie's prefixes, its key in `rates`.
    pub(crate) keys: Vec<KeyId>,
}

impl SellBook {
    /// What `account` pays for a segment; `None` = nothing is agreed, or it is closed.
    pub(crate) fn price(&self, account: &str, to: Digits, network: Option<Network>, at: UnixMs) -> Option<Micros> {
        let sheet = self.sheet(account).or_else(|| self.sheet(DEFAULT))?;
        let prefix = self.trie.longest(to).map_or(KeyId::NONE, |at| self.keys[at as usize]);
        let tariff = self.rates.tariff(network, prefix);
        let price = self.rates.charge(&tariff, sheet, at).price()?;
        Some(price.cost)
    }

    fn sheet(&self, account: &str) -> Option<CarrierIndex> {
        let at = self.sheets.binary_search_by(|name| name.as_str().cmp(account)).ok()?;
        CarrierIndex::try_from(at).ok()
    }
}
