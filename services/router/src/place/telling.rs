//! Whether a decision waits until it is known who serves the recipient.

use journey::{Cause, EndState};
use lookup::Verdict;
use sms::UnixMs;
use table::{Action, Lookup, Micros};

use super::{Ask, Decisions, Placed, roll, terms};
use crate::{
    lookups::{DeadNumbers, LookUps},
    metrics,
    told::Told,
    tried::Tried,
};

/// Code of the cause with which a message ends whose number no network serves.
const CODE_DEAD_NUMBER: &str = "dead_number";

/// What a decision is to know beside the table.
pub(super) enum Telling {
    /// Nothing: the table alone decides.
    Nothing,
    Told(Told),
    /// What is not known yet: the message waits for it, at most until `deadline`.
    LookUp {
        deadline: UnixMs,
    },
}

impl Decisions<'_> {
    /// What the decision at hand is to be made anew with.
    pub(super) fn tell(&mut self, ask: &mut Ask, tried: &Tried) -> Telling {
        let Some(lookups) = self.lookups else {
            return Telling::Nothing;
        };
        let route = &self.decision.terms;
        // Of a recipient that policies set nobody asks.
        if self.decision.action == Action::Reject || route.lookup == Lookup::Never || self.decision.to.is_some() {
            return Telling::Nothing;
        }
        let terms = terms(&ask.message, route);
        let spent = ask.attempts.iter().filter(|attempt| attempt.spent).count();
        if self.now >= terms.deadline || spent >= terms.attempts_max as usize {
            return Telling::Nothing;
        }
        if let Some(told) = ask.told.take() {
            ask.look_again = false;
            self.count_saving(ask, &told, tried);
            return Telling::Told(told);
        }
        if !ask.look_again {
            if let Some(told) = Told::of_attempts(&ask.attempts) {
                return Telling::Told(told);
            }
            if let Some(answer) = lookups.chain.known_at(&ask.message.to, self.now) {
                metrics::look_up("known");
                let told = Told::of(&answer);
                self.count_saving(ask, &told, tried);
                return Telling::Told(told);
            }
            if self.decision.terms.lookup == Lookup::WhenItMatters && !self.weigh(lookups, ask, tried).asks() {
                metrics::look_up("spared");
                return Telling::Nothing;
            }
        }
        if lookups.is_full(ask.message.class.lane()) {
            metrics::look_up("full");
            return Telling::Told(Told::by_plan(self.now));
        }
        metrics::look_up("asked");
        Telling::LookUp {
            deadline: terms.deadline,
        }
    }

    /// Whether an answer is worth its price.
    fn weigh(&mut self, lookups: &LookUps, ask: &Ask, tried: &Tried) -> Verdict {
        let tried = tried.carriers();
        let query = self.query(ask, &tried, self.carriers, None);
        let stake = self.table.stake(&query, &self.decision, &mut self.scratch);
        let roll = roll(&ask.message, ask.number);
        let verdict = lookups.weigh(&ask.message.to, self.decision.network, stake, roll);
        verdict.count();
        verdict
    }

    /// Counts what is saved by knowing what `told` says.
    fn count_saving(&mut self, ask: &Ask, told: &Told, tried: &Tried) {
        let Some(served) = told.served else { return };
        if Some(served.network) == self.decision.network {
            return;
        }
        let tried = tried.carriers();
        let query = self.query(ask, &tried, self.carriers, None);
        let saving = self
            .table
            .saving(&query, &self.decision, served.network, &mut self.scratch);
        lookup::metrics::saved(saving);
    }

    /// Whether what was `told` ends the message.
    pub(super) fn ends_dead(&self, told: &Told) -> bool {
        told.is_dead && self.lookups.is_some_and(|lookups| lookups.dead == DeadNumbers::Fail)
    }

    /// What becomes of a message to a number that no network serves.
    pub(super) fn dead_number(&mut self, ask: Ask, told: &Told) -> Placed {
        metrics::look_up("dead");
        let policy = self.decision.policy.unwrap_or_default().to_owned();
        let said = &told.looked_up;
        let age = self.now.since(said.asked_at).as_secs();
        let detail = format!(
            "no network serves the number, says {} ({}), asked {age} s before for {}",
            said.provider,
            said.source,
            Micros(said.cost_micros)
        );
        let cause = Cause::new(CODE_DEAD_NUMBER, detail);
        ask.dead_end(EndState::Failed, cause, self.table.version(), policy)
    }
}

/// `reason` with what was paid to know the network, if that was: no attempt will tell of it.
pub(super) fn with_cost(reason: &str, told: Option<&Told>) -> String {
    let paid = told.map(|told| &told.looked_up).filter(|said| said.cost_micros > 0);
    let Some(said) = paid else {
        return reason.to_owned();
    };
    let separator = if reason.is_empty() { "" } else { "; " };
    format!(
        "{reason}{separator}looked up for {} ({})",
        Micros(said.cost_micros),
        said.provider
    )
}
