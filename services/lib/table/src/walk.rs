//! The walk: policies in order, then the candidates of the route that ends it. Generic over a probe: with `()` it decides,
//! with a recorder it explains, so the two cannot drift apart.

use sms::{Class, Encoding, SenderKind, UnixMs};

use crate::{
    decision::{Action, Decision, Refusal},
    digits::Digits,
    names::Name,
    numbers::Resolved,
    offer::offer,
    policy::{Ends, Policy, Route, Skipped},
    query::Query,
    rates::{CarrierIndex, Price},
    senders::Shown,
    table::Table,
};

/// Watches a walk.
pub(crate) trait Probe<'t> {
    /// Whether every policy is to be judged and every candidate ranked, not only what a decision needs.
    const WANTS_ALL: bool;
    /// A recipient was resolved; the last one counts.
    fn resolved(&mut self, resolved: &Resolved<'t>);
    /// A policy does not apply.
    fn skipped(&mut self, policy: &'t Policy, why: Skipped<'t>);
    /// A policy applies.
    fn applied(&mut self, policy: &'t Policy);
    /// A candidate is refused; `shown` is its sender, `price` what it would have charged. Only told to who wants all.
    fn refused(&mut self, carrier: CarrierIndex, why: Refusal, shown: Shown, price: Option<Price>);
}

/// Deciding watches nothing.
impl<'t> Probe<'t> for () {
    const WANTS_ALL: bool = false;
    fn resolved(&mut self, _: &Resolved<'t>) {}
    fn skipped(&mut self, _: &'t Policy, _: Skipped<'t>) {}
    fn applied(&mut self, _: &'t Policy) {}
    fn refused(&mut self, _: CarrierIndex, _: Refusal, _: Shown, _: Option<Price>) {}
}

/// The message as the policies so far left it.
pub(crate) struct Message<'t, 'q> {
    pub(crate) to: Digits,
    pub(crate) from: Name<'q>,
    pub(crate) sender_kind: SenderKind,
    pub(crate) account: Name<'q>,
    pub(crate) class: Class,
    pub(crate) encoding: Encoding,
    pub(crate) segments: u8,
    pub(crate) text: Option<&'q str>,
    pub(crate) at: UnixMs,
    pub(crate) resolved: Resolved<'t>,
    pub(crate) tags: Vec<&'t str>,
}

/// Walks `table` for `query` and fills `decision`.
pub(crate) fn walk<'t, P: Probe<'t>>(table: &'t Table, query: &Query<'_>, probe: &mut P, decision: &mut Decision<'t>) {
    decision.clear();
    let to = recipient(query);
    let resolved = table.numbers.resolve(to, query.network, query.ported);
    probe.resolved(&resolved);
    let mut message = Message {
        to,
        from: table.sender_names.name(query.from),
        sender_kind: SenderKind::of(query.from),
        account: table.account_names.name(query.account),
        class: query.class,
        encoding: query.encoding,
        segments: query.segments,
        text: query.text,
        at: query.at,
        resolved,
        tags: std::mem::take(&mut decision.tags),
    };
    let route = follow(table, &mut message, probe, decision);
    (decision.encoding, decision.segments) = (message.encoding, message.segments);
    decision.network = message.resolved.network;
    decision.route = route;
    if let Some(route) = route {
        decision.terms = *route.terms(query.class);
        offer(table, query, &message, route, route.attempts_max(), probe, decision);
    }
    decision.tags = message.tags;
}

/// The digits of the recipient; none where it is no number.
pub(crate) fn recipient(query: &Query<'_>) -> Digits {
    Digits::of_number(query.to).unwrap_or_default()
}

/// Applies policies until one ends the walk. `None` = it was rejected.
fn follow<'t: 'q, 'q, P: Probe<'t>>(
    table: &'t Table,
    message: &mut Message<'t, 'q>,
    probe: &mut P,
    decision: &mut Decision<'t>,
) -> Option<&'t Route> {
    let mut open = table.gates.open(message, 0);
    let mut every = 0..table.policies.len();
    // Who explains wants the very condition that fails, of every policy.
    while let Some(at) = if P::WANTS_ALL { every.next() } else { open.next() } {
        let policy = &table.policies[at];
        if P::WANTS_ALL {
            let judged = policy.judge(message);
            debug_assert_eq!(
                judged.is_ok(),
                open.admits(at) && policy.applies(message),
                "the gates and policy {} disagree",
                policy.name
            );
            if let Err(why) = judged {
                probe.skipped(policy, why);
                continue;
            }
        } else if !policy.applies(message) {
            continue;
        }
        probe.applied(policy);
        act(table, policy, message, probe, decision);
        if policy.changes_message() {
            open = table.gates.open(message, at + 1);
        }
        let Some(ends) = &policy.ends else { continue };
        decision.policy = Some(&policy.name);
        decision.reached = at + 1;
        return match ends {
            Ends::Route(route) => Some(route),
            Ends::Reject(reason) => {
                decision.action = Action::Reject;
                decision.reason = Some(reason);
                None
            }
        };
    }
    decision.reached = table.policies.len();
    Some(&table.default_route)
}

/// Does what a policy does beside ending the walk.
fn act<'t: 'q, 'q, P: Probe<'t>>(
    table: &'t Table,
    policy: &'t Policy,
    message: &mut Message<'t, 'q>,
    probe: &mut P,
    decision: &mut Decision<'t>,
) {
    if let Some(sender) = &policy.sender {
        message.from = table.sender_names.name(sender);
        message.sender_kind = SenderKind::of(sender);
        decision.from = Some(sender);
    }
    if let Some((recipient, digits)) = &policy.recipient {
        message.to = *digits;
        // What the query said of network and porting was said of the old number.
        message.resolved = table.numbers.resolve(*digits, None, None);
        probe.resolved(&message.resolved);
        decision.to = Some(recipient);
    }
    if let Some((text, size)) = &policy.text {
        message.text = Some(text);
        (message.encoding, message.segments) = (size.encoding, size.segments);
        decision.text = Some(text);
    }
    decision.copies.extend(policy.copy.iter().map(|to| &**to));
    message.tags.extend(policy.tag.as_deref());
    decision.avoided.extend_from_slice(&policy.avoid);
}
