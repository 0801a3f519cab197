//! Which policies may apply to a message, as one bit each: a hundred policies cost little more than the few that are left.
//!
//! Each property of a message (its shape, its place, its account, its sender) has a row of bits, one for each policy whose
//! condition on it holds. The rows' intersection is what the walk looks at. A bit that is set says nothing yet: the
//! conditions themselves decide. One that is not set is certain.

mod maker;

use sms::{Class, Encoding, SenderKind};

pub(crate) use self::maker::GateMaker;
use crate::{names::Names, network::Country, network::Network, query::Source, walk::Message};

/// Rows whose intersection tells.
const ROWS: usize = 7;
/// Classes × encodings × kinds of senders × ported or not × with a text or without.
const SHAPES: usize = 3 * 3 * 3 * 2 * 2;
/// Pairs of letters, and none.
const COUNTRIES: usize = 26 * 26 + 1;

/// The rows.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    /// Octets of a row, in 64 bits.
    words: usize,
    bits: Vec<u64>,
    /// By shape.
    shapes: Vec<RowId>,
    /// By country.
    countries: Vec<RowId>,
    /// Of the networks that conditions name, in order.
    networks: Vec<(Network, RowId)>,
    /// Of all other networks.
    other_network: RowId,
    accounts: Names<RowId>,
    senders: Names<RowId>,
    /// Of messages without a tag, and of those with one.
    tagged: [RowId; 2],
}

/// Names a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct RowId(u32);

/// The rows of a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlaceGates {
    /// By country and network of the plan, and by prefix.
    planned: RowId,
    /// By prefix alone.
    prefix: RowId,
}

/// The policies left of a message as it stands.
pub(crate) struct Open<'a> {
    gates: &'a Gates,
    rows: [RowId; ROWS],
}

impl Gates {
    /// The policies that may apply to `message` as it stands now.
    pub(crate) fn open(&self, message: &Message<'_, '_>) -> Open<'_> {
        let shape = shape(
            message.class,
            message.encoding,
            message.sender_kind,
            message.resolved.ported,
            message.text.is_some(),
        );
        let place = message.resolved.place.gates();
        let [planned, country, network] = match message.resolved.source {
            Source::Numbering => [place.planned; 3],
            _ => [
                place.prefix,
                self.countries[country_index(message.resolved.country)],
                self.network(message.resolved.network),
            ],
        };
        let rows = [
            self.shapes[shape],
            planned,
            country,
            network,
            self.accounts.get(message.account),
            self.senders.get(message.from),
            self.tagged[usize::from(!message.tags.is_empty())],
        ];
        Open { gates: self, rows }
    }

    fn network(&self, network: Option<Network>) -> RowId {
        let named = network.and_then(|network| {
            let at = self
                .networks
                .binary_search_by_key(&network, |(network, _)| *network)
                .ok()?;
            Some(self.networks[at].1)
        });
        named.unwrap_or(self.other_network)
    }
}

impl Open<'_> {
    /// The first policy from `at` on that may apply.
    pub(crate) fn next(&self, at: usize) -> Option<usize> {
        let mut word = at / 64;
        let mut mask = u64::MAX << (at % 64);
        while word < self.gates.words {
            let left = self.word(word) & mask;
            if left != 0 {
                return Some(word * 64 + left.trailing_zeros() as usize);
            }
            mask = u64::MAX;
            word += 1;
        }
        None
    }

    /// Whether policy `at` may apply.
    pub(crate) fn admits(&self, at: usize) -> bool {
        self.next(at) == Some(at)
    }

    fn word(&self, word: usize) -> u64 {
        let row = |row: &RowId| self.gates.bits[row.0 as usize * self.gates.words + word];
        self.rows.iter().map(row).fold(u64::MAX, |left, bits| left & bits)
    }
}

/// Place of a shape among all.
fn shape(class: Class, encoding: Encoding, kind: SenderKind, is_ported: bool, has_text: bool) -> usize {
    let flags = usize::from(is_ported) * 2 + usize::from(has_text);
    ((class as usize * 3 + encoding as usize) * 3 + kind as usize) * 4 + flags
}

/// Place of a country among all; the last is that of those not known.
fn country_index(country: Option<Country>) -> usize {
    country.map_or(COUNTRIES - 1, Country::index)
}
