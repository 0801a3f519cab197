//! `policies.toml`: who goes where.

use std::collections::BTreeMap;

use sms::{Msisdn, TEXT_OCTETS_MAX};
use source::{Code, Place, Section};

use super::{
    Conditions, NAME_CHARS_MAX, RouteSpec, conditions,
    rates::read_span,
    route::{self, Named},
    sets::Sets,
};
use crate::{code, instant::Span};

/// Most policies in a table.
const POLICIES_MAX: usize = 10_000;
/// Most alternatives of one `except`.
const EXCEPTS_MAX: usize = 100;
/// Longest reason of a rejection, in characters.
const REASON_CHARS_MAX: usize = 200;
/// Most numbers that one policy copies to.
const COPIES_MAX: usize = 100;

/// One `[[policy]]` as written.
#[derive(Clone, Debug)]
pub(crate) struct PolicySpec {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) matches: Conditions,
    /// The policy is skipped if all of any one of them hold.
    pub(crate) excepts: Vec<Conditions>,
    pub(crate) rewrite: Rewrite,
    /// Numbers that get a further message, as written.
    pub(crate) copy: Vec<String>,
    pub(crate) tag: Option<String>,
    pub(crate) avoid: Vec<Named>,
    pub(crate) end: Option<End>,
}

/// What a policy replaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rewrite {
    pub(crate) sender: Option<String>,
    /// As written, be it with a plus.
    pub(crate) recipient: Option<String>,
    pub(crate) text: Option<String>,
}

/// How a policy ends the walk.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Reject(String),
    Route(Box<RouteSpec>),
}

pub(super) fn read(root: &Section<'_>, sets: &Sets) -> Vec<PolicySpec> {
    let mut policies = Vec::new();
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    for section in root.key("policy").sections(POLICIES_MAX) {
        let policy = read_policy(&section, sets);
        if let Some(first) = lines.get(&policy.name).filter(|_| !policy.name.is_empty()) {
            let what = format!("policy \"{}\" is defined twice, first in line {first}", policy.name);
            section.log().error(
                section.place_of("name"),
                Code::DUPLICATE,
                what,
                "",
                "rename one of them",
            );
        }
        lines.entry(policy.name.clone()).or_insert(policy.place.line);
        policies.push(policy);
    }
    policies
}

fn read_policy(section: &Section<'_>, sets: &Sets) -> PolicySpec {
    let conditions = |key: &str| -> Vec<Conditions> {
        section
            .key(key)
            .sections(EXCEPTS_MAX)
            .iter()
            .map(|table| read_except(table, sets))
            .collect()
    };
    let policy = PolicySpec {
        place: section.place(),
        name: section
            .key("name")
            .required()
            .string(NAME_CHARS_MAX)
            .unwrap_or_default(),
        span: read_policy_span(section),
        matches: section
            .key("match")
            .section()
            .map(|table| conditions::read(&table, sets))
            .unwrap_or_default(),
        excepts: conditions("except"),
        rewrite: section
            .key("rewrite")
            .section()
            .map(|table| read_rewrite(&table))
            .unwrap_or_default(),
        copy: section
            .key("copy")
            .section()
            .map(|table| read_copy(&table, sets))
            .unwrap_or_default(),
        tag: section.key("tag").string(NAME_CHARS_MAX),
        avoid: route::read_carriers(&section.key("avoid"), sets).unwrap_or_default(),
        end: read_end(section, sets),
    };
    refuse_idle(section, &policy);
    policy
}

fn read_except(table: &Section<'_>, sets: &Sets) -> Conditions {
    if table.is_empty() {
        let what = "except without conditions holds of every message";
        table.log().error(
            table.place(),
            code::EMPTY,
            what,
            "its policy would never be used",
            "remove it",
        );
    }
    conditions::read(table, sets)
}

fn read_policy_span(section: &Section<'_>) -> Span {
    let text = |key: &str| section.key(key).instant_text().unwrap_or_default();
    let place = ["from", "until"]
        .into_iter()
        .find(|key| section.has(key))
        .map(|key| section.place_of(key));
    match place {
        Some(place) => read_span(&text("from"), &text("until"), &place, section.log()).unwrap_or(Span::ALWAYS),
        None => {
            let _ = (text("from"), text("until"));
            Span::ALWAYS
        }
    }
}

fn read_rewrite(section: &Section<'_>) -> Rewrite {
    let sender = section.key("sender");
    let sender = sender.parse(|text| sms::Sender::new(text).map(|sender| sender.as_str().to_owned()));
    Rewrite {
        sender,
        recipient: section.key("recipient").parse(number),
        text: section.key("text").parse(body),
    }
}

fn read_copy(section: &Section<'_>, sets: &Sets) -> Vec<String> {
    let to = section.key("to").required();
    let numbers = sets.values(&to, number).unwrap_or_default();
    if numbers.len() > COPIES_MAX {
        let what = format_args!("has {} numbers, the limit is {COPIES_MAX}", numbers.len());
        to.refuse(Code::RANGE, what, "every message that fits is sent to each of them", "");
    }
    numbers
}

fn number(text: &str) -> Result<String, sms::AddressError> {
    Msisdn::new(text).map(|_| text.to_owned())
}

fn body(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("a text has at least one character".to_owned()),
        octets if octets > TEXT_OCTETS_MAX => Err(format!("it has {octets} octets, the limit is {TEXT_OCTETS_MAX}")),
        _ => Ok(text.to_owned()),
    }
}

fn read_end(section: &Section<'_>, sets: &Sets) -> Option<End> {
    let (reject, route) = (section.key("reject"), section.key("route"));
    if reject.is_present() && route.is_present() {
        let help = "keep one of them";
        section.log().error(
            section.place_of("reject"),
            code::ENDS,
            "both reject and route",
            "a walk ends once",
            help,
        );
    }
    let reject = reject.string(REASON_CHARS_MAX).map(End::Reject);
    let route = route
        .section()
        .map(|table| End::Route(Box::new(route::read(&table, sets))));
    reject.or(route)
}

/// A policy that neither acts nor ends is most likely a slip.
fn refuse_idle(section: &Section<'_>, policy: &PolicySpec) {
    let acts = ["rewrite", "copy", "tag", "avoid", "reject", "route"]
        .iter()
        .any(|key| section.has(key));
    if !acts {
        let what = format!("policy \"{}\" does nothing", policy.name);
        section.log().warning(
            section.place(),
            code::ENDS,
            what,
            "it neither acts nor ends the walk",
            "add a route",
        );
    }
}
