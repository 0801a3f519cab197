//! What each status of an SMPP `submit_sm_resp` makes of an order: a default map, and what one link's configuration
//! says otherwise.

use std::collections::BTreeMap;

use smpp::Status;

use crate::{Action, Rule};

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

/// What a status that no map knows makes of an order; counted, so that somebody maps it.
pub const UNMAPPED: Rule = Rule {
    action: NEXT,
    code: "unmapped",
};

/// The default map. What is not in it is [`UNMAPPED`].
const DEFAULTS: &[(Status, Action, &str)] = &[
    (Status::ROK, Action::Accept, "accepted"),
    // Slow down: no fault of the message.
    (Status::RTHROTTLED, HOLD, "throttled"),
    // The carrier's queue, or this recipient's, which follows the number to any carrier.
    (Status::RMSGQFUL, HOLD_TWICE, "queue_full"),
    (Status::RSYSERR, HOLD_ONCE, "system_error"),
    (Status::RX_T_APPN, HOLD_ONCE, "temporary"),
    (Status::RUNKNOWNERR, HOLD_ONCE, "unknown_error"),
    // This carrier will not.
    (Status::RSUBMITFAIL, NEXT, "submit_failed"),
    (Status::RDELIVERYFAILURE, NEXT, "delivery_failed"),
    (Status::RX_P_APPN, NEXT_THEN_FAIL, "refused"),
    (Status::RX_R_APPN, NEXT, "refused"),
    (Status::RINVDSTADR, NEXT_THEN_FAIL, "bad_number"),
    (Status::RINVSRCADR, NEXT, "bad_sender"),
    (Status::RSERTYPUNAUTH, NEXT, "not_permitted"),
    (Status::RPROHIBITED, NEXT, "not_permitted"),
    (Status::RSERTYPUNAVAIL, NEXT, "not_permitted"),
    (Status::RSERTYPDENIED, NEXT, "not_permitted"),
    // Our dialect does not fit this carrier: no blind retry here, and somebody has to look at the link.
    (Status::RINVMSGLEN, NEXT, "profile"),
    (Status::RINVCMDLEN, NEXT, "profile"),
    (Status::RINVCMDID, NEXT, "profile"),
    (Status::RINVPRTFLG, NEXT, "profile"),
    (Status::RINVREGDLVFLG, NEXT, "profile"),
    (Status::RINVESMCLASS, NEXT, "profile"),
    (Status::RINVSUBREP, NEXT, "profile"),
    (Status::RINVSRCTON, NEXT, "profile"),
    (Status::RINVSRCNPI, NEXT, "profile"),
    (Status::RINVDSTTON, NEXT, "profile"),
    (Status::RINVDSTNPI, NEXT, "profile"),
    (Status::RINVREPFLAG, NEXT, "profile"),
    (Status::RINVSCHED, NEXT, "profile"),
    (Status::RINVEXPIRY, NEXT, "profile"),
    (Status::RINVDFTMSGID, NEXT, "profile"),
    (Status::RINVOPTPARSTREAM, NEXT, "profile"),
    (Status::ROPTPARNOTALLWD, NEXT, "profile"),
    (Status::RINVPARLEN, NEXT, "profile"),
    (Status::RMISSINGOPTPARAM, NEXT, "profile"),
    (Status::RINVOPTPARAMVAL, NEXT, "profile"),
    (Status::RINVDCS, NEXT, "profile"),
    (Status::RINVSRCADDRSUBUNIT, NEXT, "profile"),
    (Status::RINVDSTADDRSUBUNIT, NEXT, "profile"),
    // The link's own fault: the message was not looked at.
    (Status::RINVBNDSTS, Action::LinkDown, "not_bound"),
    (Status::RALYBND, Action::LinkDown, "not_bound"),
    (Status::RBINDFAIL, Action::LinkDown, "bind_refused"),
    (Status::RINVPASWD, Action::LinkDown, "bind_refused"),
    (Status::RINVSYSID, Action::LinkDown, "bind_refused"),
    (Status::RINVSYSTYP, Action::LinkDown, "bind_refused"),
    (Status::RINVSERTYP, Action::LinkDown, "bind_refused"),
];

/// Which rule a status falls under on one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutcomeMap(BTreeMap<Status, Rule>);

impl Default for OutcomeMap {
    fn default() -> Self {
        let rules = DEFAULTS
            .iter()
            .map(|(status, action, code)| (*status, Rule { action: *action, code }));
        Self(rules.collect())
    }
}

impl OutcomeMap {
    /// Replaces the action for `status`; its word stays, or is `mapped` where the default map has none.
    pub fn set(&mut self, status: Status, action: Action) {
        let code = self.0.get(&status).map_or("mapped", |rule| rule.code);
        self.0.insert(status, Rule { action, code });
    }

    /// The rule for `status`; [`UNMAPPED`] where neither map knows it.
    pub fn rule(&self, status: Status) -> Rule {
        self.0.get(&status).copied().unwrap_or(UNMAPPED)
    }
}

#[cfg(test)]
mod tests;
