//! What each `command_status` of a `submit_sm_resp` makes of an order unless a link says otherwise.

use smpp::Status;

use super::{AnswerCode, HOLD, HOLD_ONCE, HOLD_TWICE, NEXT, NEXT_THEN_FAIL};
use crate::Action;

impl AnswerCode for Status {
    const DEFAULTS: &'static [(Self, Action, &'static str)] = DEFAULTS;

    fn of_number(number: u32) -> Option<Self> {
        Some(Self(number))
    }

    /// As the specification spells it, or in hexadecimal.
    fn spelled(self) -> String {
        match self.name() {
            Some(name) => format!("ESME_{name}"),
            None => self.to_string(),
        }
    }
}

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
