//! Which carriers can take a message by what they are, as one bit each: what price and moment say is asked of the few that are
//! left.

use sms::{Encoding, SenderKind};

use crate::{network::Country, policy::Route, rates::CarrierIndex, senders::Senders, table::Carrier, walk::Message};

/// Sets of carriers by what they can do.
#[derive(Debug)]
pub(crate) struct Fits {
    words: usize,
    encodings: [Set; 3],
    /// By the kind of the sender that a carrier is to show.
    kinds: [Set; 3],
    /// The same, with every carrier that may be told to show another than the message's.
    kinds_ruled: [Set; 3],
    concatenation: Set,
    ported: Set,
    /// Carriers that serve any country.
    anywhere: Set,
    /// By the countries that carriers name; absent = only those that serve any.
    countries: Vec<(Country, Set)>,
    /// Carriers for which senders.csv has a row.
    ruled: Set,
}

/// A set of carriers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set(Box<[u64]>);

impl Set {
    /// The carriers from 0 below `count` for which `is_in` holds.
    pub(crate) fn of(count: usize, is_in: impl Fn(usize) -> bool) -> Self {
        let mut words = vec![0; count.div_ceil(64)];
        for at in (0..count).filter(|at| is_in(*at)) {
            words[at / 64] |= 1 << (at % 64);
        }
        Self(words.into())
    }

    /// Whether it has one of those in the set of `words`.
    pub(crate) fn meets(&self, words: &[u64]) -> bool {
        self.0.iter().zip(words).any(|(own, other)| own & other != 0)
    }

    /// Whether `carrier` is in it.
    pub(crate) fn has(&self, carrier: CarrierIndex) -> bool {
        has(&self.0, carrier)
    }
}

/// Whether `carrier` is in the set of `words`.
pub(crate) fn has(words: &[u64], carrier: CarrierIndex) -> bool {
    words[usize::from(carrier) / 64] & (1 << (carrier % 64)) != 0
}

impl Fits {
    /// The sets of `carriers`.
    pub(crate) fn new(carriers: &[Carrier], senders: &Senders) -> Self {
        let count = carriers.len();
        let of = |is_in: &dyn Fn(&Carrier) -> bool| Set::of(count, |at| is_in(&carriers[at]));
        let ruled = Set::of(count, |at| senders.has_rules(index(at)));
        let kinds = [SenderKind::Alphanumeric, SenderKind::LongCode, SenderKind::ShortCode];
        let ruled_kind = |kind| Set::of(count, |at| carriers[at].shows(kind) || senders.has_rules(index(at)));
        let mut named: Vec<Country> = carriers
            .iter()
            .flat_map(|one| one.countries.iter().flatten())
            .copied()
            .collect();
        named.sort_unstable();
        named.dedup();
        let countries = named
            .into_iter()
            .map(|country| (country, of(&|one| one.serves(Some(country)))));
        Self {
            words: count.div_ceil(64),
            encodings: [Encoding::Gsm7, Encoding::Ucs2, Encoding::Binary]
                .map(|encoding| of(&|one| one.carries(encoding))),
            kinds: kinds.map(|kind| of(&|one| one.shows(kind))),
            kinds_ruled: kinds.map(ruled_kind),
            concatenation: of(&|one| one.concatenation),
            ported: of(&|one| one.accepts_ported),
            anywhere: of(&|one| one.countries.is_none()),
            countries: countries.collect(),
            ruled,
        }
    }

    /// Fills `left` with the carriers of `route` that can take `message`, but for those in `avoided`. All about prices is left
    /// open, and, where rules of senders.csv may fit the message and `is_ruled`, what they say of a carrier: see
    /// [`Fits::is_ruled`].
    pub(crate) fn fill(
        &self,
        left: &mut Vec<u64>,
        route: &Route,
        message: &Message<'_, '_>,
        is_ruled: bool,
        avoided: &[CarrierIndex],
    ) {
        let kinds = if is_ruled { &self.kinds_ruled } else { &self.kinds };
        let countries = self.serving(message.resolved.country);
        let (encodings, kinds) = (
            &self.encodings[message.encoding as usize],
            &kinds[message.sender_kind as usize],
        );
        // Without a branch: which messages are long or to ported numbers is anybody's guess.
        let (short, stayed) = (set_if(message.segments <= 1), set_if(!message.resolved.ported));
        left.clear();
        left.extend((0..self.words).map(|word| {
            let kept = route.able.0[word] & encodings.0[word] & kinds.0[word] & countries.0[word];
            kept & (self.concatenation.0[word] | short) & (self.ported.0[word] | stayed)
        }));
        for carrier in avoided {
            left[usize::from(*carrier) / 64] &= !(1 << (carrier % 64));
        }
    }

    /// Whether senders.csv may change the sender towards `carrier`.
    pub(crate) fn is_ruled(&self, carrier: CarrierIndex) -> bool {
        self.ruled.has(carrier)
    }

    /// Whether every carrier in the set of `words` takes ported numbers.
    pub(crate) fn take_ported(&self, words: &[u64]) -> bool {
        words
            .iter()
            .zip(&self.ported.0)
            .all(|(word, ported)| word & !ported == 0)
    }

    fn serving(&self, country: Option<Country>) -> &Set {
        let named = country.and_then(|country| {
            let at = self
                .countries
                .binary_search_by_key(&country, |(country, _)| *country)
                .ok()?;
            Some(&self.countries[at].1)
        });
        named.unwrap_or(&self.anywhere)
    }
}

/// Every bit, or none.
fn set_if(holds: bool) -> u64 {
    u64::from(holds).wrapping_neg()
}

fn index(at: usize) -> CarrierIndex {
    CarrierIndex::try_from(at).expect("CARRIERS_MAX is below 2^16")
}
