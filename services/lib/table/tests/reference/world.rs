//! A routing table as plain values: what the generator makes, what the files say, and what the reference reads.

use std::collections::BTreeMap;

/// MCC and MNC as written; the second may be empty.
pub(crate) type Net = (&'static str, &'static str);
/// `[from, until)` in milliseconds since 1970.
pub(crate) type Span = (Option<i64>, Option<i64>);
/// Entries as written: `@name` stands for a set.
pub(crate) type List = Vec<String>;

#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// Currency and millionths of a euro.
    pub(crate) fx: Vec<(&'static str, i128)>,
    pub(crate) defaults: Route,
    pub(crate) carriers: Vec<Carrier>,
    pub(crate) plan: Vec<PlanRow>,
    pub(crate) ported: Vec<(String, Net)>,
    pub(crate) rates: Vec<Sheet>,
    pub(crate) sells: Vec<Sheet>,
    pub(crate) quality: Vec<QualityRow>,
    pub(crate) senders: Vec<SenderRow>,
    pub(crate) sets: BTreeMap<&'static str, Vec<String>>,
    pub(crate) policies: Vec<Policy>,
}

#[derive(Clone, Debug)]
pub(crate) struct Carrier {
    pub(crate) name: String,
    pub(crate) currency: &'static str,
    pub(crate) enabled: bool,
    pub(crate) only_named: bool,
    pub(crate) sender_kinds: Option<Vec<&'static str>>,
    pub(crate) encodings: Option<Vec<&'static str>>,
    pub(crate) concatenation: bool,
    pub(crate) receipts: bool,
    pub(crate) accepts_ported: bool,
    pub(crate) countries: Option<List>,
    pub(crate) route_type: Option<&'static str>,
    pub(crate) charged: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct PlanRow {
    pub(crate) prefix: String,
    pub(crate) net: Net,
    pub(crate) country: &'static str,
    pub(crate) operator: &'static str,
}

/// The prices of a carrier, or those of an account.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) of: String,
    pub(crate) rows: Vec<RateRow>,
}

#[derive(Clone, Debug)]
pub(crate) struct RateRow {
    pub(crate) mcc: &'static str,
    pub(crate) mnc: &'static str,
    pub(crate) prefix: String,
    /// In millionths; `None` = closed.
    pub(crate) price: Option<i128>,
    pub(crate) span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct QualityRow {
    pub(crate) carrier: String,
    pub(crate) net: Net,
    pub(crate) attempts: u64,
    pub(crate) delivered: u64,
    pub(crate) p95: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub(crate) struct SenderRow {
    pub(crate) account: &'static str,
    pub(crate) sender: &'static str,
    pub(crate) carrier: String,
    pub(crate) country: &'static str,
    pub(crate) shown: &'static str,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Policy {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) matches: Vec<Condition>,
    pub(crate) excepts: Vec<Vec<Condition>>,
    pub(crate) sender: Option<&'static str>,
    pub(crate) recipient: Option<String>,
    pub(crate) text: Option<&'static str>,
    pub(crate) copies: Vec<String>,
    pub(crate) tag: Option<&'static str>,
    pub(crate) avoid: List,
    pub(crate) end: End,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum End {
    #[default]
    On,
    Reject(&'static str),
    Route(Box<Route>),
}

#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Account(List),
    Sender(List),
    Country(List),
    Network(List),
    Prefix(List),
    SenderKind(Vec<&'static str>),
    Class(Vec<&'static str>),
    Encoding(Vec<&'static str>),
    Text(Vec<Pattern>),
    SegmentsOver(u64),
    Ported(bool),
    Tag(Vec<&'static str>),
    Hours(Hours),
}

/// A regular expression, compiled once for all queries.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(pub(crate) &'static str, pub(crate) regex::Regex);

/// `between`, `days`, or both, and their time zone.
#[derive(Clone, Debug)]
pub(crate) struct Hours {
    /// Minutes of the local day.
    pub(crate) between: Option<(i64, i64)>,
    pub(crate) days: Vec<&'static str>,
    pub(crate) zone: &'static str,
    pub(crate) rules: jiff::tz::TimeZone,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Route {
    pub(crate) strategy: Option<&'static str>,
    pub(crate) carriers: Option<List>,
    pub(crate) weights: Vec<(String, u64)>,
    pub(crate) route_types: Option<Vec<&'static str>>,
    pub(crate) attempts: Option<usize>,
    /// Durations are in milliseconds.
    pub(crate) deadline: Option<u64>,
    pub(crate) max_price: Option<i128>,
    pub(crate) min_margin: Option<i128>,
    pub(crate) min_delivery_rate: Option<&'static str>,
    pub(crate) receipt_within: Option<u64>,
    pub(crate) spill_after: Option<u64>,
    pub(crate) on_unknown: Option<&'static str>,
    pub(crate) lookup: Option<&'static str>,
}

/// One message as asked.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) to: String,
    pub(crate) from: &'static str,
    pub(crate) account: &'static str,
    pub(crate) class: &'static str,
    pub(crate) text: Option<String>,
    /// Without a text.
    pub(crate) encoding: &'static str,
    /// Without a text.
    pub(crate) segments: u64,
    pub(crate) at: i64,
    pub(crate) network: Option<Net>,
    /// The network is the answer of a look-up.
    pub(crate) is_hlr: bool,
    pub(crate) ported: Option<bool>,
    pub(crate) roll: u64,
    /// What only a running router knows; without it no carrier is held back.
    pub(crate) live: Option<Live>,
}

/// What a running router counted of one carrier and network.
#[derive(Clone, Debug)]
pub(crate) struct LiveRow {
    pub(crate) carrier: String,
    pub(crate) net: Net,
    pub(crate) attempts: u64,
    pub(crate) delivered: u64,
    /// Milliseconds.
    pub(crate) p95: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    pub(crate) tried: Vec<String>,
    pub(crate) down: Vec<String>,
    /// Carrier and milliseconds.
    pub(crate) waits: Vec<(String, u64)>,
    pub(crate) figures: Vec<LiveRow>,
    pub(crate) accepted_at: Option<i64>,
    pub(crate) ttl: Option<u64>,
}

impl World {
    /// Whether `fits` holds of any entry, those of sets included.
    pub(crate) fn any(&self, list: &[String], mut fits: impl FnMut(&str) -> bool) -> bool {
        list.iter().any(|entry| match entry.strip_prefix('@') {
            Some(set) => self.sets[set].iter().any(|entry| fits(entry)),
            None => fits(entry),
        })
    }

    /// Every entry, those of sets in their place.
    pub(crate) fn flat(&self, list: &[String]) -> Vec<String> {
        let mut flat = Vec::new();
        self.any(list, |entry| {
            flat.push(entry.to_owned());
            false
        });
        flat
    }
}
