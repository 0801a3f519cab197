//! What `signalbox.ingest.v1` says about a message under way, about its end, and of messages from handsets.

use std::time::Duration;

use journey::{
    Attempt, Cause, Charge, EndState, Event, LateReceipt, NetworkOrigin, Price, Progress, State, TerminalEvent,
};
use prost::Message as _;
use prost_types::Timestamp;
use sms::{CarrierName, Inbound, Message, ReceiptState, UnixMs};
use tonic::Code;
use tonic_types::pb::RetryInfo;

use crate::pb::signalbox::ingest::v1 as pb;

/// Where a message with `state` is, for the account it belongs to; `None` if only receipts are known of it so far.
pub fn status(state: &State) -> Option<pb::GetMessageResponse> {
    if let Some(ended) = &state.ended {
        return Some(ended_status(ended));
    }
    let body = state.body.as_ref()?;
    let is_taken = |progress: &Progress| {
        let answer = progress.asked.as_ref().map(|asked| &*asked.answer.outcome);
        answer == Some("accepted") || answer == Some("unknown") || !progress.receipts.is_empty()
    };
    let at = if state.orders.values().next_back().is_some_and(is_taken) {
        pb::MessageState::Submitted
    } else {
        pb::MessageState::Routed
    };
    let attempts = state
        .orders
        .iter()
        .map(|(number, progress)| match progress.attempt(*number) {
            Some(known) => attempt(&known),
            None => pb::Attempt {
                order_number: number.0,
                carrier: progress.carrier.as_str().to_owned(),
                ..pb::Attempt::default()
            },
        });
    Some(pb::GetMessageResponse {
        state: at.into(),
        attempts: attempts.collect(),
        ..accepted_status(&body.message)
    })
}

/// Where a message is that was accepted and not decided on.
pub fn accepted_status(message: &Message) -> pb::GetMessageResponse {
    pb::GetMessageResponse {
        message_id: message.id.to_string(),
        state: pb::MessageState::Accepted.into(),
        reason: None,
        class: crate::pb::signalbox::sms::v1::MessageClass::from(message.class).into(),
        encoding: crate::pb::signalbox::sms::v1::Encoding::from(message.encoding).into(),
        segments: message.segments.into(),
        reference: message.reference.clone(),
        accepted_at: Some(timestamp(message.accepted_at)),
        ended_at: None,
        attempts: Vec::new(),
    }
}

/// The receipt that tells of `event`.
pub fn receipt(event: &Event) -> pb::Receipt {
    let event_id = event.id();
    match event {
        Event::Ended(ended) => pb::Receipt {
            event_id,
            message_id: ended.message.id.to_string(),
            state: end_state(ended.state).into(),
            error: reason(&ended.cause.code, &ended.cause.detail),
            segments: ended.message.segments.into(),
            reference: ended.message.reference.clone(),
            accepted_at: Some(timestamp(ended.message.accepted_at)),
            ended_at: Some(timestamp(ended.ended_at)),
            late: false,
        },
        Event::Late(late) => late_receipt(event_id, late),
    }
}

/// A message from a handset as its account gets it, called over `carrier`.
pub fn inbound(inbound: &Inbound, carrier: &CarrierName) -> pb::InboundMessage {
    pb::InboundMessage {
        inbound_id: inbound.id.to_string(),
        from: inbound.from.clone(),
        to: inbound.to.clone(),
        text: inbound.text.clone(),
        data: inbound.octets.clone(),
        data_coding: inbound.data_coding.into(),
        header: inbound.header.clone(),
        parts: inbound.parts.into(),
        missing_parts: inbound.missing.iter().map(|part| u32::from(*part)).collect(),
        carrier: carrier.as_str().to_owned(),
        received_at: Some(timestamp(inbound.received_at)),
    }
}

fn late_receipt(event_id: String, late: &LateReceipt) -> pb::Receipt {
    let said = &late.receipt.receipt;
    let state = match said.state {
        ReceiptState::Enroute | ReceiptState::Accepted => pb::MessageState::Submitted,
        ReceiptState::Delivered => pb::MessageState::Delivered,
        ReceiptState::Expired => pb::MessageState::Expired,
        ReceiptState::Deleted | ReceiptState::Undeliverable | ReceiptState::Rejected => pb::MessageState::Failed,
        ReceiptState::Unknown => pb::MessageState::Unknown,
    };
    pb::Receipt {
        event_id,
        message_id: late.order.message.to_string(),
        state: state.into(),
        error: if state == pb::MessageState::Delivered {
            None
        } else {
            reason(&said.error, &said.raw)
        },
        segments: 0,
        reference: late.reference.clone(),
        accepted_at: Some(timestamp(late.order.message.instant())),
        ended_at: Some(timestamp(late.receipt.at)),
        late: true,
    }
}

fn ended_status(ended: &TerminalEvent) -> pb::GetMessageResponse {
    let Cause { code, detail } = &ended.cause;
    pb::GetMessageResponse {
        state: end_state(ended.state).into(),
        reason: reason(code, detail),
        ended_at: Some(timestamp(ended.ended_at)),
        attempts: ended.attempts.iter().map(attempt).collect(),
        ..accepted_status(&ended.message)
    }
}

fn attempt(attempt: &Attempt) -> pb::Attempt {
    let answer = &attempt.answer;
    pb::Attempt {
        order_number: attempt.number.0,
        carrier: attempt.carrier.as_str().to_owned(),
        price: attempt.price.as_ref().map(price),
        outcome: answer.outcome.clone(),
        reason: reason(&answer.code, &answer.detail),
        issued_at: Some(timestamp(attempt.issued_at)),
        answered_at: Some(timestamp(answer.at)),
        table_version: attempt.table.clone(),
        policy: attempt.policy.clone(),
        network: attempt.network.clone(),
        looked_up: attempt.looked_up.as_deref().map(looked_up),
        charge: answer.charge.as_deref().map(charge),
    }
}

fn charge(charge: &Charge) -> pb::Charge {
    pb::Charge {
        segments: charge.segments.into(),
        cost: charge.cost_micros.map(decimal).unwrap_or_default(),
        currency: charge.currency.clone(),
        network: charge.network.clone(),
    }
}

fn looked_up(looked_up: &NetworkOrigin) -> pb::LookedUp {
    pb::LookedUp {
        source: looked_up.source.clone(),
        provider: looked_up.provider.clone(),
        ported: looked_up.ported,
        cost: decimal(looked_up.cost_micros),
        asked_at: Some(timestamp(looked_up.asked_at)),
    }
}

fn price(price: &Price) -> pb::Price {
    pb::Price {
        unit: decimal(price.unit_micros),
        currency: price.currency.clone(),
        cost: decimal(price.cost_micros),
    }
}

fn reason(code: &str, detail: &str) -> Option<pb::Reason> {
    let is_said = !code.is_empty() || !detail.is_empty();
    is_said.then(|| pb::Reason {
        code: code.to_owned(),
        detail: detail.to_owned(),
    })
}

const fn end_state(state: EndState) -> pb::MessageState {
    match state {
        EndState::Delivered => pb::MessageState::Delivered,
        EndState::Sent => pb::MessageState::Sent,
        EndState::Failed => pb::MessageState::Failed,
        EndState::Expired => pb::MessageState::Expired,
        EndState::Rejected => pb::MessageState::Rejected,
        EndState::Unknown => pb::MessageState::Unknown,
    }
}

/// The problem in an encoded `google.rpc.Status`, which it is field by field; `None` if the octets are none.
pub fn problem(status: &[u8]) -> Option<pb::Problem> {
    pb::Problem::decode(status).ok()
}

/// How long whoever was refused with `problem` shall stay away before it asks for the same again; `None` = asking again is of
/// no use, may make a second message, or nothing was said.
pub fn come_back(problem: &pb::Problem) -> Option<Duration> {
    // Of what is exhausted nothing was taken; of what is unavailable something may have been.
    if problem.code != i32::from(Code::ResourceExhausted) {
        return None;
    }
    let is_hint = |detail: &&prost_types::Any| detail.type_url.ends_with("google.rpc.RetryInfo");
    let hint = RetryInfo::decode(&*problem.details.iter().find(is_hint)?.value).ok()?;
    Duration::try_from(hint.retry_delay?).ok()
}

/// `at` as protobuf has it.
pub fn timestamp(at: UnixMs) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(at.0 % 1_000 * 1_000_000).expect("999 ms are under 2^31 ns"),
    }
}

/// A number of millionths, with six places.
fn decimal(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests;
