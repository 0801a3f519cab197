//! Carriers that differ in what they can do, so that a real share of them is refused.

use serde::Serialize;
use sms::CarrierName;

/// What a carrier can do, under the keys of `carriers.toml`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CarrierDef {
    #[serde(serialize_with = "name")]
    pub(crate) name: CarrierName,
    pub(crate) currency: &'static str,
    pub(crate) enabled: bool,
    pub(crate) only_named: bool,
    pub(crate) sender_kinds: &'static [&'static str],
    pub(crate) encodings: &'static [&'static str],
    pub(crate) concatenation: bool,
    pub(crate) receipts: bool,
    pub(crate) accepts_ported: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) countries: Option<&'static [&'static str]>,
    pub(crate) route_type: &'static str,
    pub(crate) charged: &'static str,
}

const EUROPE: &[&str] = &[
    "AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB", "GR", "HU", "IE", "IT", "NL", "NO", "PL", "PT", "RO",
    "SE",
];

fn name<S: serde::Serializer>(name: &CarrierName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(name.as_str())
}

/// A carrier for each of `names`. Of 24, one is switched off, two stand by for routes that name them, and half lack something.
pub(super) fn carriers(names: &[CarrierName]) -> Vec<CarrierDef> {
    names
        .iter()
        .enumerate()
        .map(|(at, name)| carrier(name.clone(), at))
        .collect()
}

fn carrier(name: CarrierName, at: usize) -> CarrierDef {
    CarrierDef {
        name,
        currency: ["EUR", "EUR", "EUR", "USD", "EUR", "GBP", "EUR", "USD"][at % 8],
        enabled: at % 24 != 19,
        only_named: at % 12 == 11,
        sender_kinds: if at % 12 == 10 {
            &["alphanumeric", "long_code"]
        } else {
            &["alphanumeric", "long_code", "short_code"]
        },
        encodings: if at % 12 == 8 {
            &["gsm7"]
        } else {
            &["gsm7", "ucs2", "binary"]
        },
        concatenation: at % 12 != 9,
        receipts: at % 12 != 4,
        accepts_ported: at % 6 != 1,
        countries: (at % 24 == 5).then_some(EUROPE),
        route_type: ["direct", "direct", "hub", "direct", "wholesale", "direct", "hub", "sim"][at % 8],
        charged: if at % 8 == 6 { "delivered" } else { "submit" },
    }
}

/// `carriers.toml`.
pub(super) fn toml(carriers: &[CarrierDef]) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        carrier: &'a [CarrierDef],
    }
    toml::to_string(&File { carrier: carriers }).expect("strings, booleans and lists are TOML")
}
