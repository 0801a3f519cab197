//! What a message would cost and earn: a decision with the customer's price beside it.

use sms::{CarrierName, Encoding};

use crate::{
    decision::{Action, Candidate, Decision, Refusal},
    digits::Digits,
    explain::{ServedBy, served_by},
    money::Micros,
    numbers::Resolved,
    policy::{Policy, Skipped},
    query::Query,
    rates::{CarrierIndex, Price},
    senders::Shown,
    table::Table,
    walk::{Probe, recipient, walk},
};

/// What one message would cost and earn. Costs and the customer's price are in the table's currency.
#[derive(Clone, Debug)]
pub struct Quote<'t> {
    /// What the decision comes to.
    pub action: Action,
    /// Why there is no carrier: the policy's reason, `no_route`, or the first live refusal; `None` = there is one.
    pub reason: Option<String>,
    /// The policy that ended the walk; `None` = the defaults did.
    pub policy: Option<&'t str>,
    /// Who serves the recipient; `None` = unknown.
    pub network: Option<ServedBy>,
    /// The carrier that would be asked first; `None` = none would.
    pub selected: Option<Candidate<'t>>,
    /// Carriers that would be asked after it.
    pub fallbacks: usize,
    /// What the account pays for a segment; `None` = nothing is agreed, or closed.
    pub sell: Option<Micros>,
    /// Encoding of what would be sent.
    pub encoding: Encoding,
    /// Segments of what would be sent.
    pub segments: u8,
    /// What is left of the account's price for all segments; `None` without a carrier or without a price.
    pub margin: Option<Micros>,
    /// Carriers that are not asked, in candidate order: all where none is selected, else those that only the moment refuses.
    pub refused: Vec<(CarrierName, Refusal)>,
}

/// Keeps what a decision does not: the network, and who was refused.
#[derive(Default)]
struct Notes<'t> {
    resolved: Option<Resolved<'t>>,
    refused: Vec<(CarrierIndex, Refusal)>,
}

impl<'t> Probe<'t> for Notes<'t> {
    const WANTS_ALL: bool = true;

    fn resolved(&mut self, resolved: &Resolved<'t>) {
        self.resolved = Some(*resolved);
    }

    fn skipped(&mut self, _: &'t Policy, _: Skipped<'t>) {}

    fn applied(&mut self, _: &'t Policy) {}

    fn refused(&mut self, carrier: CarrierIndex, why: Refusal, _: Shown, _: Option<Price>) {
        self.refused.push((carrier, why));
    }
}

/// Runs the walk of a decision and adds the customer's side.
pub(crate) fn quote<'t>(table: &'t Table, query: &Query<'_>) -> Quote<'t> {
    let mut notes = Notes::default();
    let mut decision = Decision::new();
    walk(table, query, &mut notes, &mut decision);
    let resolved = notes.resolved.expect("a walk begins by resolving the recipient");
    let book = table.sell.as_ref();
    let to = decision
        .to
        .and_then(Digits::of_number)
        .unwrap_or_else(|| recipient(query));
    let sell = book.and_then(|book| book.price(query.account, to, resolved.network, query.at));
    let is_routed = decision.action == Action::Route;
    let told = notes.refused.iter().filter(|(_, why)| !is_routed || why.is_live());
    let refused = told.map(|(carrier, why)| (table.carriers[usize::from(*carrier)].name.clone(), *why));
    let reason = decision.why();
    let fallbacks = decision.candidates.len().saturating_sub(1);
    let selected = decision.candidates.first().copied();
    Quote {
        action: decision.action,
        reason,
        policy: decision.policy,
        network: served_by(table, &resolved),
        margin: margin(selected.as_ref(), sell, decision.segments),
        selected,
        fallbacks,
        encoding: decision.encoding,
        segments: decision.segments,
        sell,
        refused: refused.collect(),
    }
}

fn margin(selected: Option<&Candidate<'_>>, sell: Option<Micros>, segments: u8) -> Option<Micros> {
    Some(Micros(sell?.times(segments).0 - selected?.cost.0))
}
