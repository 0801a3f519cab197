//! O4: a message is taken twice only where a fault and the route's rules explain it.

use std::{collections::BTreeMap, time::Duration};

use journey::{OnUnknown, Order, OrderAnswer, OrderNumber};
use sms::{MessageId, ReceiptFault, ReceiptState};

use super::{
    book::{Book, OrderKey},
    octets,
};
use crate::{Finding, Trouble};

/// What a trouble leads to shows within this: an answer is reported, or a lease missed.
const NEAR: Duration = Duration::from_secs(6);

/// Within one order no part is taken twice, and over one link only, whatever dies.
pub(super) fn a_part_is_taken_once_an_order(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (message, orders) in &book.parts {
        for (number, parts) in orders {
            let mut taken: BTreeMap<u8, Vec<&str>> = BTreeMap::new();
            for part in parts.iter().filter(|part| part.remote_id.is_some()) {
                taken.entry(part.part).or_default().push(&part.link);
            }
            for (part, links) in taken.into_iter().filter(|(_, links)| links.len() > 1) {
                let name = format!("part {part} of order {}", number.0);
                findings.push(Finding::of(
                    "O4",
                    *message,
                    format!("{name} was taken over {}", links.join(" and over ")),
                ));
            }
        }
    }
    findings
}

/// Between two orders that carriers took stands an answer that never came, a silence, or a receipt that says the route
/// failed; and the route allows to go on after it.
pub(super) fn taken_twice_only_where_explained(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for message in book.parts.keys() {
        let taken = book.taken(*message);
        for (index, number) in taken.iter().enumerate() {
            let is_last = index + 1 == taken.len();
            findings.extend(unexplained(book, *message, *number, is_last));
        }
    }
    findings
}

/// What became of an order is known, unless its carrier kept the answer to itself, the link was cut under it, or who had
/// it died or lost the store or the clock it goes by. So each message that a carrier has twice after `unknown` has a fault
/// of its own that it is owed to.
pub(super) fn an_answer_that_came_is_known(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (key, answers) in &book.answers {
        // Who finds the claim of one that is gone says unknown, whatever that one said before.
        let first = answers.iter().min_by_key(|answer| answer.at);
        let unknown = first.filter(|answer| answer.outcome.as_str() == "unknown");
        findings.extend(unknown.and_then(|answer| unexcused(book, *key, answer)));
    }
    findings
}

fn unexcused(book: &Book<'_>, key: OrderKey, answer: &OrderAnswer) -> Option<Finding> {
    let (message, number) = key;
    let orders = book.orders.get(&key).into_iter().flatten();
    let issued_at = orders.map(|order| order.issued_at).min()?;
    let links = book.evidence.links.iter();
    let link = links
        .filter(|(_, carriers)| carriers.contains(&answer.order.carrier))
        .map(|(link, _)| link)
        .next();
    let parts = book.parts.get(&message).and_then(|orders| orders.get(&number));
    let parts = parts.into_iter().flatten();
    // Of a long message some parts may be taken and others refused, or its time be over before the others have room.
    let deadline = answer.returned.terms.deadline;
    let is_half = (parts.clone().count() > 1 || deadline <= answer.at) && is_half(book, message, number);
    let is_kept_back = is_half || parts.clone().any(|part| !part.is_answered);
    let is_in_span = |trouble: &&Trouble| trouble.from <= answer.at + NEAR && issued_at <= trouble.until + NEAR;
    let is_here = |trouble: &&Trouble| trouble.link.is_none() || trouble.link.as_ref() == link;
    let mut troubles = book.evidence.troubles.iter();
    if is_kept_back || troubles.any(|trouble| is_here(&trouble) && is_in_span(&trouble)) {
        return None;
    }
    let what = format!("order {} is unknown, and its carrier answered all of it", number.0);
    Some(Finding::of("O4", message, what))
}

/// Whether a carrier took some of an order's parts, and not all.
fn is_half(book: &Book<'_>, message: MessageId, number: OrderNumber) -> bool {
    !book.parts_taken(message, number).is_empty() && !octets::is_whole(book, message, number)
}

fn unexplained(book: &Book<'_>, message: MessageId, number: OrderNumber, is_last: bool) -> Option<Finding> {
    let answers = book.answers.get(&(message, number));
    let has = |outcome: &str| {
        answers
            .into_iter()
            .flatten()
            .any(|answer| answer.outcome.as_str() == outcome)
    };
    let name = format!("order {}", number.0);
    if answers.is_some() && !has("accepted") && !has("unknown") {
        let said: Vec<_> = answers
            .into_iter()
            .flatten()
            .map(|answer| answer.outcome.as_str())
            .collect();
        return Some(Finding::of(
            "O4",
            message,
            format!("{name} was taken and is answered as {}", said.join(", ")),
        ));
    }
    if is_last {
        return None;
    }
    let taken = book.parts[&message][&number]
        .iter()
        .filter(|part| part.remote_id.is_some());
    let orders: Vec<_> = taken.flat_map(|part| book.orders_of(part)).collect();
    let Some(order) = orders.first() else {
        return Some(Finding::of(
            "O4",
            message,
            format!("{name} was taken without an order, and a later one too"),
        ));
    };
    // A receipt of a part shows that the carrier has it, whatever became of its answer.
    let is_surely_taken = has("accepted") || book.receipts.contains_key(&(message, number));
    let is_explained = |order: &&Order| {
        let may_go_on = order.terms.receipt_within.is_some() || is_route_blamed(book, order);
        match order.terms.on_unknown {
            OnUnknown::Resend => has("unknown") || may_go_on,
            OnUnknown::Wait => may_go_on,
            // After an answer that never came, nothing goes on: only what was certainly taken may.
            OnUnknown::Fail => is_surely_taken && may_go_on,
        }
    };
    (!orders.iter().any(is_explained)).then(|| {
        let said: Vec<_> = answers
            .into_iter()
            .flatten()
            .map(|answer| answer.outcome.as_str())
            .collect();
        let (class, rule) = (order.message.class, order.terms.on_unknown);
        let what = format!(
            "{name} ({class}, on unknown {rule:?}) was taken and answered as [{}]",
            said.join(", ")
        );
        Finding::of("O4", message, format!("{what}, and a later order was taken too"))
    })
}

/// Whether a receipt of `order` says that another carrier could do better.
fn is_route_blamed(book: &Book<'_>, order: &Order) -> bool {
    let receipts = book
        .receipts
        .get(&(order.message.id, order.number))
        .into_iter()
        .flatten();
    receipts
        .filter(|heard| heard.receipt.state.is_final() && heard.receipt.state != ReceiptState::Delivered)
        .any(|heard| matches!(heard.receipt.fault, ReceiptFault::Route | ReceiptFault::Number))
}
