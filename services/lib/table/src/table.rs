//! The compiled table.

use std::{path::Path, sync::Arc};

use sms::{CarrierName, Encoding, SenderKind};
use source::Problems;

use crate::{
    check::checked,
    compile::compile,
    decision::Decision,
    explain::{Explanation, Recorder},
    files::{self, Files},
    fit::Fits,
    gate::Gates,
    names::Names,
    network::Country,
    numbers::Numbers,
    policy::{Policy, Route},
    quality::QualityBook,
    query::Query,
    quote::{Quote, quote},
    ranking::Rankings,
    rates::RateBook,
    sell::SellBook,
    senders::Senders,
    spec::{Charged, EncodingSet, RouteType, SenderKindSet},
    stake::alike::Alike,
    walk::walk,
};

/// A routing table, ready to decide. Never changes; made by [`load`] or [`build`] alone.
#[derive(Debug)]
pub struct Table {
    pub(crate) version: Arc<str>,
    pub(crate) name: Arc<str>,
    pub(crate) currency: Arc<str>,
    /// By name.
    pub(crate) carriers: Vec<Carrier>,
    pub(crate) numbers: Numbers,
    pub(crate) rates: RateBook,
    pub(crate) rankings: Rankings,
    /// Accounts and senders that policies and senders.csv name.
    pub(crate) account_names: Names,
    pub(crate) sender_names: Names,
    pub(crate) senders: Senders,
    pub(crate) quality: QualityBook,
    /// `None` = no customer has a price.
    pub(crate) sell: Option<SellBook>,
    pub(crate) policies: Vec<Policy>,
    /// Which policies may apply.
    pub(crate) gates: Gates,
    /// Which carriers can take it.
    pub(crate) fits: Fits,
    /// Networks that it treats alike.
    pub(crate) alike: Alike,
    /// Where no policy ends the walk.
    pub(crate) default_route: Route,
}

/// What a carrier can do.
#[derive(Clone, Debug)]
pub struct Carrier {
    pub(crate) name: CarrierName,
    pub(crate) currency: Arc<str>,
    pub(crate) enabled: bool,
    pub(crate) sender_kinds: SenderKindSet,
    pub(crate) encodings: EncodingSet,
    pub(crate) concatenation: bool,
    pub(crate) receipts: bool,
    pub(crate) accepts_ported: bool,
    /// Sorted; `None` = any.
    pub(crate) countries: Option<Vec<Country>>,
    pub(crate) throughput: Option<u32>,
    pub(crate) route_type: RouteType,
    pub(crate) charged: Charged,
}

/// Reads, checks and compiles the table in `dir`. Beside it come its warnings.
///
/// # Errors
/// Everything that is wrong, at once; no table is made.
pub fn load(dir: &Path) -> Result<(Table, Problems), Problems> {
    build(&files::read(dir)?)
}

/// Checks and compiles the table in `files`. Beside it come its warnings.
///
/// # Errors
/// Everything that is wrong, at once; no table is made.
pub fn build(files: &Files) -> Result<(Table, Problems), Problems> {
    let (checked, warnings) = checked(files)?;
    Ok((compile(&checked), warnings))
}

impl Table {
    /// Content hash of the files it was made of: 16 hexadecimal digits.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its name; may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The currency in which costs are compared.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Every carrier, by name.
    pub fn carriers(&self) -> &[Carrier] {
        &self.carriers
    }

    /// The carrier called `name`.
    pub fn carrier(&self, name: &CarrierName) -> Option<&Carrier> {
        let at = self.carriers.binary_search_by(|carrier| carrier.name.cmp(name)).ok()?;
        Some(&self.carriers[at])
    }

    /// How many carriers, rates, numbering ranges and policies it has, for people.
    pub fn summary(&self) -> String {
        let parts = [
            counted(self.carriers.len(), "carrier", "carriers"),
            counted(self.rates.len(), "rate", "rates"),
            counted(self.numbers.len(), "numbering range", "numbering ranges"),
            counted(self.policies.len(), "policy", "policies"),
        ];
        parts.join(", ")
    }

    /// Fills `decision` with the answer to `query`.
    ///
    /// Reads no clock and no die, takes no lock, touches no reference count; allocates nothing once the buffers of `decision`
    /// have grown. One walk of at most 16 trie nodes, a look at those policies that class, place, account and sender leave,
    /// and as many carriers in order of cost as there may be attempts. Other strategies than `least_cost` look at every carrier
    /// of the route. So does every strategy where a network was told of a number under a rated prefix and its MCC has other
    /// rates than that of the plan, and where no ranking is kept: where rates begin or end at 64 instants or more, or where the
    /// table has more offers than are kept.
    pub fn decide<'t>(&'t self, query: &Query<'_>, decision: &mut Decision<'t>) {
        walk(self, query, &mut (), decision);
    }

    /// Runs the very walk of [`Table::decide`] and tells what happened on the way.
    pub fn explain(&self, query: &Query<'_>) -> Explanation {
        let mut recorder = Recorder::default();
        let mut decision = Decision::new();
        walk(self, query, &mut recorder, &mut decision);
        recorder.finish(self, query, &decision)
    }

    /// Decides `query` and says what it would cost and earn. Runs the very walk of [`Table::decide`].
    pub fn quote(&self, query: &Query<'_>) -> Quote<'_> {
        quote(self, query)
    }
}

/// A count with its noun: `1 rate`, `2 rates`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

impl Carrier {
    /// Its name.
    pub fn name(&self) -> &CarrierName {
        &self.name
    }

    /// The currency it charges in.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Whether it takes messages at all.
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether it sends receipts.
    pub fn sends_receipts(&self) -> bool {
        self.receipts
    }

    /// Segments a second it takes; `None` = no limit.
    pub fn throughput(&self) -> Option<u32> {
        self.throughput
    }

    /// How it reaches the network.
    pub fn route_type(&self) -> RouteType {
        self.route_type
    }

    /// What it charges for.
    pub fn charged(&self) -> Charged {
        self.charged
    }

    pub(crate) fn shows(&self, kind: SenderKind) -> bool {
        self.sender_kinds.contains(kind)
    }

    pub(crate) fn carries(&self, encoding: Encoding) -> bool {
        self.encodings.contains(encoding)
    }

    pub(crate) fn serves(&self, country: Option<Country>) -> bool {
        self.countries
            .as_ref()
            .is_none_or(|list| country.is_some_and(|country| list.binary_search(&country).is_ok()))
    }
}
