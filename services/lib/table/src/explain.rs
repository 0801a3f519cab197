//! What a walk saw, as one JSON object or as a tree for people.

mod report;
mod stake;

use serde::Serialize;

pub use self::stake::{StakeReport, StakeVerdict};
use crate::{
    decision::{Decision, Refusal},
    instant::instant_text,
    money::Micros,
    network::Country,
    numbers::Resolved,
    policy::{Policy, Skipped},
    query::Query,
    rates::{CarrierIndex, Price},
    senders::Shown,
    table::Table,
    walk::Probe,
};

/// How one query was decided, and why. Serialized, it is the JSON of `table explain`; displayed, a tree for people.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// Recipient as asked.
    pub to: String,
    /// Sender as asked.
    pub from: String,
    /// Account.
    pub account: String,
    /// Class.
    pub class: &'static str,
    /// Encoding of what is sent.
    pub encoding: &'static str,
    /// Segments of what is sent.
    pub segments: u8,
    /// The instant decided for, RFC 3339 in UTC.
    pub at: String,
    /// Content hash of the table.
    pub table: String,
    /// Who serves the recipient; `None` = unknown.
    pub network: Option<ServedBy>,
    /// Every policy that applied, in order.
    pub policies: Vec<String>,
    /// The policy that ended the walk; `None` = the defaults did.
    pub policy: Option<String>,
    /// `route`, `reject`, `no_route`; in a running router also `wait`.
    pub action: &'static str,
    /// Why it was not routed.
    pub reason: Option<String>,
    /// What policies set.
    pub rewritten: Rewritten,
    /// Further recipients.
    pub copies: Vec<String>,
    /// Words that policies tagged it with.
    pub tags: Vec<String>,
    /// Carriers, ranked ones first, then the refused in candidate order.
    pub candidates: Vec<CandidateReport>,
    /// What a look-up could change; `None` where the route does not ask `when_it_matters`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<StakeReport>,
    /// Each policy looked at and what came of it.
    #[serde(skip)]
    pub steps: Vec<Step>,
    /// Currency of every cost.
    #[serde(skip)]
    pub currency: String,
}

/// The network that serves a recipient.
#[derive(Clone, Debug, Serialize)]
pub struct ServedBy {
    /// Mobile country code.
    pub mcc: String,
    /// Mobile network code; empty = only the MCC is known.
    pub mnc: String,
    /// Two letters; `None` = not known.
    pub country: Option<String>,
    /// The operator's name; `None` = the numbering plan does not have the network.
    pub operator: Option<String>,
    /// Who named it: `query`, `hlr`, `ported` or `numbering`.
    pub source: &'static str,
    /// Whether the number was ported.
    pub ported: bool,
}

/// What policies set in place of what was asked; `None` = nothing.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rewritten {
    /// Recipient.
    pub to: Option<String>,
    /// Sender.
    pub from: Option<String>,
    /// Text.
    pub text: Option<String>,
}

/// One carrier of the route.
#[derive(Clone, Debug, Serialize)]
pub struct CandidateReport {
    /// Its name.
    pub carrier: String,
    /// `selected`, `fallback`, `spare` or `refused`.
    pub verdict: &'static str,
    /// From 1; `None` = refused.
    pub rank: Option<usize>,
    /// Why it was refused.
    pub reason: Option<&'static str>,
    /// Price of a segment with 6 places; `None` = no rate, or closed.
    pub price: Option<String>,
    /// Currency of `price`.
    pub currency: String,
    /// Cost of all segments in the table's currency with 6 places; `None` as for `price`.
    pub cost: Option<String>,
    /// Sender towards it.
    pub from: String,
}

/// One policy that the walk looked at.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name.
    pub policy: String,
    /// Why it did not apply; `None` = it did.
    pub skipped: Option<String>,
    /// What it did beside ending the walk; empty = nothing.
    pub acts: String,
}

/// Records a walk.
#[derive(Default)]
pub(crate) struct Recorder<'t> {
    resolved: Option<Resolved<'t>>,
    steps: Vec<(&'t Policy, Option<String>)>,
    refused: Vec<(CarrierIndex, Refusal, Shown, Option<Price>)>,
}

impl<'t> Probe<'t> for Recorder<'t> {
    const WANTS_ALL: bool = true;

    fn resolved(&mut self, resolved: &Resolved<'t>) {
        self.resolved = Some(*resolved);
    }

    fn skipped(&mut self, policy: &'t Policy, why: Skipped<'t>) {
        let why = match why {
            Skipped::Span => "not in force at that time".to_owned(),
            Skipped::Match(test) => format!("{test} does not hold"),
            Skipped::Except(at) => format!("except {} holds", at + 1),
        };
        self.steps.push((policy, Some(why)));
    }

    fn applied(&mut self, policy: &'t Policy) {
        self.steps.push((policy, None));
    }

    fn refused(&mut self, carrier: CarrierIndex, why: Refusal, shown: Shown, price: Option<Price>) {
        self.refused.push((carrier, why, shown, price));
    }
}

impl Recorder<'_> {
    /// The whole explanation.
    pub(crate) fn finish(self, table: &Table, query: &Query<'_>, decision: &Decision<'_>) -> Explanation {
        let candidates = self.candidates(table, query, decision);
        let applied = self.steps.iter().filter(|(_, skipped)| skipped.is_none());
        Explanation {
            to: query.to.to_owned(),
            from: query.from.to_owned(),
            account: query.account.to_owned(),
            class: query.class.as_str(),
            encoding: decision.encoding.as_str(),
            segments: decision.segments,
            at: instant_text(query.at),
            table: table.version.to_string(),
            network: self.resolved.and_then(|resolved| served_by(table, &resolved)),
            policies: applied.map(|(policy, _)| policy.name.to_string()).collect(),
            policy: decision.policy.map(str::to_owned),
            action: decision.action.as_str(),
            reason: decision.why(),
            rewritten: Rewritten {
                to: decision.to.map(str::to_owned),
                from: decision.from.map(str::to_owned),
                text: decision.text.map(str::to_owned),
            },
            copies: owned(&decision.copies),
            tags: owned(&decision.tags),
            candidates,
            lookup: StakeReport::of(table, query, decision),
            steps: self.steps.into_iter().map(|seen| step(table, seen)).collect(),
            currency: table.currency.to_string(),
        }
    }

    fn candidates(&self, table: &Table, query: &Query<'_>, decision: &Decision<'_>) -> Vec<CandidateReport> {
        let from = decision.from.unwrap_or(query.from);
        let report = |carrier: CarrierIndex, shown: Shown, money: Option<(Micros, Micros)>| {
            let shown = table.senders.shown(shown).map(|(sender, _)| &**sender);
            let carrier = &table.carriers[usize::from(carrier)];
            CandidateReport {
                carrier: carrier.name.to_string(),
                verdict: "refused",
                rank: None,
                reason: None,
                price: money.map(|(unit, _)| unit.to_string()),
                currency: carrier.currency.to_string(),
                cost: money.map(|(_, cost)| cost.to_string()),
                from: shown.unwrap_or(from).to_owned(),
            }
        };
        let ranked = decision.ranking.iter().zip(1..).map(|(one, rank)| CandidateReport {
            verdict: verdict(rank, decision.terms.attempts),
            rank: Some(rank),
            ..report(one.carrier, one.shown, Some((one.unit, one.cost)))
        });
        let refused = self.refused.iter().map(|(carrier, why, shown, price)| CandidateReport {
            reason: Some(why.as_str()),
            ..report(
                *carrier,
                *shown,
                price.map(|price| (price.unit, price.cost.times(decision.segments))),
            )
        });
        ranked.chain(refused).collect()
    }
}

fn step(table: &Table, (policy, skipped): (&Policy, Option<String>)) -> Step {
    let acts = if skipped.is_none() {
        acts(table, policy)
    } else {
        String::new()
    };
    Step {
        policy: policy.name.to_string(),
        skipped,
        acts,
    }
}

/// What a policy does beside ending the walk.
fn acts(table: &Table, policy: &Policy) -> String {
    let list = |items: &mut dyn Iterator<Item = String>| items.collect::<Vec<_>>().join(" and ");
    let copied = list(&mut policy.copy.iter().map(ToString::to_string));
    let avoided = list(
        &mut policy
            .avoid
            .iter()
            .map(|carrier| table.carriers[usize::from(*carrier)].name.to_string()),
    );
    let parts = [
        policy.recipient.as_ref().map(|(to, _)| format!("sets recipient {to}")),
        policy.sender.as_ref().map(|sender| format!("sets sender {sender}")),
        policy.text.as_ref().map(|(text, _)| format!("sets text {text:?}")),
        Some(copied)
            .filter(|to| !to.is_empty())
            .map(|to| format!("copies to {to}")),
        policy.tag.as_ref().map(|tag| format!("tags {tag}")),
        Some(avoided)
            .filter(|names| !names.is_empty())
            .map(|names| format!("avoids {names}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn verdict(rank: usize, attempts: u32) -> &'static str {
    match rank {
        1 => "selected",
        rank if rank <= usize::try_from(attempts).unwrap_or(usize::MAX) => "fallback",
        _ => "spare",
    }
}

/// What people are told of who serves a recipient.
pub(crate) fn served_by(table: &Table, resolved: &Resolved<'_>) -> Option<ServedBy> {
    resolved.network.map(|network| ServedBy {
        mcc: network.mcc().to_string(),
        mnc: network.mnc(),
        country: resolved.country.as_ref().map(Country::to_string),
        operator: table.numbers.operator(resolved).map(str::to_owned),
        source: resolved.source.as_str(),
        ported: resolved.ported,
    })
}
