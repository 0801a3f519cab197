//! States and events.

use std::{collections::BTreeMap, sync::Arc};

use journey::{Answer, Asked, Body, EndState, Event, LateReceipt, OrderNumber, Progress, State, TerminalEvent};
use sms::{AccountId, UnixMs};

use super::{
    invalid::{Invalid, field, need, octet},
    message::{self, Keep, carrier},
    order,
};
use crate::pb::signalbox::bus::v1 as pb;

pub(super) fn to_pb(state: &State) -> pb::State {
    let body = state.body.as_ref();
    pb::State {
        message: body.map(|body| {
            message::to_pb(
                &body.message,
                if body.has_content { Keep::All } else { Keep::NoContent },
            )
        }),
        terms: body.map(|body| order::terms_to_pb(&body.terms)),
        orders: state
            .orders
            .iter()
            .map(|(number, progress)| progress_to_pb(*number, progress))
            .collect(),
        issued: state.issued.0,
        timer: state.timer.map(|at| at.0),
        ended: state.ended.as_deref().map(ended_to_pb),
        closed: state.closed.0,
        dead_end: state.dead_end.0,
        parked: state.parked.0,
        ordered: state.ordered.0,
    }
}

pub(super) fn from_pb(state: pb::State) -> Result<State, Invalid> {
    let body = match state.message {
        Some(message) => Some(Body {
            has_content: message.content.is_some(),
            message: message::from_pb(message)?,
            terms: order::terms_from_pb(need("terms", state.terms)?)?,
        }),
        None => None,
    };
    Ok(State {
        body,
        orders: state
            .orders
            .into_iter()
            .map(progress_from_pb)
            .collect::<Result<_, _>>()?,
        issued: OrderNumber(state.issued),
        timer: state.timer.map(UnixMs),
        ended: state.ended.map(ended_from_pb).transpose()?.map(Arc::new),
        closed: OrderNumber(state.closed),
        dead_end: OrderNumber(state.dead_end),
        parked: OrderNumber(state.parked),
        ordered: OrderNumber(state.ordered),
    })
}

fn progress_to_pb(number: OrderNumber, progress: &Progress) -> pb::Progress {
    let attempt = match progress.attempt(number) {
        Some(attempt) => message::attempt_to_pb(attempt),
        None => pb::Attempt {
            number: number.0,
            carrier: progress.carrier.as_str().to_owned(),
            receipts: progress.receipts.values().map(message::segment_to_pb).collect(),
            ..pb::Attempt::default()
        },
    };
    pb::Progress {
        attempt: Some(attempt),
        receipt: progress.asked.as_ref().is_some_and(|asked| asked.receipt),
        segments: progress.segments.into(),
        silent: progress.silent,
    }
}

fn progress_from_pb(progress: pb::Progress) -> Result<(OrderNumber, Progress), Invalid> {
    let mut attempt = need("orders.attempt", progress.attempt)?;
    let number = OrderNumber(attempt.number);
    let heard = attempt
        .receipts
        .into_iter()
        .map(message::segment_from_pb)
        .collect::<Result<Vec<_>, _>>()?;
    let receipts: BTreeMap<_, _> = heard.into_iter().map(|heard| (heard.segment, heard)).collect();
    let charge = attempt.answer.as_mut().and_then(|answer| answer.charge.take());
    let charge = charge.map(message::charge_from_pb).transpose()?;
    let asked = attempt.answer.map(|answer| Asked {
        network: attempt.network,
        looked_up: attempt.looked_up.map(message::looked_up_from_pb),
        price: attempt.price.map(message::price_from_pb),
        table: attempt.table,
        policy: attempt.policy,
        issued_at: UnixMs(attempt.issued_at),
        answer: Answer {
            outcome: answer.outcome,
            code: answer.code,
            detail: answer.detail,
            at: UnixMs(answer.at),
            charge,
        },
        spent: attempt.spent,
        remote_ids: attempt.remote_ids,
        receipt: progress.receipt,
    });
    let carrier = carrier("orders.carrier", &attempt.carrier)?;
    let segments = octet("orders.segments", progress.segments)?;
    Ok((
        number,
        Progress {
            carrier,
            asked,
            receipts,
            segments,
            silent: progress.silent,
        },
    ))
}

pub(super) fn event_to_pb(event: &Event) -> pb::Event {
    let what = match event {
        Event::Ended(ended) => pb::event::What::Ended(ended_to_pb(ended)),
        Event::Late(late) => pb::event::What::LateReceipt(pb::LateReceipt {
            order: Some(order::ref_to_pb(&late.order)),
            receipt: Some(message::segment_to_pb(&late.receipt)),
            account: late.account.as_str().to_owned(),
            reference: late.reference.clone(),
            ended: end_to_pb(late.ended).into(),
            copy_of: message::copy_of_to_pb(late.copy_of),
        }),
    };
    pb::Event { what: Some(what) }
}

pub(super) fn event_from_pb(event: pb::Event) -> Result<Event, Invalid> {
    Ok(match need("what", event.what)? {
        pb::event::What::Ended(ended) => Event::Ended(Arc::new(ended_from_pb(ended)?)),
        pb::event::What::LateReceipt(late) => Event::Late(Box::new(LateReceipt {
            order: order::ref_from_pb(need("order", late.order)?)?,
            receipt: message::segment_from_pb(need("receipt", late.receipt)?)?,
            account: field("account", AccountId::new(&late.account))?,
            reference: late.reference,
            ended: end_from_pb(late.ended)?,
            copy_of: message::copy_of_from_pb(&late.copy_of)?,
        })),
    })
}

fn ended_to_pb(ended: &TerminalEvent) -> pb::Ended {
    pb::Ended {
        message: Some(message::to_pb(&ended.message, Keep::NoContent)),
        state: end_to_pb(ended.state).into(),
        cause: Some(order::cause_to_pb(&ended.cause)),
        ended_at: ended.ended_at.0,
        carrier: ended.carrier.as_ref().map(|carrier| carrier.as_str().to_owned()),
        table: ended.table.clone(),
        policy: ended.policy.clone(),
        attempts: ended.attempts.iter().cloned().map(message::attempt_to_pb).collect(),
    }
}

fn ended_from_pb(ended: pb::Ended) -> Result<TerminalEvent, Invalid> {
    Ok(TerminalEvent {
        message: message::from_pb(need("message", ended.message)?)?,
        state: end_from_pb(ended.state)?,
        cause: order::cause_from_pb(need("cause", ended.cause)?),
        ended_at: UnixMs(ended.ended_at),
        carrier: ended.carrier.map(|name| carrier("carrier", &name)).transpose()?,
        table: ended.table,
        policy: ended.policy,
        attempts: message::attempts_from_pb(ended.attempts)?,
    })
}

const fn end_to_pb(state: EndState) -> pb::EndState {
    match state {
        EndState::Delivered => pb::EndState::Delivered,
        EndState::Sent => pb::EndState::Sent,
        EndState::Failed => pb::EndState::Failed,
        EndState::Expired => pb::EndState::Expired,
        EndState::Rejected => pb::EndState::Rejected,
        EndState::Unknown => pb::EndState::Unknown,
    }
}

fn end_from_pb(state: i32) -> Result<EndState, Invalid> {
    match pb::EndState::try_from(state) {
        Ok(pb::EndState::Delivered) => Ok(EndState::Delivered),
        Ok(pb::EndState::Sent) => Ok(EndState::Sent),
        Ok(pb::EndState::Failed) => Ok(EndState::Failed),
        Ok(pb::EndState::Expired) => Ok(EndState::Expired),
        Ok(pb::EndState::Rejected) => Ok(EndState::Rejected),
        Ok(pb::EndState::Unknown) => Ok(EndState::Unknown),
        _ => Err(message::unknown("state", state)),
    }
}
