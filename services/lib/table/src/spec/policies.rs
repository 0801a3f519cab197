//! `policies.toml`: who goes where.

use std::collections::BTreeMap;

use source::{Code, Place, Section};

use super::{
    Conditions, NAME_CHARS_MAX, RouteSpec, conditions, later,
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
    pub(crate) tag: Option<String>,
    pub(crate) avoid: Vec<Named>,
    pub(crate) end: Option<End>,
}

/// What a policy replaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rewrite {
    pub(crate) sender: Option<String>,
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
    later::refuse_keys(section, &["copy"]);
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
    later::refuse_keys(section, &["recipient", "text"]);
    let sender = section.key("sender");
    let sender = sender.parse(|text| sms::Sender::new(text).map(|sender| sender.as_str().to_owned()));
    Rewrite { sender }
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
