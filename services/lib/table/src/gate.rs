//! Which policies may apply to a message, as one bit each: a hundred policies cost little more than the few that are left.
//!
//! Each property of a message (its shape, its place, its account, its sender) has a row of bits, one for each policy whose
//! condition on it holds. The rows' intersection is what the walk looks at. A bit that is not set is certain. Of one that
//! is set, those conditions decide that the rows say too little of, see [`left_open`].

mod beginnings;
mod maker;

use sms::{Class, Encoding, SenderKind};

use self::beginnings::Beginnings;
pub(crate) use self::{
    beginnings::BEGINNING_MAX,
    maker::{GateMaker, left_open},
};
use crate::{
    glob::Glob,
    names::{Name, Names},
    network::{Country, Network},
    numbers::Resolved,
    policy::Policy,
    query::Source,
    spec::Test,
    walk::Message,
};

/// Rows whose intersection tells.
const ROWS: usize = 8;
/// Classes × encodings × kinds of senders × ported or not × with a text or without.
const SHAPES: usize = 3 * 3 * 3 * 2 * 2;
/// Pairs of letters, and none.
const COUNTRIES: usize = 26 * 26 + 1;

/// The rows.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    /// 64-bit words of a row.
    words: usize,
    bits: Vec<u64>,
    /// By shape.
    shapes: Vec<RowId>,
    /// By segments, 0 to 255.
    segments: Vec<RowId>,
    /// By country.
    countries: Vec<RowId>,
    /// Of the networks that conditions name, in order.
    networks: Vec<(Network, RowId)>,
    /// Of all other networks.
    other_network: RowId,
    accounts: ByName,
    senders: ByName,
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

/// Rows by a name.
#[derive(Debug, Default)]
struct ByName {
    /// Of the names that the table gives without a star, by their numbers.
    named: Vec<RowId>,
    /// Of all others.
    others: Beginnings,
}

/// Policies that may tell networks apart beside what their rows say, as one bit each.
#[derive(Debug, Default)]
pub(crate) struct Tells {
    /// Those that ask whether a number was ported.
    ported: Vec<u64>,
    /// Those that ask for the network.
    networks: Vec<u64>,
    /// Those with an exception that asks for it, for the network or for the country.
    excepts: Vec<u64>,
}

impl Tells {
    /// Those of `policies`.
    pub(crate) fn new(policies: &[Policy]) -> Self {
        let bits = |tells: &dyn Fn(&Policy) -> bool| {
            let mut bits = vec![0; policies.len().div_ceil(64)];
            for (at, _) in policies.iter().enumerate().filter(|(_, policy)| tells(policy)) {
                bits[at / 64] |= 1 << (at % 64);
            }
            bits
        };
        let is_ported = |test: &Test| matches!(test, Test::Ported(_));
        let is_network = |test: &Test| matches!(test, Test::Network(_));
        let is_place = |test: &Test| matches!(test, Test::Network(_) | Test::Country(_)) || is_ported(test);
        Self {
            ported: bits(&|policy| policy.matches.0.iter().any(is_ported)),
            networks: bits(&|policy| policy.matches.0.iter().any(is_network)),
            excepts: bits(&|policy| policy.excepts.iter().any(|except| except.0.iter().any(is_place))),
        }
    }
}

/// The policies left of a message as it stands, in order.
pub(crate) struct Open<'a> {
    gates: &'a Gates,
    rows: [RowId; ROWS],
    /// Place of the word at hand.
    word: usize,
    /// What is left of it.
    left: u64,
}

impl Gates {
    /// The policies from `first` on that may apply to `message` as it stands now.
    pub(crate) fn open(&self, message: &Message<'_, '_>, first: usize) -> Open<'_> {
        let shape = shape(
            message.class,
            message.encoding,
            message.sender_kind,
            message.resolved.ported,
            message.text.is_some(),
        );
        let [planned, country, network] = self.placed(&message.resolved);
        let rows = [
            self.shapes[shape],
            self.segments[usize::from(message.segments)],
            planned,
            country,
            network,
            self.accounts.of(message.account),
            self.senders.of(message.from),
            self.tagged[usize::from(!message.tags.is_empty())],
        ];
        let mut open = Open {
            gates: self,
            rows,
            word: first / 64,
            left: 0,
        };
        open.left = open.bits(open.word) & (u64::MAX << (first % 64));
        open
    }

    /// Whether one of the policies below `reached` may treat `message` otherwise if `real` was known of its recipient. Of a
    /// message that policies changed on the way less is certain.
    pub(crate) fn tell_apart(
        &self,
        message: &Message<'_, '_>,
        real: &Resolved<'_>,
        reached: usize,
        is_changed: bool,
        tells: &Tells,
    ) -> bool {
        let known = &message.resolved;
        let concerned = self.concerned(message, [known.ported, real.ported], reached, is_changed);
        let (known_rows, real_rows) = (self.placed(known), self.placed(real));
        (0..reached.div_ceil(64)).any(|word| {
            let all = |rows: [RowId; 3]| rows.into_iter().fold(u64::MAX, |left, id| left & self.word(id, word));
            let mut told = all(known_rows) ^ all(real_rows) | tells.excepts[word];
            if known.ported != real.ported {
                told |= tells.ported[word];
            }
            told & concerned(word) != 0
        })
    }

    /// Whether [`Gates::tell_apart`] may say so of any network of the same country.
    pub(crate) fn may_tell_apart(
        &self,
        message: &Message<'_, '_>,
        reached: usize,
        is_changed: bool,
        tells: &Tells,
    ) -> bool {
        let concerned = self.concerned(message, [false, true], reached, is_changed);
        (0..reached.div_ceil(64)).any(|word| {
            let told = tells.networks[word] | tells.excepts[word] | tells.ported[word];
            told & concerned(word) != 0
        })
    }

    /// The policies below `reached`, by words, that may apply to `message`, whoever serves its recipient: one of `ported` says
    /// whether it was ported.
    fn concerned(
        &self,
        message: &Message<'_, '_>,
        ported: [bool; 2],
        reached: usize,
        is_changed: bool,
    ) -> impl Fn(usize) -> u64 {
        let shapes = ported.map(|ported| {
            let has_text = message.text.is_some();
            self.shapes[shape(message.class, message.encoding, message.sender_kind, ported, has_text)]
        });
        let (account, sender) = (self.accounts.of(message.account), self.senders.of(message.from));
        let segments = self.segments[usize::from(message.segments)];
        move |word| {
            let row = |row| self.word(row, word);
            let mut left = row(account);
            if !is_changed {
                left &= row(sender) & row(segments) & (row(shapes[0]) | row(shapes[1]));
            }
            let beyond = (word + 1) * 64;
            if beyond > reached {
                left &= u64::MAX >> (beyond - reached);
            }
            left
        }
    }

    fn word(&self, row: RowId, word: usize) -> u64 {
        self.bits[row.0 as usize * self.words + word]
    }

    /// The rows of a recipient's place, country and network.
    fn placed(&self, resolved: &Resolved<'_>) -> [RowId; 3] {
        let place = resolved.place.gates();
        match resolved.source {
            Source::Numbering => [place.planned; 3],
            _ => [
                place.prefix,
                self.countries[country_index(resolved.country)],
                self.network(resolved.network),
            ],
        }
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
    /// Whether policy `at` may apply.
    pub(crate) fn admits(&self, at: usize) -> bool {
        self.bits(at / 64) & (1 << (at % 64)) != 0
    }

    /// The word that all rows come to; nothing beyond the last.
    fn bits(&self, word: usize) -> u64 {
        let gates = self.gates;
        if word >= gates.words {
            return 0;
        }
        let row = |row: &RowId| gates.bits[row.0 as usize * gates.words + word];
        self.rows.iter().map(row).fold(u64::MAX, |left, bits| left & bits)
    }
}

impl Iterator for Open<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.word += 1;
            if self.word >= self.gates.words {
                return None;
            }
            self.left = self.bits(self.word);
        }
        let bit = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.word * 64 + bit)
    }
}

impl ByName {
    /// Numbers the name that `glob` gives, if it has no star, and remembers its row.
    fn add(&mut self, names: &mut Names, glob: &Option<Glob>) {
        let Some(name) = glob.as_ref().and_then(Glob::plain) else {
            return;
        };
        if names.intern(name).0 as usize == self.named.len() {
            self.named.push(self.others.row(name));
        }
    }

    fn of(&self, name: Name<'_>) -> RowId {
        let named = name.id.and_then(|id| self.named.get(id.0 as usize));
        named.copied().unwrap_or_else(|| self.others.row(name.text))
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
