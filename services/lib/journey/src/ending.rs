//! How messages end.

use std::sync::Arc;

use sms::{CarrierName, Content, Message, UnixMs};

use crate::{
    Actions, Cause, EndState, Event, Progress, State, TerminalEvent,
    fold::DeadEnd,
    settle::{Moment, View},
    standing::Standing,
};

/// Delivered, or taken with no receipt to come: ends whatever else is out, and takes the order in flight out of use.
pub(crate) fn end_well(state: State, view: &View, moment: &Moment<'_>) -> (State, Actions) {
    let mut is_duplicate = false;
    if view.in_flight {
        if !moment.known.claims.contains_key(&state.issued) {
            return (
                state.clone(),
                Actions {
                    claim: Some(state.issued),
                    keep: true,
                    ..Actions::default()
                },
            );
        }
        is_duplicate = true;
    }
    let (number, end) = match (view.delivered, view.sent) {
        (Some(number), _) => (number, EndState::Delivered),
        (None, sent) => (sent.expect("settle ends well only then"), EndState::Sent),
    };
    let carrier = state.orders.get(&number).map(|progress| progress.carrier.clone());
    let (state, mut actions) = end_as(state, end, Cause::new("", ""), carrier, None, moment.now);
    actions.is_duplicate = is_duplicate;
    (state, actions)
}

/// Nobody is left to ask: ends as the orders say. What the store did not hold before is ended only by whoever claims the
/// next order, because an earlier run may have published it.
pub(crate) fn end_badly(
    state: State,
    view: &View,
    dead_end: Option<&DeadEnd>,
    moment: &Moment<'_>,
) -> (State, Actions) {
    // A dead end has claimed its own number.
    if !moment.known.is_kept && dead_end.is_none() {
        let guard = state.highest_asked().next();
        let is_won = moment.known.claims.get(&guard).copied();
        if is_won != Some(true) {
            let claim = is_won.is_none().then_some(guard);
            return (
                state,
                Actions {
                    claim,
                    ..Actions::default()
                },
            );
        }
    }
    let (end, cause, carrier) = bad_end(&state, view, dead_end, moment);
    end_as(state, end, cause, carrier, dead_end, moment.now)
}

/// Somebody has an order and has never said what became of it: ends as its receipts say, if all of them came and say that it
/// was delivered, and else as what may have been sent.
pub(crate) fn end_unanswered(state: State, view: &View, moment: &Moment<'_>) -> (State, Actions) {
    let moment = Moment {
        may_be_sent: true,
        ..*moment
    };
    let delivered = state.orders.values().rev().find(|progress| progress.says_delivered());
    let (end, cause, carrier) = match delivered {
        Some(progress) => (EndState::Delivered, Cause::new("", ""), Some(progress.carrier.clone())),
        None => bad_end(&state, view, None, &moment),
    };
    end_as(state, end, cause, carrier, None, moment.now)
}

fn bad_end(
    state: &State,
    view: &View,
    dead_end: Option<&DeadEnd>,
    moment: &Moment<'_>,
) -> (EndState, Cause, Option<CarrierName>) {
    let terms = &state
        .body
        .as_ref()
        .expect("settle returns early without a message")
        .terms;
    let standing = |wanted: &[Standing]| {
        let mut orders = state.orders.values().rev();
        orders.find(|progress| wanted.contains(&progress.standing(terms)))
    };
    let carrier = |progress: &Progress| Some(progress.carrier.clone());
    if let Some(taken) = standing(&[Standing::Live, Standing::Open, Standing::Lost]) {
        let is_accepted = taken
            .asked
            .as_ref()
            .is_some_and(|asked| asked.answer.outcome == "accepted");
        let code = if is_accepted { "no_receipt" } else { "no_answer" };
        return (EndState::Unknown, Cause::new(code, ""), carrier(taken));
    }
    if moment.may_be_sent {
        return (EndState::Unknown, Cause::new("no_answer", ""), None);
    }
    if let Some(unclear) = standing(&[Standing::Unclear]) {
        return (EndState::Unknown, receipt_cause(unclear), carrier(unclear));
    }
    let receipts = [Standing::Undeliverable, Standing::RouteFailed, Standing::NumberUnknown];
    if let Some(failed) = standing(&receipts) {
        return (EndState::Failed, receipt_cause(failed), carrier(failed));
    }
    let last = state.orders.values().rev().find(|progress| progress.asked.is_some());
    let said = last
        .and_then(|progress| progress.asked.as_ref())
        .map(|asked| asked.answer.clone());
    let (code, detail) = said.map(|answer| (answer.code, answer.detail)).unwrap_or_default();
    if let (false, Some(dead_end)) = (view.is_barred, dead_end) {
        return (dead_end.state, dead_end.cause.clone(), last.and_then(carrier));
    }
    let is_late = !view.is_barred && moment.now >= terms.deadline;
    match is_late {
        true => (
            EndState::Expired,
            Cause::new(crate::CODE_DEADLINE, code),
            last.and_then(carrier),
        ),
        false => (EndState::Failed, Cause::new(code, detail), last.and_then(carrier)),
    }
}

fn receipt_cause(progress: &Progress) -> Cause {
    let negative = progress
        .receipts
        .values()
        .find(|heard| heard.receipt.state != sms::ReceiptState::Delivered);
    let raw = negative.map(|heard| heard.receipt.raw.clone());
    Cause::new("receipt", raw.unwrap_or_default())
}

fn end_as(
    state: State,
    end: EndState,
    cause: Cause,
    carrier: Option<CarrierName>,
    dead_end: Option<&DeadEnd>,
    now: UnixMs,
) -> (State, Actions) {
    let attempts = state.attempts();
    let body = state.body.expect("settle returns early without a message");
    let (table, policy) = match (dead_end, attempts.last()) {
        (Some(dead_end), _) => (dead_end.table.clone(), dead_end.policy.clone()),
        (None, Some(last)) => (last.table.clone(), last.policy.clone()),
        (None, None) => (String::new(), String::new()),
    };
    let event = Arc::new(TerminalEvent {
        message: Message {
            content: Content::Text(String::new()),
            ..body.message
        },
        state: end,
        cause,
        ended_at: now,
        carrier,
        table,
        policy,
        attempts,
    });
    let tell = Some(Event::Ended(Arc::clone(&event)));
    // Nothing else is needed any more: the event holds what later receipts are compared with.
    let state = State {
        ended: Some(event),
        issued: state.issued,
        closed: state.closed,
        ..State::default()
    };
    (
        state,
        Actions {
            tell,
            keep: true,
            ..Actions::default()
        },
    )
}

pub(crate) fn without_content(message: &Message) -> Message {
    Message {
        content: Content::Text(String::new()),
        ..message.clone()
    }
}
