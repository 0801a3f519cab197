//! The evidence by message and order.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use connector::simulator::Submitted;
use journey::{Event, Order, OrderAnswer, OrderNumber, ReceiptRecord, TerminalEvent};
use sms::{MessageId, UnixMs};

use crate::{End, Evidence, troubles::STORE_LOST};

/// How far the clock of whoever accepted a message may be ahead, so that it may be older than a loss it seems to follow.
const BELIEVED_AHEAD: Duration = Duration::from_secs(60);

pub(super) type OrderKey = (MessageId, OrderNumber);

/// The evidence by message and order.
pub(super) struct Book<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) orders: BTreeMap<OrderKey, Vec<&'a Order>>,
    pub(super) answers: BTreeMap<OrderKey, Vec<&'a OrderAnswer>>,
    pub(super) receipts: BTreeMap<OrderKey, Vec<&'a ReceiptRecord>>,
    /// Parts that carriers were handed, taken or not.
    pub(super) parts: BTreeMap<MessageId, BTreeMap<OrderNumber, Vec<&'a Submitted>>>,
    pub(super) ends: BTreeMap<MessageId, Vec<(&'a End, &'a TerminalEvent)>>,
}

impl<'a> Book<'a> {
    pub(super) fn new(evidence: &'a Evidence) -> Self {
        let mut book = Self {
            evidence,
            orders: BTreeMap::new(),
            answers: BTreeMap::new(),
            receipts: BTreeMap::new(),
            parts: BTreeMap::new(),
            ends: BTreeMap::new(),
        };
        for order in &evidence.orders {
            book.orders
                .entry((order.message.id, order.number))
                .or_default()
                .push(order);
        }
        for answer in &evidence.answers {
            let key = (answer.order.message, answer.order.number);
            book.answers.entry(key).or_default().push(answer);
        }
        for receipt in &evidence.receipts {
            let key = (receipt.order.message, receipt.order.number);
            book.receipts.entry(key).or_default().push(receipt);
        }
        for part in &evidence.submitted {
            let orders = book.parts.entry(part.message).or_default();
            orders.entry(part.number).or_default().push(part);
        }
        for end in &evidence.events {
            if let Event::Ended(event) = &end.event {
                book.ends.entry(event.message.id).or_default().push((end, event));
            }
        }
        book
    }

    /// Orders of `message` of which a carrier took a part, oldest first.
    pub(super) fn taken(&self, message: MessageId) -> Vec<OrderNumber> {
        let orders = self.parts.get(&message).into_iter().flatten();
        let taken = orders.filter(|(_, parts)| parts.iter().any(|part| part.remote_id.is_some()));
        taken.map(|(number, _)| *number).collect()
    }

    /// Parts of one order that its carrier took.
    pub(super) fn parts_taken(&self, message: MessageId, number: OrderNumber) -> BTreeSet<u8> {
        let parts = self.parts.get(&message).and_then(|orders| orders.get(&number));
        let parts = parts.into_iter().flatten();
        parts
            .filter(|part| part.remote_id.is_some())
            .map(|part| part.part)
            .collect()
    }

    /// The orders that may have led to `part`: those for a carrier of its link that stood on the log by then. There are several
    /// where one was published again before it was sent.
    pub(super) fn orders_of(&self, part: &'a Submitted) -> impl Iterator<Item = &'a Order> {
        let carriers = self.evidence.links.get(&part.link);
        let orders = self.orders.get(&(part.message, part.number)).into_iter().flatten();
        let is_for_link = move |order: &&Order| carriers.is_some_and(|carriers| carriers.contains(&order.carrier));
        orders
            .copied()
            .filter(is_for_link)
            .filter(|order| order.issued_at <= part.at)
    }

    /// Whether the store was lost after an order of `message` was published that was not answered before the end: nobody knows
    /// then whether it was sent.
    pub(super) fn is_in_doubt(&self, message: MessageId) -> bool {
        let ended_at = self
            .ends
            .get(&message)
            .and_then(|ends| ends.first())
            .map(|(end, _)| end.at);
        let first = (message, OrderNumber::default());
        let orders = self.orders.range(first..).take_while(|((id, _), _)| *id == message);
        let is_lost_after = |at: UnixMs| {
            let mut losses = self
                .evidence
                .troubles
                .iter()
                .filter(|trouble| trouble.what == STORE_LOST);
            losses.any(|loss| at < loss.from + BELIEVED_AHEAD)
        };
        let is_answered = |key: &OrderKey| {
            let answers = self.answers.get(key).into_iter().flatten();
            answers.map(|answer| answer.at).min() < ended_at && self.answers.contains_key(key)
        };
        let mut open = orders
            .filter(|(key, _)| !is_answered(key))
            .flat_map(|(_, orders)| orders);
        open.any(|order| is_lost_after(order.issued_at))
    }

    /// Whether an order of `message` was answered as unknown.
    pub(super) fn has_unknown(&self, message: MessageId) -> bool {
        let first = (message, OrderNumber::default());
        let answers = self.answers.range(first..).take_while(|((id, _), _)| *id == message);
        answers
            .flat_map(|(_, answers)| answers)
            .any(|answer| answer.outcome.as_str() == "unknown")
    }
}
