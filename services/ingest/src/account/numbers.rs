//! Which account owns a called number.

use std::collections::{BTreeMap, btree_map::Entry as Slot};

use sms::{AccountId, CarrierName, Carriers, INBOUND_ADDRESS_CHARS_MAX};

/// Numbers of one account.
pub(crate) const NUMBERS_MAX: usize = 10_000;

/// What an account says it owns: `447700900001`, all that begin alike as `4477009*`, and either of one carrier alone as
/// `atlas/70001`, since short codes are a carrier's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    carrier: Option<CarrierName>,
    digits: String,
    is_prefix: bool,
}

/// Who owns a number that was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner<'a> {
    pub(crate) account: &'a AccountId,
    /// The carrier over which it was called: the one that the account names, or else the first one of the link.
    pub(crate) carrier: &'a CarrierName,
}

/// Who owns which numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    exact: BTreeMap<String, Owners>,
    prefixes: BTreeMap<String, Owners>,
}

/// The owners of one number, or of all that begin with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Owners {
    any: Option<AccountId>,
    of: BTreeMap<CarrierName, AccountId>,
}

impl Owned {
    /// Reads one as it is written.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (carrier, number) = match text.split_once('/') {
            Some((carrier, number)) => {
                let carrier = CarrierName::new(carrier).map_err(|error| error.to_string())?;
                (Some(carrier), number)
            }
            None => (None, text),
        };
        let (number, is_prefix) = match number.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (number, false),
        };
        let digits = number.strip_prefix('+').unwrap_or(number);
        let is_number = digits.bytes().all(|octet| octet.is_ascii_digit()) && digits.len() <= INBOUND_ADDRESS_CHARS_MAX;
        if !is_number || (digits.is_empty() && !is_prefix) {
            let shown: String = text.chars().take(64).collect();
            return Err(format!(
                "\"{shown}\" is no number: write 447700900001, 4477009* for all that begin so, or atlas/70001 for one carrier"
            ));
        }
        Ok(Self {
            carrier,
            digits: digits.to_owned(),
            is_prefix,
        })
    }
}

impl Numbers {
    /// Gives `owned` to `account`.
    ///
    /// # Errors
    /// Who has it already.
    pub(crate) fn give(&mut self, owned: Owned, account: &AccountId) -> Result<(), AccountId> {
        let of = if owned.is_prefix {
            &mut self.prefixes
        } else {
            &mut self.exact
        };
        let owners = of.entry(owned.digits).or_default();
        match owned.carrier {
            None => match &owners.any {
                Some(other) => Err(other.clone()),
                None => {
                    owners.any = Some(account.clone());
                    Ok(())
                }
            },
            Some(carrier) => match owners.of.entry(carrier) {
                Slot::Occupied(other) => Err(other.get().clone()),
                Slot::Vacant(slot) => {
                    slot.insert(account.clone());
                    Ok(())
                }
            },
        }
    }

    /// Who owns `number`, called over the link of `carriers`; `None` = nobody. The number itself goes before what it begins with,
    /// longer beginnings before shorter ones, and of two alike the one that names a carrier; the first one named, where several
    /// carriers share the link.
    pub(crate) fn owner<'a>(&'a self, carriers: &'a Carriers, number: &str) -> Option<Owner<'a>> {
        let exact = self.exact.get(number).and_then(|owners| owners.of(carriers));
        exact.or_else(|| {
            let ends = (0..=number.len()).rev().filter(|end| number.is_char_boundary(*end));
            ends.filter_map(|end| self.prefixes.get(&number[..end]))
                .find_map(|owners| owners.of(carriers))
        })
    }
}

impl Owners {
    fn of<'a>(&'a self, carriers: &'a Carriers) -> Option<Owner<'a>> {
        let named = carriers
            .iter()
            .find_map(|carrier| Some((self.of.get(carrier)?, carrier)));
        let (account, carrier) = named.or_else(|| Some((self.any.as_ref()?, carriers.first())))?;
        Some(Owner { account, carrier })
    }
}

#[cfg(test)]
mod tests;
