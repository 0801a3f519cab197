//! What a look-up could change, for people.

use serde::Serialize;

use crate::{decision::Decision, query::Query, spec::Lookup, stake::Stake, table::Table};

/// What is at stake where the route has `lookup = "when_it_matters"`. Money is in the table's currency with 6 places.
#[derive(Clone, Debug, Serialize)]
pub struct StakeReport {
    /// What the decision stands on: `nothing`, `country`, `plan` or `told`.
    pub basis: &'static str,
    /// Other networks that may serve the number.
    pub networks: u32,
    /// Whether one of them could change the first carrier or its charge.
    pub can_change: bool,
    /// The most that could be saved.
    pub saving_max: String,
    /// What is saved on average over the other networks.
    pub saving_mean: String,
    /// What a submission to a dead number costs.
    pub submit: String,
    /// What whoever explains makes of it; `None` = the table alone was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<StakeVerdict>,
    /// The same as numbers.
    #[serde(skip)]
    pub stake: Stake,
}

/// Whether a query is worth it, by what is known of the number's range.
#[derive(Clone, Debug, Serialize)]
pub struct StakeVerdict {
    /// Share of ported numbers, in per cent with two places.
    pub ported: String,
    /// Share of dead numbers, in the same way.
    pub dead: String,
    /// Answers that they were learnt from; zero = assumed.
    pub answers: u32,
    /// What asking would save on average.
    pub expected: String,
    /// What a query costs; `None` = nobody is there to be asked.
    pub price: Option<String>,
    /// Whether the number is looked up.
    pub asks: bool,
    /// Why, in a sentence.
    pub why: String,
}

impl StakeReport {
    /// The report on `decision`; `None` where the route does not ask.
    pub(super) fn of(table: &Table, query: &Query<'_>, decision: &Decision<'_>) -> Option<Self> {
        if decision.route.is_none() || decision.terms.lookup != Lookup::WhenItMatters {
            return None;
        }
        let stake = table.stake(query, decision, &mut Decision::new());
        Some(Self {
            basis: stake.basis.as_str(),
            networks: stake.networks,
            can_change: stake.can_change,
            saving_max: stake.saving_max.to_string(),
            saving_mean: stake.saving_mean.to_string(),
            submit: stake.submit.to_string(),
            verdict: None,
            stake,
        })
    }

    /// One line for people, in `currency`.
    pub(super) fn line(&self, currency: &str) -> String {
        let s = if self.networks == 1 { "" } else { "s" };
        let stake = match self.basis {
            "told" => "somebody who knows named the network".to_owned(),
            "nothing" => "no row of numbering.csv says what to compare".to_owned(),
            _ if self.can_change => format!(
                "{} other network{s} could save {} {currency}, {} at most",
                self.networks, self.saving_mean, self.saving_max
            ),
            _ => "no other network would change carrier or price".to_owned(),
        };
        match &self.verdict {
            Some(verdict) => format!("{stake}; {}", verdict.why),
            None => format!("{stake}; a dead number costs {} {currency}", self.submit),
        }
    }
}
