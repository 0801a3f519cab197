//! Holds the table's answers against the reference's, and counts what they are.

use std::collections::BTreeMap;

use serde::Serialize;
use table::{Action, Decision, Lookup, Query, Table};

use super::{
    answers::{Chosen, chosen, sent},
    measure::kind,
    reference::{Answer, Reference},
    scene::Net,
};

/// Messages whose explanation too is held against the reference, with every carrier refused and why.
const EXPLAINED_MAX: usize = 5_000;

/// What the answers are. Shares are in percent of all messages.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Answers {
    /// Answers of table and reference that were compared, each in action, policy, what is sent to whom, carriers, costs and
    /// look-up.
    pub(crate) compared: usize,
    /// Explanations that were compared, each in policies, what is sent, order of all carriers, and reasons of refusal.
    pub(crate) explained: usize,
    pub(crate) route: f64,
    pub(crate) reject: f64,
    pub(crate) no_route: f64,
    /// Policies that applied to a message, on average.
    pub(crate) policies_applied: f64,
    /// Carriers left to rank for a routed message, on average.
    pub(crate) carriers_ranked: f64,
    /// Carriers refused of a routed message, on average.
    pub(crate) carriers_refused: f64,
    /// By what ended the walk: the kind of policy, or `defaults`.
    pub(crate) ended_by: BTreeMap<String, f64>,
    /// Refusals by reason, on average for a message.
    pub(crate) refused_for: BTreeMap<&'static str, f64>,
    /// By what was done beside routing: `recipient`, `sender` and `text` were set, `copy` sent, a `lookup` asked for.
    pub(crate) acted: BTreeMap<&'static str, f64>,
    /// How many different policies ended a walk.
    pub(crate) policies_ending: usize,
}

/// Where two answers differ.
#[derive(Debug)]
pub(crate) struct Difference(pub(crate) String);

/// Decides all `queries` both ways.
///
/// # Errors
/// The first query that is answered differently, with both answers.
pub(crate) fn compare<'a>(
    table: &Table,
    reference: &Reference<'a>,
    queries: &[Query<'a>],
    told: &[Option<Net>],
) -> Result<Answers, Difference> {
    let (mut decision, mut answer) = (Decision::new(), Answer::default());
    let mut counts = Counts::default();
    for (at, (query, told)) in queries.iter().zip(told).enumerate() {
        table.decide(query, &mut decision);
        reference.decide(query, *told, &mut answer);
        let is_explained = at < EXPLAINED_MAX;
        if !is_same(&decision, reference, &answer)
            || (is_explained && !is_explained_same(table, query, reference, &answer))
        {
            return Err(difference(table, query, reference, &answer));
        }
        counts.count(&answer);
    }
    Ok(counts.answers(reference, queries.len()))
}

fn is_same(decision: &Decision<'_>, reference: &Reference<'_>, answer: &Answer<'_>) -> bool {
    let wanted = answer.ranked.iter().take(answer.attempts).map(|one| Chosen {
        carrier: reference.carrier(one.carrier),
        cost: one.cost,
        from: one.from,
    });
    decision.action == answer.action
        && decision.policy == answer.policy.map(|at| reference.policy(at))
        && decision.reason == answer.reason
        && decision.terms.lookup == answer.lookup
        && decision.tags == answer.tags
        && sent(decision) == answer.sent()
        && chosen(decision).eq(wanted)
}

fn is_explained_same(table: &Table, query: &Query<'_>, reference: &Reference<'_>, answer: &Answer<'_>) -> bool {
    let found = table.explain(query);
    let policies = answer.applied.iter().map(|at| reference.policy(*at));
    let ranked = answer
        .ranked
        .iter()
        .map(|one| (reference.carrier(one.carrier).as_str(), None));
    let refused = answer
        .refused
        .iter()
        .map(|(at, why)| (reference.carrier(*at).as_str(), Some(*why)));
    let candidates = found.candidates.iter().map(|one| (one.carrier.as_str(), one.reason));
    found.action == answer.action.as_str()
        && found.policies.iter().map(String::as_str).eq(policies)
        && found.rewritten.to.as_deref() == answer.to
        && found.rewritten.from.as_deref() == answer.from
        && found.rewritten.text.as_deref() == answer.text
        && found.copies == answer.copies
        && candidates.eq(ranked.chain(refused))
}

fn difference(table: &Table, query: &Query<'_>, reference: &Reference<'_>, answer: &Answer<'_>) -> Difference {
    let name = |at: usize| reference.carrier(at).as_str();
    let ranked: Vec<String> = answer
        .ranked
        .iter()
        .map(|one| format!("{} at {} {:?}", name(one.carrier), one.cost, one.from))
        .collect();
    let refused: Vec<String> = answer
        .refused
        .iter()
        .map(|(at, why)| format!("{} {why}", name(*at)))
        .collect();
    let mut decision = Decision::new();
    table.decide(query, &mut decision);
    Difference(format!(
        "table and reference differ\n\
         query: {} from {:?} account {} class {} {} x{} text {:?} at {} network {:?} ported {:?} roll {}\n\
         reference: {} by {:?}, {} attempts of [{}], refused [{}], look-up {:?}, {:?}\n\
         table: {} by {:?}, {:?}, look-up {:?}, {:?}\n{}",
        query.to,
        query.from,
        query.account,
        query.class.as_str(),
        query.encoding.as_str(),
        query.segments,
        query.text,
        table::instant_text(query.at),
        query.network,
        query.ported,
        query.roll,
        answer.action.as_str(),
        answer.policy.map(|at| reference.policy(at)),
        answer.attempts,
        ranked.join(", "),
        refused.join(", "),
        answer.lookup,
        answer.sent(),
        decision.action.as_str(),
        decision.policy,
        chosen(&decision).collect::<Vec<_>>(),
        decision.terms.lookup,
        sent(&decision),
        table.explain(query),
    ))
}

/// Sums over all answers.
#[derive(Default)]
struct Counts {
    actions: [u64; 3],
    applied: u64,
    ranked: u64,
    refused: u64,
    ended_by: BTreeMap<Option<usize>, u64>,
    refused_for: BTreeMap<&'static str, u64>,
    acted: BTreeMap<&'static str, u64>,
}

impl Counts {
    fn count(&mut self, answer: &Answer<'_>) {
        let action = match answer.action {
            Action::Route => 0,
            Action::Reject => 1,
            _ => 2,
        };
        self.actions[action] += 1;
        self.applied += answer.applied.len() as u64;
        if action == 0 {
            self.ranked += answer.ranked.len() as u64;
            self.refused += answer.refused.len() as u64;
        }
        *self.ended_by.entry(answer.policy).or_default() += 1;
        for (act, is_done) in [
            ("recipient", answer.to.is_some()),
            ("sender", answer.from.is_some()),
            ("text", answer.text.is_some()),
            ("copy", !answer.copies.is_empty()),
            ("lookup", answer.lookup != Lookup::Never),
        ] {
            *self.acted.entry(act).or_default() += u64::from(is_done);
        }
        for (_, why) in &answer.refused {
            *self.refused_for.entry(why).or_default() += 1;
        }
    }

    fn answers(self, reference: &Reference<'_>, total: usize) -> Answers {
        let each = |count: u64| count as f64 / total as f64;
        let routed = |count: u64| count as f64 / self.actions[0].max(1) as f64;
        let mut ended_by: BTreeMap<String, f64> = BTreeMap::new();
        for (policy, count) in &self.ended_by {
            let kind = kind(policy.map(|at| reference.policy(at)));
            *ended_by.entry(kind.to_owned()).or_default() += 100.0 * each(*count);
        }
        let [route, reject, no_route] = self.actions.map(|count| 100.0 * each(count));
        Answers {
            compared: total,
            explained: total.min(EXPLAINED_MAX),
            route,
            reject,
            no_route,
            policies_applied: each(self.applied),
            carriers_ranked: routed(self.ranked),
            carriers_refused: routed(self.refused),
            policies_ending: self.ended_by.keys().flatten().count(),
            ended_by,
            acted: self
                .acted
                .into_iter()
                .map(|(act, count)| (act, 100.0 * each(count)))
                .collect(),
            refused_for: self
                .refused_for
                .into_iter()
                .map(|(why, count)| (why, each(count)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
