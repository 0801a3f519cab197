//! What a case expects: each thing it names, as the words that reports use.

use sms::CarrierName;
use source::{Entry, Place, Section, duration_text};

use super::super::{LIST_MAX, NAME_CHARS_MAX};
use crate::{
    code,
    decision::Refusal,
    money::Micros,
    network::{Country, Mcc, Network},
};

/// What a case writes for the policy where none ended the walk.
pub(crate) const DEFAULTS: &str = "[defaults]";
/// What a case writes for a network or country that is not known.
pub(crate) const UNKNOWN: &str = "unknown";
/// What stands for a bound that a route does not have.
const NEVER: &str = "never";
/// Longest text and reason, in characters.
const TEXT_CHARS_MAX: usize = 10_000;

/// One thing that is expected of a decision.
#[derive(Clone, Debug)]
pub(crate) struct Expectation {
    pub(crate) place: Place,
    pub(crate) aspect: Aspect,
    /// In the words of reports; a scalar is a list of one.
    pub(crate) values: Vec<String>,
}

/// Which part of a decision an expectation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// The selected carrier.
    Carrier,
    /// The selected carrier and the fallbacks, in order.
    Carriers,
    /// Rejected by a policy, for this reason.
    Reject,
    /// No carrier can take it.
    NoRoute,
    /// The policy that ended the walk.
    Policy,
    /// Every policy that applied, in order.
    Policies,
    /// Why this carrier is refused.
    Refused(String),
    /// What all segments cost over this carrier; `None` = over the selected one.
    Cost(Option<String>),
    /// What is sent: `to`, `from`, `text`, `encoding` or `segments`.
    Sent(&'static str),
    /// Who serves the recipient: `network`, `country`, `operator`, `source` or `ported`.
    Served(&'static str),
    /// Further recipients.
    Copies,
    /// Tags, in order.
    Tags,
    /// A rule of the route, by its key.
    Terms(&'static str),
}

/// Why the table itself refuses a carrier; what only a running router knows is no matter of a case.
const REFUSALS: [Refusal; 16] = [
    Refusal::Disabled,
    Refusal::Avoided,
    Refusal::RouteType,
    Refusal::Country,
    Refusal::Sender,
    Refusal::SenderKind,
    Refusal::Encoding,
    Refusal::Concatenation,
    Refusal::Receipts,
    Refusal::Ported,
    Refusal::NoRate,
    Refusal::Closed,
    Refusal::MaxPrice,
    Refusal::NoSellPrice,
    Refusal::MinMargin,
    Refusal::MinDeliveryRate,
];

/// Reads every expectation of a case, and logs if there is none or more than one outcome.
pub(super) fn read(section: &Section<'_>) -> Vec<Expectation> {
    let mut found = Vec::new();
    let mut add = |entry: &Entry<'_>, aspect, values: Option<Vec<String>>| {
        found.extend(values.map(|values| Expectation {
            place: entry.place(),
            aspect,
            values,
        }));
    };
    let key = |name: &str| section.key(name);
    let one = |entry: &Entry<'_>, chars| {
        entry
            .is_present()
            .then(|| entry.string(chars))
            .flatten()
            .map(|it| vec![it])
    };
    let carrier = |entry: &Entry<'_>| entry.parse(CarrierName::new).map(|name| name.to_string());

    let entry = key("carrier");
    add(&entry, Aspect::Carrier, carrier(&entry).map(|name| vec![name]));
    let entry = key("carriers");
    add(&entry, Aspect::Carriers, entry.list(LIST_MAX, |item| carrier(&item)));
    let entry = key("reject");
    add(&entry, Aspect::Reject, one(&entry, TEXT_CHARS_MAX));
    let entry = key("no_route");
    add(&entry, Aspect::NoRoute, read_no_route(&entry).then(Vec::new));
    let entry = key("policy");
    add(&entry, Aspect::Policy, one(&entry, NAME_CHARS_MAX));
    let entry = key("policies");
    add(
        &entry,
        Aspect::Policies,
        entry.list(LIST_MAX, |item| item.string(NAME_CHARS_MAX)),
    );
    let entry = key("cost");
    add(&entry, Aspect::Cost(None), money(&entry));
    let entry = key("copies");
    let number = |item: Entry<'_>| item.str().map(|number| number.trim_start_matches('+').to_owned());
    add(&entry, Aspect::Copies, entry.list(LIST_MAX, number));
    let entry = key("tags");
    add(
        &entry,
        Aspect::Tags,
        entry.list(LIST_MAX, |item| item.string(NAME_CHARS_MAX)),
    );

    let table = |name: &str| key(name).section();
    found.extend(table("refused").iter().flat_map(read_refused));
    found.extend(table("costs").iter().flat_map(read_costs));
    found.extend(table("sent").iter().flat_map(read_sent));
    found.extend(table("served").iter().flat_map(read_served));
    found.extend(table("terms").iter().flat_map(read_terms));
    refuse_outcomes(section);
    found
}

/// A case has one outcome at most, and something to fail by.
fn refuse_outcomes(section: &Section<'_>) {
    const OUTCOMES: [&str; 4] = ["carrier", "carriers", "reject", "no_route"];
    const REST: [&str; 10] = [
        "policy", "policies", "cost", "costs", "copies", "tags", "refused", "sent", "served", "terms",
    ];
    let written: Vec<&str> = OUTCOMES.into_iter().filter(|key| section.has(key)).collect();
    if let [first, second, ..] = written[..] {
        let what = format!("both {first} and {second}");
        let why = "a message has one outcome; carriers begins with the selected one";
        section
            .log()
            .error(section.place_of(second), code::CASE, what, why, "keep one of them");
    } else if written.is_empty() && !REST.iter().any(|key| section.has(key)) {
        let help = "add carrier = \"…\", reject = \"…\" or no_route = true";
        section.log().error(
            section.place(),
            code::CASE,
            "the case expects nothing",
            "it could not fail",
            help,
        );
    }
}

fn read_no_route(entry: &Entry<'_>) -> bool {
    let found = entry.boolean();
    if found == Some(false) {
        entry.refuse(
            code::CASE,
            "is false",
            "it says little of what happens",
            "name the carrier instead",
        );
    }
    found == Some(true)
}

fn money(entry: &Entry<'_>) -> Option<Vec<String>> {
    entry.parse(Micros::parse).map(|amount| vec![amount.to_string()])
}

fn read_refused(table: &Section<'_>) -> Vec<Expectation> {
    let words = REFUSALS.map(|why| (why.as_str(), why.as_str()));
    let read = |(name, entry): &(&str, Entry<'_>)| {
        Some(Expectation {
            place: entry.place(),
            aspect: Aspect::Refused((*name).to_owned()),
            values: vec![entry.word(&words)?.to_owned()],
        })
    };
    table.entries().iter().filter_map(read).collect()
}

fn read_costs(table: &Section<'_>) -> Vec<Expectation> {
    let read = |(name, entry): &(&str, Entry<'_>)| {
        Some(Expectation {
            place: entry.place(),
            aspect: Aspect::Cost(Some((*name).to_owned())),
            values: money(entry)?,
        })
    };
    table.entries().iter().filter_map(read).collect()
}

/// One expectation of a table of them.
fn of(entry: &Entry<'_>, aspect: Aspect, value: Option<String>) -> Option<Expectation> {
    Some(Expectation {
        place: entry.place(),
        aspect,
        values: vec![value?],
    })
}

fn read_sent(table: &Section<'_>) -> Vec<Expectation> {
    let text = |name: &'static str| {
        let entry = table.key(name);
        let value = entry.str().map(|text| match name {
            "to" => text.trim_start_matches('+').to_owned(),
            _ => text.to_owned(),
        });
        of(&entry, Aspect::Sent(name), value)
    };
    let encoding = table.key("encoding");
    let word = encoding.word(&["gsm7", "ucs2", "binary"].map(|word| (word, word)));
    let segments = table.key("segments");
    let count = segments.integer(1..=255_u8);
    let read = [
        text("to"),
        text("from"),
        text("text"),
        of(&encoding, Aspect::Sent("encoding"), word.map(str::to_owned)),
        of(
            &segments,
            Aspect::Sent("segments"),
            count.map(|count| count.to_string()),
        ),
    ];
    read.into_iter().flatten().collect()
}

fn read_served(table: &Section<'_>) -> Vec<Expectation> {
    let parsed = |name: &'static str, parse: &dyn Fn(&str) -> Result<(), String>| {
        let entry = table.key(name);
        let value = entry.parse(|text| if text == UNKNOWN { Ok(()) } else { parse(text) }.map(|()| text.to_owned()));
        of(&entry, Aspect::Served(name), value)
    };
    let network = |text: &str| match text.len() {
        3 => Mcc::parse(text).map(|_| ()),
        _ => Network::parse_together(text).map(|_| ()),
    };
    let source = table.key("source");
    let word = source.word(&["query", "ported", "numbering"].map(|word| (word, word)));
    let ported = table.key("ported");
    let is_ported = ported.boolean();
    let read = [
        parsed("network", &|text| network(text).map_err(|error| error.to_string())),
        parsed("country", &|text| {
            Country::parse(text).map(|_| ()).map_err(|error| error.to_string())
        }),
        parsed("operator", &|_| Ok(())),
        of(&source, Aspect::Served("source"), word.map(str::to_owned)),
        of(&ported, Aspect::Served("ported"), is_ported.map(|is| is.to_string())),
    ];
    read.into_iter().flatten().collect()
}

fn read_terms(table: &Section<'_>) -> Vec<Expectation> {
    let duration = |name: &'static str| {
        let entry = table.key(name);
        let value = entry.parse(|text| match text {
            NEVER => Ok(NEVER.to_owned()),
            text => source::duration(text).map(duration_text),
        });
        of(&entry, Aspect::Terms(name), value)
    };
    let word = |name: &'static str, words: [&'static str; 3]| {
        let entry = table.key(name);
        let value = entry.word(&words.map(|word| (word, word)));
        of(&entry, Aspect::Terms(name), value.map(str::to_owned))
    };
    let attempts = table.key("attempts");
    let count = attempts.integer(1..=100_u32);
    let read = [
        of(
            &attempts,
            Aspect::Terms("attempts"),
            count.map(|count| count.to_string()),
        ),
        duration("deadline"),
        duration("receipt_within"),
        duration("spill_after"),
        word("on_unknown", ["resend", "wait", "fail"]),
        word("lookup", ["never", "when_it_matters", "always"]),
    ];
    read.into_iter().flatten().collect()
}

impl Expectation {
    /// The carrier that it is about, where it is about one.
    pub(crate) fn subject(&self) -> &str {
        match &self.aspect {
            Aspect::Refused(carrier) | Aspect::Cost(Some(carrier)) => carrier,
            _ => "",
        }
    }

    /// The key it was written under.
    pub(crate) fn key(&self) -> String {
        match &self.aspect {
            Aspect::Carrier => "carrier".to_owned(),
            Aspect::Carriers => "carriers".to_owned(),
            Aspect::Reject => "reject".to_owned(),
            Aspect::NoRoute => "no_route".to_owned(),
            Aspect::Policy => "policy".to_owned(),
            Aspect::Policies => "policies".to_owned(),
            Aspect::Refused(carrier) => format!("refused.{carrier}"),
            Aspect::Cost(None) => "cost".to_owned(),
            Aspect::Cost(Some(carrier)) => format!("costs.{carrier}"),
            Aspect::Sent(name) => format!("sent.{name}"),
            Aspect::Served(name) => format!("served.{name}"),
            Aspect::Copies => "copies".to_owned(),
            Aspect::Tags => "tags".to_owned(),
            Aspect::Terms(name) => format!("terms.{name}"),
        }
    }
}
