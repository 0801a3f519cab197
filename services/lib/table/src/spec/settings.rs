//! `table.toml`: name, currency, exchange rates, defaults.

use std::collections::BTreeMap;

use source::{Code, Entry, Place, Section};

use super::{NAME_CHARS_MAX, RouteSpec, Strategy, route};
use crate::{code, money::Fx};

/// Most exchange rates.
const FX_ENTRIES_MAX: usize = 300;

/// `table.toml` as written.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) name: String,
    /// Empty = missing, which was logged.
    pub(crate) currency: String,
    pub(crate) fx: BTreeMap<String, (Fx, Place)>,
    pub(crate) defaults: RouteSpec,
}

impl Settings {
    /// What one unit of `currency` is in the table's.
    pub(crate) fn fx(&self, currency: &str) -> Option<Fx> {
        if currency == self.currency {
            Some(Fx::ONE)
        } else {
            self.fx.get(currency).map(|(fx, _)| *fx)
        }
    }
}

pub(super) fn read(root: &Section<'_>) -> Settings {
    let name = root.key("name").string(NAME_CHARS_MAX).unwrap_or_default();
    if !root.has("name") {
        root.log().warning(
            root.place(),
            code::NAMELESS,
            "the table has no name",
            "",
            "add name = …",
        );
    }
    let currency = currency(&root.key("currency").required()).unwrap_or_default();
    let fx = root
        .key("fx")
        .section()
        .map(|section| read_fx(&section, &currency))
        .unwrap_or_default();
    let defaults = root
        .key("defaults")
        .section()
        .map(|section| read_defaults(&section))
        .unwrap_or_default();
    Settings {
        name,
        currency,
        fx,
        defaults,
    }
}

fn read_fx(section: &Section<'_>, own: &str) -> BTreeMap<String, (Fx, Place)> {
    let entries = section.entries();
    if entries.len() > FX_ENTRIES_MAX {
        let what = format!("[fx] has {} entries, the limit is {FX_ENTRIES_MAX}", entries.len());
        section.log().error(section.place(), Code::RANGE, what, "", "");
        return BTreeMap::new();
    }
    let mut fx = BTreeMap::new();
    for (name, entry) in entries {
        let rate = entry.parse(Fx::parse);
        if let Err(why) = currency_code(name) {
            entry.refuse(Code::FORMAT, format_args!("is refused: {why}"), "", "");
        } else {
            // A rate that was refused stands in, so that no carrier seems to have none.
            let rate = rate.unwrap_or(Fx::ONE);
            if name == own && rate != Fx::ONE {
                entry.refuse(
                    Code::RANGE,
                    "is the table's own currency, whose rate is 1",
                    "",
                    "remove it",
                );
            }
            fx.insert(name.to_owned(), (rate, entry.place()));
        }
    }
    fx
}

fn read_defaults(section: &Section<'_>) -> RouteSpec {
    for entry in ["carriers", "weights"]
        .map(|key| section.key(key))
        .iter()
        .filter(|entry| entry.is_present())
    {
        entry.refuse(
            Code::UNKNOWN_KEY,
            "has no default",
            "each route names its own carriers",
            "remove it",
        );
    }
    let defaults = route::read_terms(section);
    if defaults.strategy == Some(Strategy::Weighted) {
        let entry = section.key("strategy");
        entry.refuse(
            Code::WORD,
            "is \"weighted\", which is no default",
            "weights belong to the carriers of a route",
            "",
        );
    }
    defaults
}

/// A currency: three capital letters.
pub(super) fn currency(entry: &Entry<'_>) -> Option<String> {
    entry.parse(|text| currency_code(text).map(|()| text.to_owned()))
}

fn currency_code(text: &str) -> Result<(), &'static str> {
    let is_code = text.len() == 3 && text.bytes().all(|octet| octet.is_ascii_uppercase());
    if is_code {
        Ok(())
    } else {
        Err("a currency has three capital letters, such as EUR")
    }
}
