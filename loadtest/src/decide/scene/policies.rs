//! Policies as the scene holds them: what `policies.toml` says, and what the reference reads.

mod made;
mod seldom;

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use sms::UnixMs;
use table::Lookup;

use super::Money;
pub(super) use made::policies;

/// Conditions that must all hold, under the keys of `policies.toml`; empty = any.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Conditions {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) account: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sender: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) country: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) network: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) prefix: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sender_kind: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) class: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) encoding: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) text: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) segments_over: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ported: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tag: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) between: Option<[&'static str; 2]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) days: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timezone: Option<&'static str>,
}

/// One policy.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Policy {
    pub(crate) name: String,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub(crate) from: Option<UnixMs>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "instant")]
    pub(crate) until: Option<UnixMs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) avoid: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reject: Option<&'static str>,
    #[serde(rename = "match")]
    pub(crate) matches: Conditions,
    #[serde(rename = "except", skip_serializing_if = "Vec::is_empty")]
    pub(crate) excepts: Vec<Conditions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rewrite: Option<Rewrite>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copy: Option<Copies>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route: Option<Route>,
}

/// What a policy replaces.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Rewrite {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sender: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipient: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<&'static str>,
}

/// Further recipients of what a policy applies to.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Copies {
    pub(crate) to: Vec<&'static str>,
}

/// How the candidates are ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Strategy {
    #[default]
    LeastCost,
    Priority,
    Weighted,
    BestValue,
    Fastest,
}

/// Where a policy sends what it ends.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Route {
    pub(crate) strategy: Strategy,
    /// Empty = every carrier that does not stand by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) carriers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) route_types: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_margin: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min_delivery_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receipt_within: Option<&'static str>,
    #[serde(skip_serializing_if = "is_never", serialize_with = "lookup")]
    pub(crate) lookup: Lookup,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) weights: BTreeMap<String, u32>,
}

fn is_never(lookup: &Lookup) -> bool {
    *lookup == Lookup::Never
}

fn lookup<S: Serializer>(lookup: &Lookup, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match lookup {
        Lookup::Never => "never",
        Lookup::WhenItMatters => "when_it_matters",
        Lookup::Always => "always",
    })
}

fn instant<S: Serializer>(at: &Option<UnixMs>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&super::instant(*at))
}

/// `policies.toml`.
pub(super) fn toml(policies: &[Policy]) -> String {
    #[derive(Serialize)]
    struct File<'a> {
        policy: &'a [Policy],
    }
    toml::to_string(&File { policy: policies }).expect("strings, lists and tables are TOML")
}
