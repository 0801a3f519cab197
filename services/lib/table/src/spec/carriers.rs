//! `carriers.toml`: what each carrier can do.

use sms::{CarrierName, Encoding, SenderKind};
use source::{Code, Entry, Place, Section};

use super::{
    LIST_MAX,
    sets::{Sets, refuse_empty},
    settings,
};
use crate::{code, network::Country};

/// Most carriers in a table.
pub(crate) const CARRIERS_MAX: usize = 1_000;
/// Highest stated throughput, in segments a second.
const THROUGHPUT_MAX: u32 = 1_000_000;

/// One `[[carrier]]` as written.
#[derive(Clone, Debug)]
pub(crate) struct CarrierSpec {
    pub(crate) place: Place,
    pub(crate) name: CarrierName,
    /// Empty = missing, which was logged.
    pub(crate) currency: String,
    pub(crate) currency_place: Place,
    pub(crate) enabled: bool,
    pub(crate) only_named: bool,
    pub(crate) sender_kinds: SenderKindSet,
    pub(crate) encodings: EncodingSet,
    pub(crate) concatenation: bool,
    pub(crate) receipts: bool,
    pub(crate) accepts_ported: bool,
    /// Sorted; `None` = any, unknown too.
    pub(crate) countries: Option<Vec<Country>>,
    /// Segments a second; `None` = no limit.
    pub(crate) throughput: Option<u32>,
    pub(crate) route_type: RouteType,
    pub(crate) charged: Charged,
}

/// How a carrier reaches the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RouteType {
    /// A contract with the operator.
    #[default]
    Direct,
    /// One partner between.
    Hub,
    /// Bought from whoever sells.
    Wholesale,
    /// Through SIM cards.
    Sim,
}

/// What a carrier charges for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Charged {
    /// Every submitted segment.
    #[default]
    Submit,
    /// Delivered segments only.
    Delivered,
}

/// A set of encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EncodingSet(u8);

/// A set of sender kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderKindSet(u8);

impl RouteType {
    /// Words of the format.
    pub(super) const WORDS: [(&'static str, Self); 4] = [
        ("direct", Self::Direct),
        ("hub", Self::Hub),
        ("wholesale", Self::Wholesale),
        ("sim", Self::Sim),
    ];
}

/// Words for encodings.
pub(super) const ENCODINGS: [(&str, Encoding); 3] = [
    ("gsm7", Encoding::Gsm7),
    ("ucs2", Encoding::Ucs2),
    ("binary", Encoding::Binary),
];
/// Words for sender kinds.
pub(super) const SENDER_KINDS: [(&str, SenderKind); 3] = [
    ("alphanumeric", SenderKind::Alphanumeric),
    ("long_code", SenderKind::LongCode),
    ("short_code", SenderKind::ShortCode),
];

impl EncodingSet {
    const ALL: Self = Self(0b111);

    /// Whether `encoding` is in it.
    pub(crate) fn contains(self, encoding: Encoding) -> bool {
        self.0 & (1 << encoding as u8) != 0
    }
}

impl SenderKindSet {
    const ALL: Self = Self(0b111);

    /// Whether `kind` is in it.
    pub(crate) fn contains(self, kind: SenderKind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }
}

pub(super) fn read(root: &Section<'_>, sets: &Sets) -> Vec<CarrierSpec> {
    let mut carriers: Vec<CarrierSpec> = Vec::new();
    if !root.has("carrier") {
        // A file that an editor has just truncated must not put a table in force that rejects everything.
        let why = "every message would end in no_route";
        root.log().error(
            root.place(),
            code::CARRIERLESS,
            "there are no carriers",
            why,
            "add a [[carrier]]",
        );
    }
    for section in root.key("carrier").sections(CARRIERS_MAX) {
        let Some(carrier) = read_carrier(&section, sets) else {
            continue;
        };
        if let Some(first) = carriers.iter().find(|other| other.name == carrier.name) {
            let what = format!(
                "carrier \"{}\" is defined twice, first in line {}",
                carrier.name, first.place.line
            );
            section.log().error(
                section.place_of("name"),
                Code::DUPLICATE,
                what,
                "",
                "rename one of them",
            );
            continue;
        }
        carriers.push(carrier);
    }
    carriers
}

/// `None` = it has no usable name. Everything else that is wrong is logged and stands at its default.
fn read_carrier(section: &Section<'_>, sets: &Sets) -> Option<CarrierSpec> {
    let flag = |key: &str, default| section.key(key).boolean().unwrap_or(default);
    let name = section.key("name").required().parse(CarrierName::new);
    let spec = CarrierSpec {
        place: section.place(),
        name: CarrierName::new("unnamed").expect("a sound name"),
        currency: settings::currency(&section.key("currency").required()).unwrap_or_default(),
        currency_place: section.place_of("currency"),
        enabled: flag("enabled", true),
        only_named: flag("only_named", false),
        sender_kinds: words(&section.key("sender_kinds"), &SENDER_KINDS).map_or(SenderKindSet::ALL, |kinds| {
            SenderKindSet(kinds.iter().fold(0, |set, kind| set | 1 << *kind as u8))
        }),
        encodings: words(&section.key("encodings"), &ENCODINGS).map_or(EncodingSet::ALL, |all| {
            EncodingSet(all.iter().fold(0, |set, one| set | 1 << *one as u8))
        }),
        concatenation: flag("concatenation", true),
        receipts: flag("receipts", true),
        accepts_ported: flag("accepts_ported", true),
        countries: sets
            .values(&section.key("countries"), Country::parse)
            .map(|mut countries| {
                countries.sort_unstable();
                countries
            }),
        throughput: section.key("throughput").integer(1..=THROUGHPUT_MAX),
        route_type: section.key("route_type").word(&RouteType::WORDS).unwrap_or_default(),
        charged: section
            .key("charged")
            .word(&[("submit", Charged::Submit), ("delivered", Charged::Delivered)])
            .unwrap_or_default(),
    };
    Some(CarrierSpec { name: name?, ..spec })
}

/// A list of words that is not empty, each once.
pub(super) fn words<T: Copy + PartialEq>(entry: &Entry<'_>, words: &[(&str, T)]) -> Option<Vec<T>> {
    let items = entry.items(LIST_MAX)?;
    if items.is_empty() {
        refuse_empty(entry);
    }
    let mut found = Vec::new();
    for word in items.into_iter().filter_map(|item| item.word(words)) {
        if !found.contains(&word) {
            found.push(word);
        }
    }
    Some(found)
}
