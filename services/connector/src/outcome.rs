//! What each answer of a carrier makes of an order: a default map for every protocol, and what the map of one link says
//! otherwise.
//!
//! A map is data. The names of a protocol's answers, and what they mean unless somebody says otherwise, are an
//! [`AnswerCode`]; everything else here knows nothing of the protocol.

mod grpc;
mod http;
mod smpp;

use std::{
    collections::BTreeMap,
    fmt::{Debug, Display},
    str::FromStr,
};

use ::smpp::Status;

use crate::{Action, Rule, action::WordedAction};

pub use grpc::GrpcAnswer;
pub use http::HttpCode;

const HOLD: Action = Action::Hold {
    tries_max: None,
    then_next: false,
};
const HOLD_ONCE: Action = Action::Hold {
    tries_max: Some(1),
    then_next: true,
};
const HOLD_TWICE: Action = Action::Hold {
    tries_max: Some(2),
    then_next: true,
};
const NEXT: Action = Action::Next { then_fail: false };
/// Carriers use these for "not on my routes" as well, so one of them alone ends nothing.
const NEXT_THEN_FAIL: Action = Action::Next { then_fail: true };

/// What an answer that no map knows makes of an order; counted, so that somebody maps it.
pub const UNMAPPED: Rule = Rule {
    action: NEXT,
    code: "unmapped",
};

/// What carriers answer in one protocol: `command_status` of SMPP, a status of HTTP, a code of gRPC.
pub trait AnswerCode: Copy + Ord + Debug + FromStr<Err: Display> + 'static {
    /// What each answer makes of an order, with the stable word of the cause. What is not listed is [`UNMAPPED`].
    const DEFAULTS: &'static [(Self, Action, &'static str)];

    /// The answer of this number; absent where the protocol has none.
    fn of_number(number: u32) -> Option<Self>;

    /// The answer as people write it, a number where it has no name.
    fn spelled(self) -> String;
}

/// Which rule an answer falls under on one link, and what the carrier calls its own codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeMap<C: AnswerCode = Status> {
    rules: BTreeMap<C, Rule>,
    names: BTreeMap<C, String>,
}

/// The maps of one link, one for each protocol that a link may speak; it reads that of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// By `command_status`.
    pub smpp: OutcomeMap<Status>,
    /// By the refusals of `CarrierService`, and by the statuses of gRPC.
    pub grpc: OutcomeMap<GrpcAnswer>,
    /// By status of HTTP, and by what the body says.
    pub http: OutcomeMap<HttpCode>,
}

impl<C: AnswerCode> Default for OutcomeMap<C> {
    fn default() -> Self {
        let rule = |(status, action, code): &(C, Action, &'static str)| (*status, Rule { action: *action, code });
        Self {
            rules: C::DEFAULTS.iter().map(rule).collect(),
            names: BTreeMap::new(),
        }
    }
}

impl<C: AnswerCode> OutcomeMap<C> {
    /// Replaces the action for `status`; its word stays, or is `mapped` where the default map has none.
    pub fn set(&mut self, status: C, action: Action) {
        self.set_worded(status, WordedAction { action, code: None });
    }

    /// Replaces the action for `status`, and its word where `action` brings one.
    pub(crate) fn set_worded(&mut self, status: C, WordedAction { action, code }: WordedAction) {
        let known = self.rules.get(&status).map_or("mapped", |rule| rule.code);
        let code = code.unwrap_or(known);
        self.rules.insert(status, Rule { action, code });
    }

    /// Calls `status` by a name of the carrier's.
    pub(crate) fn call(&mut self, status: C, name: impl Into<String>) {
        self.names.insert(status, name.into());
    }

    /// The answer that `text` names: a name of the carrier's, of the protocol, or a number.
    ///
    /// # Errors
    /// What the protocol's own reader says of a text that is none of them.
    pub(crate) fn answer(&self, text: &str) -> Result<C, C::Err> {
        let own = self.names.iter().find(|(_, name)| *name == text);
        own.map_or_else(|| text.parse(), |(status, _)| Ok(*status))
    }

    /// What `status` is called on this link.
    pub(crate) fn name(&self, status: C) -> String {
        self.names.get(&status).cloned().unwrap_or_else(|| status.spelled())
    }

    /// The rule for `status`; [`UNMAPPED`] where neither map knows it.
    pub fn rule(&self, status: C) -> Rule {
        self.known(status).unwrap_or(UNMAPPED)
    }

    /// The rule for `status`; `None` where neither map knows it.
    pub(crate) fn known(&self, status: C) -> Option<Rule> {
        self.rules.get(&status).copied()
    }
}

#[cfg(test)]
mod tests;
