//! What a decision holds of each thing that a case may expect, in the same words, and why.

use std::time::Duration;

use source::duration_text;

use super::Failure;
use crate::{
    Table,
    decision::{Decision, Terms},
    explain::{CandidateReport, Explanation},
    request::Asked,
    spec::{Aspect, DEFAULTS, Expectation, Lookup, OnUnknown, UNKNOWN},
};

/// What was decided of one case.
pub(super) struct Found<'a> {
    explanation: &'a Explanation,
    /// Text as asked; `None` = not given.
    text: Option<&'a str>,
    terms: Terms,
}

impl<'a> Found<'a> {
    pub(super) fn new(table: &Table, asked: &'a Asked, explanation: &'a Explanation) -> Self {
        let query = asked.query();
        let mut decision = Decision::new();
        table.decide(&query, &mut decision);
        Self {
            explanation,
            text: query.text,
            terms: decision.terms,
        }
    }

    /// What is not as expected; `None` = it is.
    pub(super) fn compare(&self, expectation: &Expectation) -> Option<Failure> {
        let (expected, found) = match expectation.aspect {
            Aspect::NoRoute => (vec!["no_route".to_owned()], self.outcome()),
            _ => (expectation.values.clone(), self.of(&expectation.aspect)),
        };
        (expected != found).then(|| Failure {
            key: expectation.key(),
            why: self.why(&expectation.aspect, &expected),
            expected,
            found,
        })
    }

    fn of(&self, aspect: &Aspect) -> Vec<String> {
        let it = self.explanation;
        match aspect {
            Aspect::Carrier | Aspect::NoRoute => self.outcome(),
            Aspect::Carriers if it.action == "route" => self.offered().map(|one| one.carrier.clone()).collect(),
            Aspect::Carriers => self.outcome(),
            Aspect::Reject if it.action == "reject" => it.reason.iter().cloned().collect(),
            Aspect::Reject => self.outcome(),
            Aspect::Policy => vec![it.policy.clone().unwrap_or_else(|| DEFAULTS.to_owned())],
            Aspect::Policies => it.policies.clone(),
            Aspect::Refused(carrier) => vec![match self.candidate(carrier) {
                Some(candidate) => candidate.reason.unwrap_or(candidate.verdict).to_owned(),
                None => "no candidate".to_owned(),
            }],
            Aspect::Cost(None) => self
                .selected()
                .and_then(|one| one.cost.clone())
                .map_or_else(|| self.outcome(), one),
            Aspect::Cost(Some(carrier)) => match self.candidate(carrier) {
                Some(candidate) => vec![candidate.cost.clone().unwrap_or_else(|| "no price".to_owned())],
                None => one("no candidate".to_owned()),
            },
            Aspect::Sent(name) => one(self.sent(name)),
            Aspect::Served(name) => one(self.served(name)),
            Aspect::Copies => it.copies.iter().map(|to| bare(to)).collect(),
            Aspect::Tags => it.tags.clone(),
            Aspect::Terms(name) => self.term(name),
        }
    }

    /// The selected carrier, or what came in its place.
    fn outcome(&self) -> Vec<String> {
        let it = self.explanation;
        one(match (self.selected(), it.action) {
            (Some(selected), _) => selected.carrier.clone(),
            (None, "reject") => format!("reject: {}", it.reason.as_deref().unwrap_or_default()),
            (None, action) => action.to_owned(),
        })
    }

    /// The selected carrier and the fallbacks.
    fn offered(&self) -> impl Iterator<Item = &'a CandidateReport> {
        let candidates = self.explanation.candidates.iter();
        candidates.filter(|one| matches!(one.verdict, "selected" | "fallback"))
    }

    fn selected(&self) -> Option<&'a CandidateReport> {
        self.offered().next()
    }

    fn candidate(&self, carrier: &str) -> Option<&'a CandidateReport> {
        self.explanation.candidates.iter().find(|one| one.carrier == carrier)
    }

    fn sent(&self, name: &str) -> String {
        let it = self.explanation;
        match name {
            "to" => bare(it.rewritten.to.as_deref().unwrap_or(&it.to)),
            "from" => self
                .selected()
                .map_or(it.rewritten.from.as_deref().unwrap_or(&it.from), |selected| {
                    &*selected.from
                })
                .to_owned(),
            "text" => it
                .rewritten
                .text
                .as_deref()
                .or(self.text)
                .unwrap_or_default()
                .to_owned(),
            "encoding" => it.encoding.to_owned(),
            _ => it.segments.to_string(),
        }
    }

    fn served(&self, name: &str) -> String {
        let network = self.explanation.network.as_ref();
        let known = network.and_then(|network| match name {
            "network" => Some(format!("{}{}", network.mcc, network.mnc)),
            "country" => network.country.clone(),
            "operator" => network.operator.clone(),
            "source" => Some(network.source.to_owned()),
            _ => Some(network.ported.to_string()),
        });
        known.unwrap_or_else(|| UNKNOWN.to_owned())
    }

    /// A rule of the route; a message that was rejected has none.
    fn term(&self, name: &str) -> Vec<String> {
        if self.explanation.action == "reject" {
            return self.outcome();
        }
        let terms = &self.terms;
        let duration = |value: Option<Duration>| value.map_or_else(|| "never".to_owned(), duration_text);
        one(match name {
            "attempts" => terms.attempts.to_string(),
            "deadline" => duration_text(terms.deadline),
            "receipt_within" => duration(terms.receipt_within),
            "spill_after" => duration(terms.spill_after),
            "on_unknown" => match terms.on_unknown {
                OnUnknown::Resend => "resend",
                OnUnknown::Wait => "wait",
                OnUnknown::Fail => "fail",
            }
            .to_owned(),
            _ => match terms.lookup {
                Lookup::Never => "never",
                Lookup::WhenItMatters => "when_it_matters",
                Lookup::Always => "always",
            }
            .to_owned(),
        })
    }

    /// Why it is not as expected, as far as the walk tells; may be empty.
    fn why(&self, aspect: &Aspect, expected: &[String]) -> String {
        let it = self.explanation;
        match aspect {
            Aspect::Carrier | Aspect::Carriers => {
                let offered: Vec<&str> = self.offered().map(|one| &*one.carrier).collect();
                let at = expected.iter().zip(&offered).take_while(|(a, b)| a == b).count();
                match expected.get(at) {
                    Some(carrier) => self.why_carrier(carrier),
                    None => offered.get(at).map(|extra| self.why_carrier(extra)).unwrap_or_default(),
                }
            }
            Aspect::Refused(carrier) | Aspect::Cost(Some(carrier)) => self.why_carrier(carrier),
            Aspect::Reject | Aspect::NoRoute => self.why_ended(),
            Aspect::Policy if expected.first().is_some_and(|name| name == DEFAULTS) => self.why_ended(),
            Aspect::Policy => expected.first().map(|name| self.why_policy(name)).unwrap_or_default(),
            Aspect::Policies => {
                let missing = expected.iter().find(|name| !it.policies.contains(name));
                missing.map(|name| self.why_policy(name)).unwrap_or_default()
            }
            Aspect::Terms(_) => self.why_ended(),
            _ => String::new(),
        }
    }

    fn why_ended(&self) -> String {
        let it = self.explanation;
        match (&it.policy, it.action) {
            (Some(policy), "reject") => format!("policy {policy} rejects it"),
            (Some(policy), _) => format!("policy {policy} routes it"),
            (None, _) => format!("no policy ends the walk, so {DEFAULTS} route it"),
        }
    }

    fn why_carrier(&self, carrier: &str) -> String {
        if self.explanation.action == "reject" {
            return self.why_ended();
        }
        let money = |one: &CandidateReport| match &one.cost {
            Some(cost) => format!("costs {cost} {}", self.explanation.currency),
            None => "has no price".to_owned(),
        };
        let Some(candidate) = self.candidate(carrier) else {
            return format!("{carrier} is no candidate; {}", self.why_ended());
        };
        let place = match (candidate.rank, candidate.reason) {
            (Some(rank), _) => format!("is {} {rank}", candidate.verdict),
            (None, reason) => format!("is refused {}", reason.unwrap_or_default()),
        };
        let mut why = format!("{carrier} {place} and {}", money(candidate));
        if let Some(selected) = self.selected().filter(|selected| selected.carrier != carrier) {
            why += &format!("; {} is selected and {}", selected.carrier, money(selected));
        }
        why
    }

    fn why_policy(&self, name: &str) -> String {
        let it = self.explanation;
        let ended = it.policy.as_deref();
        match it.steps.iter().find(|step| step.policy == name) {
            Some(step) => match &step.skipped {
                Some(why) => format!("policy {name} is skipped: {why}"),
                None => format!("policy {name} applies and does not end the walk; {}", self.why_ended()),
            },
            None => format!(
                "policy {name} stands after {}, which ends the walk",
                ended.unwrap_or(DEFAULTS)
            ),
        }
    }
}

fn one(word: String) -> Vec<String> {
    vec![word]
}

fn bare(number: &str) -> String {
    number.trim_start_matches('+').to_owned()
}
