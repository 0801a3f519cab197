//! How often each rule was reached: a comparison that never reaches a rule proves nothing of it.

use std::{collections::BTreeMap, fmt};

/// A kind of rule and one of its names.
pub(crate) type Rule = (&'static str, &'static str);

#[derive(Clone, Debug, Default)]
pub(crate) struct Counts {
    /// Messages asked.
    pub(crate) asks: u64,
    rules: BTreeMap<Rule, u64>,
}

/// All that has to be reached.
const RULES: [(&str, &[&str]); 14] = [
    ("action", &["route", "reject", "no_route", "wait"]),
    ("verdict", &["selected", "fallback", "spare", "refused"]),
    (
        "refused",
        &[
            "disabled",
            "avoided",
            "route_type",
            "country",
            "sender",
            "sender_kind",
            "encoding",
            "concatenation",
            "receipts",
            "ported",
            "no_rate",
            "closed",
            "max_price",
            "no_sell_price",
            "min_margin",
            "min_delivery_rate",
            "circuit_open",
            "saturated",
            "already_tried",
        ],
    ),
    (
        "strategy",
        &["least_cost", "priority", "weighted", "best_value", "fastest"],
    ),
    ("network", &["query", "hlr", "ported", "numbering", "unknown"]),
    ("country", &["own row", "first row", "none"]),
    ("rate", &["mcc+mnc", "prefix", "mcc", "none"]),
    ("sell", &["own sheet", "default sheet", "none", "closed"]),
    (
        "quality",
        &["few attempts", "bound", "none", "live", "few live attempts"],
    ),
    ("money", &["half to even", "rounded", "exact"]),
    ("act", &["sender", "tag", "avoid", "recipient", "text", "copy"]),
    ("held", CONDITIONS),
    ("failed", CONDITIONS),
    ("policy", &["too early", "too late", "excepted", "applied"]),
];

const CONDITIONS: &[&str] = &[
    "account",
    "sender",
    "country",
    "network",
    "prefix",
    "sender_kind",
    "class",
    "encoding",
    "text",
    "segments_over",
    "ported",
    "tag",
    "between",
    "between over midnight",
    "days",
];

impl Counts {
    pub(crate) fn add(&mut self, kind: &'static str, name: &'static str) {
        *self.rules.entry((kind, name)).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.asks += other.asks;
        for (rule, count) in &other.rules {
            *self.rules.entry(*rule).or_default() += count;
        }
    }

    /// The rules that were never reached.
    pub(crate) fn missed(&self) -> Vec<Rule> {
        let all = RULES
            .iter()
            .flat_map(|(kind, names)| names.iter().map(|name| (*kind, *name)));
        all.filter(|rule| !self.rules.contains_key(rule)).collect()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for ((kind, name), count) in &self.rules {
            if *kind != last {
                write!(f, "\n{kind}:")?;
                last = kind;
            }
            write!(f, " {name} {count},")?;
        }
        Ok(())
    }
}
