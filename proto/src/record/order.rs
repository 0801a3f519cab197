//! Orders, what became of them, and what their receipts say.

use std::time::Duration;

use journey::{
    Cause, Correlation, Mask, OnUnknown, Order, OrderAnswer, OrderNumber, OrderRef, Outcome, ReceiptRecord, Terms,
};
use sms::{Msisdn, RecordKey, Sender, UnixMs};

use super::{
    invalid::{Invalid, field, need, octet},
    message::{self, Keep, carrier, millis},
};
use crate::pb::signalbox::bus::v1 as pb;

pub(super) fn to_pb(order: &Order, keep: Keep) -> pb::Order {
    pb::Order {
        message: Some(message::to_pb(&order.message, keep)),
        number: order.number.0,
        carrier: order.carrier.as_str().to_owned(),
        network: order.network.clone(),
        looked_up: order.looked_up.as_deref().map(message::looked_up_to_pb),
        price: order.price.as_ref().map(message::price_to_pb),
        mask: mask_to_pb(&order.mask),
        receipt: order.receipt,
        terms: Some(terms_to_pb(&order.terms)),
        table: order.table.clone(),
        policy: order.policy.clone(),
        issued_at: order.issued_at.0,
        attempts: order.attempts.iter().cloned().map(message::attempt_to_pb).collect(),
    }
}

pub(super) fn from_pb(order: pb::Order) -> Result<Order, Invalid> {
    Ok(Order {
        message: message::from_pb(need("message", order.message)?)?,
        number: OrderNumber(order.number),
        carrier: carrier("carrier", &order.carrier)?,
        network: order.network,
        looked_up: order.looked_up.map(message::looked_up_from_pb),
        price: order.price.map(message::price_from_pb),
        mask: order.mask.map(mask_from_pb).transpose()?.unwrap_or_default(),
        receipt: order.receipt,
        terms: terms_from_pb(need("terms", order.terms)?)?,
        table: order.table,
        policy: order.policy,
        issued_at: UnixMs(order.issued_at),
        attempts: message::attempts_from_pb(order.attempts)?,
    })
}

fn mask_to_pb(mask: &Mask) -> Option<pb::Mask> {
    if *mask == Mask::default() {
        return None;
    }
    let mut written = pb::Mask {
        from: mask.from.as_ref().map(|from| from.as_str().to_owned()),
        to: mask.to.as_ref().map(|to| to.digits().to_owned()),
        ..pb::Mask::default()
    };
    if let Some((content, encoding, segments)) = &mask.content {
        written.content = Some(message::content_to_pb(content));
        written.encoding = message::encoding_to_pb(*encoding).into();
        written.segments = (*segments).into();
    }
    Some(written)
}

fn mask_from_pb(mask: pb::Mask) -> Result<Mask, Invalid> {
    let content = match mask.content {
        Some(content) => Some((
            message::content_from_pb(content)?,
            message::encoding_from_pb(mask.encoding)?,
            octet("mask.segments", mask.segments)?,
        )),
        None => None,
    };
    Ok(Mask {
        from: mask
            .from
            .map(|from| field("mask.from", Sender::new(&from)))
            .transpose()?,
        to: mask.to.map(|to| field("mask.to", Msisdn::new(&to))).transpose()?,
        content,
    })
}

pub(super) fn terms_to_pb(terms: &Terms) -> pb::Terms {
    let on_unknown = match terms.on_unknown {
        OnUnknown::Resend => pb::OnUnknown::Resend,
        OnUnknown::Wait => pb::OnUnknown::Wait,
        OnUnknown::Fail => pb::OnUnknown::Fail,
    };
    pb::Terms {
        attempts_max: terms.attempts_max,
        deadline: terms.deadline.0,
        grace_ms: millis(terms.grace),
        on_unknown: on_unknown.into(),
        receipt_within_ms: terms.receipt_within.map(millis),
        spill_after_ms: terms.spill_after.map(millis),
    }
}

pub(super) fn terms_from_pb(terms: pb::Terms) -> Result<Terms, Invalid> {
    let on_unknown = match pb::OnUnknown::try_from(terms.on_unknown) {
        Ok(pb::OnUnknown::Resend) => OnUnknown::Resend,
        Ok(pb::OnUnknown::Wait) => OnUnknown::Wait,
        Ok(pb::OnUnknown::Fail) => OnUnknown::Fail,
        _ => return Err(message::unknown("terms.on_unknown", terms.on_unknown)),
    };
    Ok(Terms {
        attempts_max: terms.attempts_max,
        deadline: UnixMs(terms.deadline),
        grace: Duration::from_millis(terms.grace_ms),
        on_unknown,
        receipt_within: terms.receipt_within_ms.map(Duration::from_millis),
        spill_after: terms.spill_after_ms.map(Duration::from_millis),
    })
}

pub(super) fn ref_to_pb(order: &OrderRef) -> pb::OrderRef {
    pb::OrderRef {
        message: order.message.0.as_bytes().to_vec(),
        key: order.key.0,
        number: order.number.0,
        carrier: order.carrier.as_str().to_owned(),
    }
}

pub(super) fn ref_from_pb(order: pb::OrderRef) -> Result<OrderRef, Invalid> {
    Ok(OrderRef {
        message: message::message_id(&order.message)?,
        key: RecordKey(order.key),
        number: OrderNumber(order.number),
        carrier: carrier("order.carrier", &order.carrier)?,
    })
}

pub(super) fn cause_to_pb(cause: &Cause) -> pb::Cause {
    pb::Cause {
        code: cause.code.clone(),
        detail: cause.detail.clone(),
    }
}

pub(super) fn cause_from_pb(cause: pb::Cause) -> Cause {
    Cause {
        code: cause.code,
        detail: cause.detail,
    }
}

pub(super) fn answer_to_pb(answer: &OrderAnswer) -> pb::OrderAnswer {
    use pb::order_answer::Outcome as Written;
    let returned = &*answer.returned;
    let is_accepted = matches!(answer.outcome, Outcome::Accepted { .. });
    let keep = if is_accepted && !returned.may_fail_over() {
        Keep::NoContent
    } else {
        Keep::All
    };
    let mut written = to_pb(returned, keep);
    if let (true, Some(mask)) = (is_accepted, &mut written.mask) {
        mask.content = None;
        mask.segments = 0;
        mask.encoding = 0;
    }
    let outcome = match &answer.outcome {
        Outcome::Accepted { remote_ids } => Written::Accepted(pb::Taken {
            remote_ids: remote_ids.clone(),
            charge: answer.charge.as_deref().map(message::charge_to_pb),
        }),
        Outcome::Hold { retry_after, cause } => Written::Hold(pb::Hold {
            retry_after_ms: millis(*retry_after),
            cause: Some(cause_to_pb(cause)),
        }),
        Outcome::Next { cause } => Written::Next(cause_to_pb(cause)),
        Outcome::Fail { cause } => Written::Fail(cause_to_pb(cause)),
        Outcome::LinkDown { cause } => Written::LinkDown(cause_to_pb(cause)),
        Outcome::Unknown { since } => Written::Unknown(pb::Silence { since: since.0 }),
    };
    pb::OrderAnswer {
        returned: Some(written),
        at: answer.at.0,
        outcome: Some(outcome),
    }
}

pub(super) fn answer_from_pb(answer: pb::OrderAnswer) -> Result<OrderAnswer, Invalid> {
    use pb::order_answer::Outcome as Written;
    let returned = Box::new(from_pb(need("returned", answer.returned)?)?);
    let mut charge = None;
    let outcome = match need("outcome", answer.outcome)? {
        Written::Accepted(taken) => {
            charge = taken.charge.map(message::charge_from_pb).transpose()?;
            Outcome::Accepted {
                remote_ids: taken.remote_ids,
            }
        }
        Written::Hold(hold) => Outcome::Hold {
            retry_after: Duration::from_millis(hold.retry_after_ms),
            cause: cause_from_pb(need("hold.cause", hold.cause)?),
        },
        Written::Next(cause) => Outcome::Next {
            cause: cause_from_pb(cause),
        },
        Written::Fail(cause) => Outcome::Fail {
            cause: cause_from_pb(cause),
        },
        Written::LinkDown(cause) => Outcome::LinkDown {
            cause: cause_from_pb(cause),
        },
        Written::Unknown(silence) => Outcome::Unknown {
            since: UnixMs(silence.since),
        },
    };
    Ok(OrderAnswer {
        order: returned.order_ref(),
        outcome,
        at: UnixMs(answer.at),
        returned,
        charge,
    })
}

pub(super) fn matched_to_pb(matched: &ReceiptRecord) -> pb::MatchedReceipt {
    pb::MatchedReceipt {
        order: Some(ref_to_pb(&matched.order)),
        segment: matched.segment.into(),
        segments: matched.segments.unwrap_or(0).into(),
        receipt: Some(message::receipt_to_pb(&matched.receipt)),
        at: matched.at.0,
    }
}

pub(super) fn matched_from_pb(matched: pb::MatchedReceipt) -> Result<ReceiptRecord, Invalid> {
    let segments = octet("segments", matched.segments)?;
    Ok(ReceiptRecord {
        order: ref_from_pb(need("order", matched.order)?)?,
        segment: octet("segment", matched.segment)?,
        segments: (segments > 0).then_some(segments),
        receipt: message::receipt_from_pb(need("receipt", matched.receipt)?)?,
        at: UnixMs(matched.at),
    })
}

pub(super) fn correlation_to_pb(correlation: &Correlation) -> pb::Correlation {
    pb::Correlation {
        order: Some(ref_to_pb(&correlation.order)),
        segment: correlation.segment.into(),
        segments: correlation.segments.into(),
        trace: message::trace_to_pb(correlation.trace.as_deref()),
    }
}

pub(super) fn correlation_from_pb(correlation: pb::Correlation) -> Result<Correlation, Invalid> {
    Ok(Correlation {
        order: ref_from_pb(need("order", correlation.order)?)?,
        segment: octet("segment", correlation.segment)?,
        segments: octet("segments", correlation.segments)?,
        trace: message::trace_from_pb(&correlation.trace),
    })
}
