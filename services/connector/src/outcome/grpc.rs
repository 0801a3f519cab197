//! What each answer of a `CarrierService` makes of an order unless a link says otherwise.

use std::str::FromStr;

use signalbox_proto::pb::signalbox::carrier::v1::Refusal;

use super::{AnswerCode, HOLD, HOLD_ONCE, HOLD_TWICE, NEXT, NEXT_THEN_FAIL};
use crate::Action;

/// Numbers that a carrier may use for refusals of its own.
const OWN: std::ops::RangeInclusive<u32> = 1_000..=9_999;

/// The statuses of gRPC by their numbers (google.rpc.Code).
const STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// An answer over gRPC: a refusal, or the status of a call that submits one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrpcAnswer {
    /// The status of a call, by its number.
    Status(u8),
    /// A refusal, by its number: one of `CarrierService`, or the carrier's own.
    Refusal(u32),
}

/// A name of no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no refusal like REFUSAL_THROTTLED, no status of gRPC and no number from 1000 to 9999")]
pub struct NoAnswer(String);

impl GrpcAnswer {
    /// The status with this name.
    const fn status(name: &str) -> Self {
        let mut number = 0;
        while number < STATUSES.len() {
            if is_same(STATUSES[number].as_bytes(), name.as_bytes()) {
                return Self::Status(number as u8);
            }
            number += 1;
        }
        panic!("no status of gRPC");
    }
}

/// Comparison of texts is not to be had while constants are made.
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

impl FromStr for GrpcAnswer {
    type Err = NoAnswer;

    fn from_str(text: &str) -> Result<Self, NoAnswer> {
        if let Some(number) = STATUSES.iter().position(|name| *name == text) {
            return Ok(Self::Status(u8::try_from(number).expect("there are 17")));
        }
        if let Some(refusal) = Refusal::from_str_name(text) {
            return Ok(Self::Refusal(refusal as u32));
        }
        let own = text.parse().ok().filter(|number| OWN.contains(number));
        own.map(Self::Refusal)
            .ok_or_else(|| NoAnswer(text.chars().take(64).collect()))
    }
}

impl AnswerCode for GrpcAnswer {
    const DEFAULTS: &'static [(Self, Action, &'static str)] = DEFAULTS;

    /// 0 is success, and beyond the carrier's own numbers there are only names.
    fn of_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Status(0)),
            own if OWN.contains(&own) => Some(Self::Refusal(own)),
            _ => None,
        }
    }

    fn spelled(self) -> String {
        match self {
            Self::Status(number) => match STATUSES.get(usize::from(number)) {
                Some(name) => (*name).to_owned(),
                None => format!("status {number}"),
            },
            Self::Refusal(number) => match i32::try_from(number).map(Refusal::try_from) {
                Ok(Ok(refusal)) => refusal.as_str_name().to_owned(),
                _ => format!("refusal {number}"),
            },
        }
    }
}

const fn refusal(refusal: Refusal) -> GrpcAnswer {
    GrpcAnswer::Refusal(refusal as u32)
}

/// The default map. A refusal that is not in it is [`super::UNMAPPED`]; a status that is not in it says nothing of the message.
const DEFAULTS: &[(GrpcAnswer, Action, &str)] = &[
    (GrpcAnswer::status("OK"), Action::Accept, "accepted"),
    // Slow down: no fault of the message.
    (refusal(Refusal::Throttled), HOLD, "throttled"),
    (refusal(Refusal::QueueFull), HOLD_TWICE, "queue_full"),
    (refusal(Refusal::Temporary), HOLD_ONCE, "temporary"),
    // This carrier will not.
    (refusal(Refusal::BadNumber), NEXT_THEN_FAIL, "bad_number"),
    (refusal(Refusal::BadSender), NEXT, "bad_sender"),
    (refusal(Refusal::Content), NEXT, "content"),
    (refusal(Refusal::NotPermitted), NEXT, "not_permitted"),
    (refusal(Refusal::NoRoute), NEXT, "refused"),
    (refusal(Refusal::TooLate), NEXT, "refused"),
    (refusal(Refusal::Other), NEXT, "refused"),
    // Nobody should.
    (refusal(Refusal::OptedOut), Action::Fail, "opted_out"),
    // Our dialect does not fit this carrier, and somebody has to look at the link.
    (refusal(Refusal::Unsupported), NEXT, "profile"),
    // The link's own fault: the message was not looked at.
    (refusal(Refusal::NoCredit), Action::LinkDown, "no_credit"),
    // Calls that submit one message: only these statuses say for certain that it was not taken.
    (GrpcAnswer::status("RESOURCE_EXHAUSTED"), HOLD, "throttled"),
    (GrpcAnswer::status("INVALID_ARGUMENT"), NEXT, "profile"),
    (GrpcAnswer::status("OUT_OF_RANGE"), NEXT, "profile"),
    (GrpcAnswer::status("FAILED_PRECONDITION"), NEXT, "refused"),
    (GrpcAnswer::status("NOT_FOUND"), NEXT, "refused"),
    (GrpcAnswer::status("UNIMPLEMENTED"), Action::LinkDown, "not_bound"),
    (GrpcAnswer::status("UNAUTHENTICATED"), Action::LinkDown, "bind_refused"),
    (
        GrpcAnswer::status("PERMISSION_DENIED"),
        Action::LinkDown,
        "bind_refused",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{OutcomeMap, UNMAPPED};

    /// The word of `CarrierService` for every refusal and status, held against the map; what is not listed must not be in it.
    #[test]
    fn every_refusal_and_every_status_has_the_expected_action() {
        let map = OutcomeMap::<GrpcAnswer>::default();
        let expected = [
            ("accept", "OK"),
            ("hold", "REFUSAL_THROTTLED RESOURCE_EXHAUSTED"),
            ("hold 2 then next", "REFUSAL_QUEUE_FULL"),
            ("hold 1 then next", "REFUSAL_TEMPORARY"),
            ("next then fail", "REFUSAL_BAD_NUMBER"),
            ("fail", "REFUSAL_OPTED_OUT"),
            (
                "next",
                "REFUSAL_BAD_SENDER REFUSAL_CONTENT REFUSAL_NOT_PERMITTED REFUSAL_NO_ROUTE REFUSAL_UNSUPPORTED \
                 REFUSAL_TOO_LATE REFUSAL_OTHER INVALID_ARGUMENT OUT_OF_RANGE FAILED_PRECONDITION NOT_FOUND",
            ),
            (
                "link_down",
                "REFUSAL_NO_CREDIT UNIMPLEMENTED UNAUTHENTICATED PERMISSION_DENIED",
            ),
        ];
        let refusals = (0..100).map(GrpcAnswer::Refusal);
        for answer in (0..20).map(GrpcAnswer::Status).chain(refusals) {
            let name = answer.spelled();
            let wanted = expected
                .iter()
                .find(|(_, names)| names.split(' ').any(|known| known == name));
            let found = map.known(answer).map(|rule| rule.action.to_string());
            assert_eq!(found.as_deref(), wanted.map(|(action, _)| *action), "{name}");
        }
    }

    #[test]
    fn every_answer_with_a_name_is_read_by_it() {
        let named = (0..17).map(GrpcAnswer::Status).chain((0..14).map(GrpcAnswer::Refusal));
        for answer in named {
            assert_eq!(answer.spelled().parse(), Ok(answer));
        }
        assert_eq!("1234".parse(), Ok(GrpcAnswer::Refusal(1_234)));
        for text in ["13", "REFUSAL", "ok", "999", "10000", "ESME_RTHROTTLED"] {
            assert!(text.parse::<GrpcAnswer>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_number_of_the_carrier_s_own_is_unmapped_until_somebody_maps_it() {
        let mut map = OutcomeMap::<GrpcAnswer>::default();
        assert_eq!(map.rule(GrpcAnswer::Refusal(1_001)), UNMAPPED);
        map.set(GrpcAnswer::Refusal(1_001), Action::Fail);
        map.call(GrpcAnswer::Refusal(1_001), "spam");
        assert_eq!(map.rule(GrpcAnswer::Refusal(1_001)).action, Action::Fail);
        assert_eq!(map.answer("spam"), Ok(GrpcAnswer::Refusal(1_001)));
        assert_eq!(map.name(GrpcAnswer::Refusal(1_001)), "spam");
    }
}
