//! Keys and values in the words of the format, whatever was written.

use std::{fmt::Display, time::Duration};

use sms::{Encoding, SenderKind, UnixMs};
use source::duration_text;

use super::merge::Field;
use crate::{
    instant::instant_text,
    spec::{CarrierSpec, Charged, Lookup, OnUnknown, RouteSpec, RouteType, Strategy, Test},
};

/// Keys with their values, in the order of the format.
#[derive(Default)]
pub(super) struct Fields(pub(super) Vec<Field>);

impl Fields {
    /// A key with one value; absent ones are left out.
    pub(super) fn one(&mut self, key: &str, value: Option<impl Display>) {
        self.0
            .extend(value.map(|value| (key.to_owned(), vec![value.to_string()])));
    }

    /// A key with values whose order means nothing; empty ones are left out.
    pub(super) fn many(&mut self, key: &str, mut values: Vec<String>) {
        values.sort_unstable();
        values.dedup();
        self.listed(key, values);
    }

    /// A key with values in order.
    fn listed(&mut self, key: &str, values: Vec<String>) {
        if !values.is_empty() {
            self.0.push((key.to_owned(), values));
        }
    }
}

/// An end of a span; `None` = unbounded.
pub(super) fn instant(ms: i64) -> Option<String> {
    let ms = u64::try_from(ms).ok().filter(|_| ms < i64::MAX)?;
    Some(instant_text(UnixMs(ms)))
}

/// The values of a condition, all of them.
pub(super) fn values(test: &Test) -> Vec<String> {
    fn all<T: Display>(list: &[T]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }
    match test {
        Test::Class(list) => all(list),
        Test::Encoding(list) => all(list),
        Test::SegmentsOver(bound) => vec![bound.to_string()],
        Test::Ported(wanted) => vec![wanted.to_string()],
        Test::SenderKind(list) => list.iter().map(|kind| kind.as_str().to_owned()).collect(),
        Test::Country(list) => all(list),
        Test::Network(list) => all(list),
        Test::Prefix(list) => all(list),
        Test::Account(globs) | Test::Sender(globs) => {
            let written = globs.written().into_iter();
            written.map(|glob| glob.to_ascii_lowercase()).collect()
        }
        Test::Tag(list) => list.clone(),
        Test::Hours(hours) => vec![hours.to_string()],
        Test::Text(list) => all(list),
    }
}

/// What a carrier is that says nothing.
pub(super) const CARRIER_DEFAULTS: [(&str, &str); 9] = [
    ("enabled", "true"),
    ("only_named", "false"),
    ("sender_kinds", "alphanumeric long_code short_code"),
    ("encodings", "binary gsm7 ucs2"),
    ("concatenation", "true"),
    ("receipts", "true"),
    ("accepts_ported", "true"),
    ("route_type", "direct"),
    ("charged", "submit"),
];

/// A carrier with its defaults spelled out.
pub(super) fn carrier(carrier: &CarrierSpec) -> Vec<Field> {
    const ENCODINGS: [Encoding; 3] = [Encoding::Gsm7, Encoding::Ucs2, Encoding::Binary];
    const KINDS: [SenderKind; 3] = [SenderKind::Alphanumeric, SenderKind::LongCode, SenderKind::ShortCode];
    let mut fields = Fields::default();
    fields.one("currency", Some(&carrier.currency));
    fields.one("enabled", Some(carrier.enabled));
    fields.one("only_named", Some(carrier.only_named));
    let kinds = KINDS.iter().filter(|kind| carrier.sender_kinds.contains(**kind));
    fields.many("sender_kinds", kinds.map(|kind| kind.as_str().to_owned()).collect());
    let encodings = ENCODINGS
        .iter()
        .filter(|encoding| carrier.encodings.contains(**encoding));
    fields.many("encodings", encodings.map(ToString::to_string).collect());
    fields.one("concatenation", Some(carrier.concatenation));
    fields.one("receipts", Some(carrier.receipts));
    fields.one("accepts_ported", Some(carrier.accepts_ported));
    let countries = carrier.countries.iter().flatten();
    fields.many("countries", countries.map(ToString::to_string).collect());
    fields.one("throughput", carrier.throughput);
    fields.one("route_type", Some(route_type(carrier.route_type)));
    let charged = match carrier.charged {
        Charged::Submit => "submit",
        Charged::Delivered => "delivered",
    };
    fields.one("charged", Some(charged));
    fields.0
}

/// A route under `under`, with what it says. Its carriers are in order if that means something.
pub(super) fn route(under: &str, route: &RouteSpec, is_ordered: bool, fields: &mut Fields) {
    let key = |name: &str| format!("{under}.{name}");
    let duration = |value: Option<Duration>| value.map(duration_text);
    fields.one(&key("strategy"), route.strategy.map(strategy));
    let named = route.carriers.iter().flatten();
    let names: Vec<String> = named.map(|named| named.carrier.to_string()).collect();
    for (name, weight) in names.iter().zip(route.weights.iter().flatten()) {
        fields.one(&key(&format!("weights.{name}")), Some(weight));
    }
    if is_ordered {
        fields.listed(&key("carriers"), names);
    } else {
        fields.many(&key("carriers"), names);
    }
    let types = route.route_types.iter().flatten();
    fields.many(
        &key("route_types"),
        types.map(|one| route_type(*one).to_owned()).collect(),
    );
    fields.one(&key("attempts"), route.attempts);
    fields.one(&key("deadline"), duration(route.deadline));
    fields.one(&key("max_price"), route.max_price);
    fields.one(&key("min_margin"), route.min_margin);
    fields.one(&key("min_delivery_rate"), route.min_delivery_rate);
    fields.one(&key("receipt_within"), duration(route.receipt_within));
    fields.one(&key("spill_after"), duration(route.spill_after));
    let on_unknown = route.on_unknown.map(|word| match word {
        OnUnknown::Resend => "resend",
        OnUnknown::Wait => "wait",
        OnUnknown::Fail => "fail",
    });
    fields.one(&key("on_unknown"), on_unknown);
    let lookup = route.lookup.map(|word| match word {
        Lookup::Never => "never",
        Lookup::WhenItMatters => "when_it_matters",
        Lookup::Always => "always",
    });
    fields.one(&key("lookup"), lookup);
}

const fn strategy(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::LeastCost => "least_cost",
        Strategy::Priority => "priority",
        Strategy::Weighted => "weighted",
        Strategy::BestValue => "best_value",
        Strategy::Fastest => "fastest",
    }
}

const fn route_type(route_type: RouteType) -> &'static str {
    match route_type {
        RouteType::Direct => "direct",
        RouteType::Hub => "hub",
        RouteType::Wholesale => "wholesale",
        RouteType::Sim => "sim",
    }
}
