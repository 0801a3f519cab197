//! What a step in the life of a message says about the carriers that had it.

use std::time::Duration;

use journey::{Answer, EndState, OrderNumber, SegmentReceipt, State, TerminalEvent};
use sms::{CarrierName, ReceiptState, UnixMs};
use table::Network;

/// One attempt that became known, or one that became known as delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(super) carrier: CarrierName,
    pub(super) network: Network,
    /// When the carrier took it.
    pub(super) taken_at: UnixMs,
    /// Time until the last segment's receipt; absent = it was taken.
    pub(super) delivered_in: Option<Duration>,
}

/// What is new about attempts in `after`, which follows `before` in the store.
///
/// Every step is written once, so each attempt is counted once, and once as delivered. A receipt after the end says nothing
/// new: it came too late to count.
pub(crate) fn facts(before: Option<&State>, after: &State) -> Vec<Fact> {
    let was_taken = |number| before.is_some_and(|state| is_taken_in(state, number));
    let mut facts = Vec::new();
    for (number, progress) in &after.orders {
        if let Some(asked) = &progress.asked
            && is_taken_in(after, *number)
            && !was_taken(*number)
        {
            facts.extend(fact(&progress.carrier, &asked.network, &asked.answer));
        }
    }
    let is_new_end = before.is_none_or(|state| state.ended.is_none());
    if let Some(ended) = after.ended.as_ref().filter(|_| is_new_end) {
        for attempt in &ended.attempts {
            // Taken and ended in one step: the receipt overtook the answer.
            if !attempt.receipts.is_empty() && !was_taken(attempt.number) {
                facts.extend(fact(&attempt.carrier, &attempt.network, &attempt.answer));
            }
        }
        facts.extend(delivery(ended));
    }
    facts
}

/// Whether a carrier took the order, and a receipt is to come or came.
fn is_taken_in(state: &State, number: OrderNumber) -> bool {
    state.orders.get(&number).is_some_and(|progress| {
        let asked = progress.asked.as_ref();
        asked.is_some_and(|asked| {
            let is_awaited = asked.receipt && asked.answer.outcome == "accepted";
            is_awaited || !progress.receipts.is_empty()
        })
    })
}

fn fact(carrier: &CarrierName, network: &str, answer: &Answer) -> Option<Fact> {
    Some(Fact {
        carrier: carrier.clone(),
        // Numbers of unknown networks have no figures.
        network: network.parse().ok()?,
        taken_at: answer.at,
        delivered_in: None,
    })
}

/// The attempt that delivered the message.
fn delivery(ended: &TerminalEvent) -> Option<Fact> {
    if ended.state != EndState::Delivered {
        return None;
    }
    let is_delivered = |heard: &SegmentReceipt| heard.receipt.state == ReceiptState::Delivered;
    let attempt = ended.attempts.iter().find(|attempt| {
        Some(&attempt.carrier) == ended.carrier.as_ref()
            && !attempt.receipts.is_empty()
            && attempt.receipts.iter().all(is_delivered)
    })?;
    let last = attempt.receipts.iter().map(|heard| heard.at).max()?;
    let fact = fact(&attempt.carrier, &attempt.network, &attempt.answer)?;
    Some(Fact {
        delivered_in: Some(last.since(fact.taken_at)),
        ..fact
    })
}
