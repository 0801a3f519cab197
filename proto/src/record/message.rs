//! Messages, attempts and receipts.

use std::time::Duration;

use journey::{
    Answer, Attempt, Charge, Delayed, NetworkOrigin, OrderNumber, Price, SegmentReceipt, Unmatched, Waiting,
};
use sms::{
    AccountId, CarrierName, Class, Content, Encoding, Message, MessageId, Msisdn, Receipt, ReceiptFault, ReceiptState,
    RecordKey, Sender, TraceContext, UnixMs, VendorField,
};
use uuid::Uuid;

use super::invalid::{self, Invalid, field, need, octet};
use crate::pb::signalbox::{bus::v1 as pb, sms::v1 as pb_sms};

/// Whether content is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    All,
    NoContent,
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn carrier(name: &'static str, value: &str) -> Result<CarrierName, Invalid> {
    field(name, CarrierName::new(value))
}

pub(super) fn message_id(octets: &[u8]) -> Result<MessageId, Invalid> {
    field("id", Uuid::from_slice(octets)).map(MessageId)
}

pub(super) fn copy_of_to_pb(original: Option<MessageId>) -> Vec<u8> {
    original.map(|id| id.0.as_bytes().to_vec()).unwrap_or_default()
}

pub(super) fn copy_of_from_pb(octets: &[u8]) -> Result<Option<MessageId>, Invalid> {
    if octets.is_empty() {
        return Ok(None);
    }
    field("copy_of", Uuid::from_slice(octets)).map(|id| Some(MessageId(id)))
}

pub(super) fn trace_to_pb(trace: Option<&TraceContext>) -> Vec<u8> {
    trace.map(|trace| trace.to_octets().to_vec()).unwrap_or_default()
}

/// What is no trace is none: no message is put aside for that.
pub(super) fn trace_from_pb(octets: &[u8]) -> Option<Box<TraceContext>> {
    TraceContext::from_octets(octets).map(Box::new)
}

pub(super) fn to_pb(message: &Message, keep: Keep) -> pb::Accepted {
    pb::Accepted {
        id: message.id.0.as_bytes().to_vec(),
        account: message.account.as_str().to_owned(),
        key: message.key.0,
        from: message.from.as_str().to_owned(),
        to: message.to.digits().to_owned(),
        content: (keep == Keep::All).then(|| content_to_pb(&message.content)),
        encoding: encoding_to_pb(message.encoding).into(),
        segments: message.segments.into(),
        class: class_to_pb(message.class).into(),
        accepted_at: message.accepted_at.0,
        ttl_ms: message.ttl.map(millis),
        receipt: message.receipt,
        reference: message.reference.clone(),
        idempotency: None,
        copy_of: copy_of_to_pb(message.copy_of),
        trace: trace_to_pb(message.trace.as_deref()),
    }
}

/// Reads a message; content that was left out reads as empty text.
pub(super) fn from_pb(message: pb::Accepted) -> Result<Message, Invalid> {
    Ok(Message {
        id: message_id(&message.id)?,
        account: field("account", AccountId::new(&message.account))?,
        key: RecordKey(message.key),
        from: field("from", Sender::new(&message.from))?,
        to: field("to", Msisdn::new(&message.to))?,
        encoding: encoding_from_pb(message.encoding)?,
        segments: octet("segments", message.segments)?,
        class: class_from_pb(message.class)?,
        accepted_at: UnixMs(message.accepted_at),
        ttl: message.ttl_ms.map(Duration::from_millis),
        receipt: message.receipt,
        content: message
            .content
            .map_or_else(|| Ok(Content::Text(String::new())), content_from_pb)?,
        reference: message.reference,
        copy_of: copy_of_from_pb(&message.copy_of)?,
        trace: trace_from_pb(&message.trace),
    })
}

pub(super) fn content_to_pb(content: &Content) -> pb_sms::Content {
    let body = match content {
        Content::Text(text) => pb_sms::content::Body::Text(text.clone()),
        // An absent header is written as none; a header is never empty.
        Content::Binary { data, header } => pb_sms::content::Body::Binary(pb_sms::Binary {
            data: data.clone(),
            header: header.clone().unwrap_or_default(),
        }),
    };
    pb_sms::Content { body: Some(body) }
}

pub(super) fn content_from_pb(content: pb_sms::Content) -> Result<Content, Invalid> {
    Ok(match need("content.body", content.body)? {
        pb_sms::content::Body::Text(text) => Content::Text(text),
        pb_sms::content::Body::Binary(binary) => Content::Binary {
            data: binary.data,
            header: (!binary.header.is_empty()).then_some(binary.header),
        },
    })
}

pub(super) const fn encoding_to_pb(encoding: Encoding) -> pb_sms::Encoding {
    match encoding {
        Encoding::Gsm7 => pb_sms::Encoding::Gsm7,
        Encoding::Ucs2 => pb_sms::Encoding::Ucs2,
        Encoding::Binary => pb_sms::Encoding::Binary,
    }
}

pub(super) fn encoding_from_pb(encoding: i32) -> Result<Encoding, Invalid> {
    match pb_sms::Encoding::try_from(encoding) {
        Ok(pb_sms::Encoding::Gsm7) => Ok(Encoding::Gsm7),
        Ok(pb_sms::Encoding::Ucs2) => Ok(Encoding::Ucs2),
        Ok(pb_sms::Encoding::Binary) => Ok(Encoding::Binary),
        _ => Err(unknown("encoding", encoding)),
    }
}

const fn class_to_pb(class: Class) -> pb_sms::MessageClass {
    match class {
        Class::Otp => pb_sms::MessageClass::Otp,
        Class::Transactional => pb_sms::MessageClass::Transactional,
        Class::Promotional => pb_sms::MessageClass::Promotional,
    }
}

fn class_from_pb(class: i32) -> Result<Class, Invalid> {
    match pb_sms::MessageClass::try_from(class) {
        Ok(pb_sms::MessageClass::Otp) => Ok(Class::Otp),
        Ok(pb_sms::MessageClass::Transactional) => Ok(Class::Transactional),
        Ok(pb_sms::MessageClass::Promotional) => Ok(Class::Promotional),
        _ => Err(unknown("class", class)),
    }
}

pub(super) fn unknown(field: &'static str, value: i32) -> Invalid {
    Invalid::Field {
        field,
        reason: format!("{value} is no value of this version"),
    }
}

pub(super) fn price_to_pb(price: &Price) -> pb::Price {
    pb::Price {
        unit_micros: price.unit_micros,
        currency: price.currency.clone(),
        cost_micros: price.cost_micros,
    }
}

pub(super) fn price_from_pb(price: pb::Price) -> Price {
    Price {
        unit_micros: price.unit_micros,
        currency: price.currency,
        cost_micros: price.cost_micros,
    }
}

pub(super) fn looked_up_to_pb(looked_up: &NetworkOrigin) -> pb::NetworkOrigin {
    pb::NetworkOrigin {
        source: looked_up.source.clone(),
        provider: looked_up.provider.clone(),
        ported: looked_up.ported,
        sure: looked_up.is_sure,
        cost_micros: looked_up.cost_micros,
        asked_at: looked_up.asked_at.0,
    }
}

pub(super) fn looked_up_from_pb(looked_up: pb::NetworkOrigin) -> Box<NetworkOrigin> {
    Box::new(NetworkOrigin {
        source: looked_up.source,
        provider: looked_up.provider,
        ported: looked_up.ported,
        is_sure: looked_up.sure,
        cost_micros: looked_up.cost_micros,
        asked_at: UnixMs(looked_up.asked_at),
    })
}

pub(super) fn attempt_to_pb(attempt: Attempt) -> pb::Attempt {
    let answer = attempt.answer;
    pb::Attempt {
        number: attempt.number.0,
        carrier: attempt.carrier.as_str().to_owned(),
        network: attempt.network,
        looked_up: attempt.looked_up.as_deref().map(looked_up_to_pb),
        price: attempt.price.as_ref().map(price_to_pb),
        table: attempt.table,
        policy: attempt.policy,
        issued_at: attempt.issued_at.0,
        answer: Some(pb::Answer {
            outcome: answer.outcome,
            code: answer.code,
            detail: answer.detail,
            at: answer.at.0,
            charge: answer.charge.as_deref().map(charge_to_pb),
        }),
        spent: attempt.spent,
        remote_ids: attempt.remote_ids,
        receipts: attempt.receipts.iter().map(segment_to_pb).collect(),
    }
}

pub(super) fn attempt_from_pb(attempt: pb::Attempt) -> Result<Attempt, Invalid> {
    let answer = need("attempt.answer", attempt.answer)?;
    Ok(Attempt {
        number: OrderNumber(attempt.number),
        carrier: carrier("attempt.carrier", &attempt.carrier)?,
        network: attempt.network,
        looked_up: attempt.looked_up.map(looked_up_from_pb),
        price: attempt.price.map(price_from_pb),
        table: attempt.table,
        policy: attempt.policy,
        issued_at: UnixMs(attempt.issued_at),
        answer: Answer {
            outcome: answer.outcome,
            code: answer.code,
            detail: answer.detail,
            at: UnixMs(answer.at),
            charge: answer.charge.map(charge_from_pb).transpose()?,
        },
        spent: attempt.spent,
        remote_ids: attempt.remote_ids,
        receipts: attempt
            .receipts
            .into_iter()
            .map(segment_from_pb)
            .collect::<Result<_, _>>()?,
    })
}

pub(super) fn charge_to_pb(charge: &Charge) -> pb::Charge {
    pb::Charge {
        segments: charge.segments.into(),
        cost_micros: charge.cost_micros,
        currency: charge.currency.clone(),
        network: charge.network.clone(),
    }
}

pub(super) fn charge_from_pb(charge: pb::Charge) -> Result<Box<Charge>, Invalid> {
    Ok(Box::new(Charge {
        segments: octet("charge.segments", charge.segments)?,
        cost_micros: charge.cost_micros,
        currency: charge.currency,
        network: charge.network,
    }))
}

pub(super) fn attempts_from_pb(attempts: Vec<pb::Attempt>) -> Result<Vec<Attempt>, Invalid> {
    attempts.into_iter().map(attempt_from_pb).collect()
}

pub(super) fn segment_to_pb(heard: &SegmentReceipt) -> pb::SegmentReceipt {
    pb::SegmentReceipt {
        segment: heard.segment.into(),
        receipt: Some(receipt_to_pb(&heard.receipt)),
        at: heard.at.0,
    }
}

pub(super) fn segment_from_pb(heard: pb::SegmentReceipt) -> Result<SegmentReceipt, Invalid> {
    Ok(SegmentReceipt {
        segment: octet("receipt.segment", heard.segment)?,
        receipt: receipt_from_pb(need("receipt.receipt", heard.receipt)?)?,
        at: UnixMs(heard.at),
    })
}

pub(super) fn receipt_to_pb(receipt: &Receipt) -> pb::Receipt {
    pb::Receipt {
        state: receipt_state_to_pb(receipt.state).into(),
        fault: fault_to_pb(receipt.fault).into(),
        raw: receipt.raw.clone(),
        error: receipt.error.clone(),
        done_at: receipt.done_at.map(|at| at.0),
        vendor: receipt.vendor.iter().map(vendor_to_pb).collect(),
    }
}

pub(super) fn receipt_from_pb(receipt: pb::Receipt) -> Result<Receipt, Invalid> {
    Ok(Receipt {
        state: receipt_state_from_pb(receipt.state)?,
        fault: fault_from_pb(receipt.fault)?,
        raw: receipt.raw,
        error: receipt.error,
        done_at: receipt.done_at.map(UnixMs),
        vendor: receipt
            .vendor
            .into_iter()
            .map(vendor_from_pb)
            .collect::<Result<_, _>>()?,
    })
}

fn vendor_to_pb(field: &VendorField) -> pb::VendorField {
    pb::VendorField {
        tag: field.tag.into(),
        value: field.value.clone().into(),
    }
}

fn vendor_from_pb(field: pb::VendorField) -> Result<VendorField, Invalid> {
    Ok(VendorField {
        tag: invalid::field("receipt.vendor.tag", u16::try_from(field.tag))?,
        value: field.value.into(),
    })
}

const fn receipt_state_to_pb(state: ReceiptState) -> pb::ReceiptState {
    match state {
        ReceiptState::Enroute => pb::ReceiptState::Enroute,
        ReceiptState::Accepted => pb::ReceiptState::Accepted,
        ReceiptState::Delivered => pb::ReceiptState::Delivered,
        ReceiptState::Expired => pb::ReceiptState::Expired,
        ReceiptState::Deleted => pb::ReceiptState::Deleted,
        ReceiptState::Undeliverable => pb::ReceiptState::Undeliverable,
        ReceiptState::Rejected => pb::ReceiptState::Rejected,
        ReceiptState::Unknown => pb::ReceiptState::Unknown,
    }
}

fn receipt_state_from_pb(state: i32) -> Result<ReceiptState, Invalid> {
    match pb::ReceiptState::try_from(state) {
        Ok(pb::ReceiptState::Enroute) => Ok(ReceiptState::Enroute),
        Ok(pb::ReceiptState::Accepted) => Ok(ReceiptState::Accepted),
        Ok(pb::ReceiptState::Delivered) => Ok(ReceiptState::Delivered),
        Ok(pb::ReceiptState::Expired) => Ok(ReceiptState::Expired),
        Ok(pb::ReceiptState::Deleted) => Ok(ReceiptState::Deleted),
        Ok(pb::ReceiptState::Undeliverable) => Ok(ReceiptState::Undeliverable),
        Ok(pb::ReceiptState::Rejected) => Ok(ReceiptState::Rejected),
        Ok(pb::ReceiptState::Unknown) => Ok(ReceiptState::Unknown),
        _ => Err(unknown("receipt.state", state)),
    }
}

const fn fault_to_pb(fault: ReceiptFault) -> pb::ReceiptFault {
    match fault {
        ReceiptFault::Handset => pb::ReceiptFault::Handset,
        ReceiptFault::Route => pb::ReceiptFault::Route,
        ReceiptFault::Number => pb::ReceiptFault::Number,
        ReceiptFault::Recipient => pb::ReceiptFault::Recipient,
    }
}

fn fault_from_pb(fault: i32) -> Result<ReceiptFault, Invalid> {
    match pb::ReceiptFault::try_from(fault) {
        Ok(pb::ReceiptFault::Handset) => Ok(ReceiptFault::Handset),
        Ok(pb::ReceiptFault::Route) => Ok(ReceiptFault::Route),
        Ok(pb::ReceiptFault::Number) => Ok(ReceiptFault::Number),
        Ok(pb::ReceiptFault::Recipient) => Ok(ReceiptFault::Recipient),
        _ => Err(unknown("receipt.fault", fault)),
    }
}

pub(super) fn unmatched_to_pb(unmatched: &Unmatched) -> pb::Unmatched {
    pb::Unmatched {
        carrier: unmatched.carrier.as_str().to_owned(),
        remote_id: unmatched.remote_id.clone(),
        receipt: Some(receipt_to_pb(&unmatched.receipt)),
        first_seen: unmatched.first_seen.0,
        party: unmatched.party,
    }
}

pub(super) fn unmatched_from_pb(unmatched: pb::Unmatched) -> Result<Unmatched, Invalid> {
    Ok(Unmatched {
        carrier: carrier("carrier", &unmatched.carrier)?,
        remote_id: unmatched.remote_id,
        receipt: receipt_from_pb(need("receipt", unmatched.receipt)?)?,
        first_seen: UnixMs(unmatched.first_seen),
        party: unmatched.party,
    })
}

pub(super) fn delayed_to_pb(delayed: &Delayed, put_at: UnixMs) -> pb::Delayed {
    let what = match delayed {
        Delayed::Message(waiting) => pb::delayed::What::Message(pb::Waiting {
            message: Some(to_pb(&waiting.message, Keep::All)),
            number: waiting.number.0,
            attempts: waiting.attempts.iter().cloned().map(attempt_to_pb).collect(),
            until: waiting.until.0,
            deadline: waiting.deadline.0,
            stay: waiting.stay.as_ref().map(|carrier| carrier.as_str().to_owned()),
            again: waiting.again,
            look_again: waiting.look_again,
        }),
        Delayed::Receipt { receipt, .. } => pb::delayed::What::Receipt(unmatched_to_pb(receipt)),
    };
    let waited = match delayed {
        Delayed::Message(_) => Duration::ZERO,
        Delayed::Receipt { waited, .. } => *waited,
    };
    pb::Delayed {
        what: Some(what),
        put_at: Some(put_at.0),
        waited_ms: millis(waited),
    }
}

pub(super) fn delayed_from_pb(delayed: pb::Delayed, key: RecordKey) -> Result<Delayed, Invalid> {
    let waiting = match need("what", delayed.what)? {
        pb::delayed::What::Message(waiting) => waiting,
        pb::delayed::What::Receipt(receipt) => {
            return Ok(Delayed::Receipt {
                receipt: unmatched_from_pb(receipt)?,
                key,
                waited: Duration::from_millis(delayed.waited_ms),
            });
        }
    };
    Ok(Delayed::Message(Box::new(Waiting {
        message: from_pb(need("message", waiting.message)?)?,
        number: OrderNumber(waiting.number),
        attempts: attempts_from_pb(waiting.attempts)?,
        until: UnixMs(waiting.until),
        deadline: UnixMs(waiting.deadline),
        stay: waiting.stay.map(|name| carrier("stay", &name)).transpose()?,
        again: waiting.again,
        look_again: waiting.look_again,
    })))
}
