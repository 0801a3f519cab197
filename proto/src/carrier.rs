//! What `signalbox.carrier.v1` says of an order, and what a carrier's words are in ours.

use std::time::Duration;

use journey::Order;
use prost::Message as _;
use prost_types::Timestamp;
use sms::{Msisdn, ReceiptFault, ReceiptState, Sender, SenderKind, UnixMs};

use crate::pb::signalbox::{carrier::v1 as pb, sms::v1 as shared};

/// Digits of a mobile country code.
const MCC_DIGITS: usize = 3;

/// The idempotency key of `order`: the same whenever its message is sent again for this order.
pub fn attempt_id(order: &Order) -> String {
    format!("{}.{}", order.message.id, order.number.0)
}

/// What a carrier is asked for by `order`, which it shall not deliver after `valid_for`.
pub fn submission(order: &Order, valid_for: Duration) -> pb::Submission {
    let (content, encoding, segments) = order.content();
    pb::Submission {
        attempt_id: attempt_id(order),
        carrier: order.carrier.as_str().to_owned(),
        from: Some(sender(order.from())),
        to: Some(recipient(order.to())),
        content: Some(content.clone().into()),
        encoding: shared::Encoding::from(encoding).into(),
        segments: segments.into(),
        class: shared::MessageClass::from(order.class()).into(),
        valid_for: Some(span(valid_for)),
        receipt: order.receipt,
        network: network(&order.network),
    }
}

/// Octets that `submission` takes in a request.
pub fn octets(submission: &pb::Submission) -> usize {
    submission.encoded_len()
}

fn sender(sender: &Sender) -> pb::Address {
    let kind = match sender.kind() {
        SenderKind::Alphanumeric => pb::AddressType::Alphanumeric,
        SenderKind::LongCode => pb::AddressType::International,
        SenderKind::ShortCode => pb::AddressType::ShortCode,
    };
    let digits = sender.as_str().strip_prefix('+');
    let is_number = kind != pb::AddressType::Alphanumeric;
    pb::Address {
        value: digits.filter(|_| is_number).unwrap_or(sender.as_str()).to_owned(),
        r#type: kind.into(),
    }
}

fn recipient(number: &Msisdn) -> pb::Address {
    pb::Address {
        value: number.digits().to_owned(),
        r#type: pb::AddressType::International.into(),
    }
}

/// Country and network code of `code`, in which they stand together; `None` = it is empty.
fn network(code: &str) -> Option<pb::Network> {
    let (mcc, mnc) = code.split_at_checked(MCC_DIGITS)?;
    Some(pb::Network {
        mcc: mcc.to_owned(),
        mnc: mnc.to_owned(),
    })
}

/// How long the carrier wants to be left alone; `None` = it does not say, or nothing that makes sense.
pub fn retry_after(refused: &pb::Refused) -> Option<Duration> {
    Duration::try_from(refused.retry_after?).ok()
}

/// `span` as the wire has it; thousands of years count as no more than that.
pub fn span(span: Duration) -> prost_types::Duration {
    prost_types::Duration::try_from(span).unwrap_or(prost_types::Duration {
        seconds: i64::MAX,
        nanos: 0,
    })
}

/// The state; `None` = it is not said, or of a later version.
pub fn receipt_state(state: pb::ReceiptState) -> Option<ReceiptState> {
    Some(match state {
        pb::ReceiptState::Unspecified => return None,
        pb::ReceiptState::Enroute => ReceiptState::Enroute,
        pb::ReceiptState::Accepted => ReceiptState::Accepted,
        pb::ReceiptState::Delivered => ReceiptState::Delivered,
        pb::ReceiptState::Expired => ReceiptState::Expired,
        pb::ReceiptState::Deleted => ReceiptState::Deleted,
        pb::ReceiptState::Undeliverable => ReceiptState::Undeliverable,
        pb::ReceiptState::Rejected => ReceiptState::Rejected,
        pb::ReceiptState::Unknown => ReceiptState::Unknown,
    })
}

/// Whom the carrier blames; `None` = it does not say.
pub fn receipt_fault(blame: pb::Blame) -> Option<ReceiptFault> {
    Some(match blame {
        pb::Blame::Unspecified => return None,
        pb::Blame::Handset => ReceiptFault::Handset,
        pb::Blame::Route => ReceiptFault::Route,
        pb::Blame::Number => ReceiptFault::Number,
        pb::Blame::Recipient => ReceiptFault::Recipient,
    })
}

/// The instant; `None` = before 1970, or none at all.
pub fn instant(at: &Timestamp) -> Option<UnixMs> {
    let seconds = u64::try_from(at.seconds).ok()?;
    let millis = u64::try_from(at.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)? / 1_000_000;
    Some(UnixMs(seconds.checked_mul(1_000)?.checked_add(millis)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_told_in_its_two_codes_and_a_country_alone() {
        let codes = |code| network(code).map(|network| (network.mcc, network.mnc));
        assert_eq!(codes("20801"), Some(("208".into(), "01".into())));
        assert_eq!(codes("310410"), Some(("310".into(), "410".into())));
        assert_eq!(codes("208"), Some(("208".into(), String::new())));
        assert_eq!(codes(""), None);
    }

    #[test]
    fn senders_say_what_they_are_and_bear_no_plus() {
        let said = |text: &str| {
            let address = sender(&Sender::new(text).unwrap());
            (address.r#type().as_str_name().to_owned(), address.value)
        };
        assert_eq!(said("ACME"), ("ADDRESS_TYPE_ALPHANUMERIC".into(), "ACME".into()));
        assert_eq!(said("70001"), ("ADDRESS_TYPE_SHORT_CODE".into(), "70001".into()));
        assert_eq!(
            said("+447700900123"),
            ("ADDRESS_TYPE_INTERNATIONAL".into(), "447700900123".into())
        );
    }

    #[test]
    fn what_is_no_instant_is_none() {
        let at = |seconds, nanos| instant(&Timestamp { seconds, nanos });
        assert_eq!(at(1, 999_999_999), Some(UnixMs(1_999)));
        for (seconds, nanos) in [(-1, 0), (1, -1), (1, 1_000_000_000), (i64::MAX, 0)] {
            assert_eq!(at(seconds, nanos), None, "{seconds} {nanos}");
        }
    }
}
