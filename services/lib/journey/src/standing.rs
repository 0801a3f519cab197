//! How one order stands, from everything known about it.

use sms::{ReceiptFault, ReceiptState, UnixMs};

use crate::{OnUnknown, Progress, SegmentReceipt, Terms};

/// How an order stands. What another carrier could do about it follows from this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not answered yet.
    Pending,
    /// The carrier asked for a wait.
    Held,
    /// This carrier did not take it; another may.
    Refused,
    /// No carrier will take it.
    Barred,
    /// Taken, and no receipt is to come.
    Sent,
    /// Taken or sent, and worth waiting for.
    Live,
    /// Taken or sent, but the message need not wait for it. A receipt may still come.
    Open,
    /// Sent without an answer, and to be ended so.
    Lost,
    /// On the handset, all of it.
    Delivered,
    /// The route failed after taking it.
    RouteFailed,
    /// The number is not known on that network.
    NumberUnknown,
    /// Its end is known to nobody, and it may not be sent again.
    Unclear,
    /// Nobody can deliver it, or a part of it was delivered.
    Undeliverable,
}

impl Progress {
    /// How this order stands under `terms`.
    pub(crate) fn standing(&self, terms: &Terms) -> Standing {
        let Some(asked) = &self.asked else {
            return Standing::Pending;
        };
        let is_accepted = asked.answer.outcome == "accepted";
        let expected = if is_accepted {
            asked.remote_ids.len()
        } else {
            usize::from(self.segments.max(1))
        };
        let finals: Vec<_> = self
            .receipts
            .values()
            .filter(|heard| heard.receipt.state.is_final())
            .collect();
        if !finals.is_empty() && finals.len() >= expected {
            return of_receipts(&finals, asked.answer.at, terms);
        }
        // Any receipt, even an interim one, shows that the carrier has it.
        let is_taken = is_accepted || !self.receipts.is_empty();
        match asked.answer.outcome.as_str() {
            _ if is_taken && (!asked.receipt || expected == 0) => Standing::Sent,
            _ if is_taken && self.silent => Standing::Open,
            _ if is_taken => Standing::Live,
            "hold" if asked.spent => Standing::Refused,
            "hold" => Standing::Held,
            "fail" => Standing::Barred,
            "unknown" => match terms.on_unknown {
                OnUnknown::Wait if !self.silent => Standing::Live,
                OnUnknown::Wait | OnUnknown::Resend => Standing::Open,
                OnUnknown::Fail => Standing::Lost,
            },
            _ => Standing::Refused,
        }
    }
}

impl Progress {
    /// Whether every segment has a receipt that says that it was delivered, whatever the carrier's answer was.
    pub(crate) fn says_delivered(&self) -> bool {
        let is_delivered = |heard: &SegmentReceipt| heard.receipt.state == ReceiptState::Delivered;
        self.receipts.len() >= usize::from(self.segments.max(1)) && self.receipts.values().all(is_delivered)
    }
}

/// How an order stands whose segments all have a final receipt.
fn of_receipts(finals: &[&SegmentReceipt], answered_at: UnixMs, terms: &Terms) -> Standing {
    let is_delivered = |heard: &&&SegmentReceipt| heard.receipt.state == ReceiptState::Delivered;
    let delivered = finals.iter().filter(is_delivered).count();
    if delivered == finals.len() {
        return Standing::Delivered;
    }
    if delivered > 0 {
        return Standing::Undeliverable;
    }
    let worst = finals.iter().map(|heard| severity(heard, answered_at, terms)).max();
    match worst {
        Some(Severity::Route) => Standing::RouteFailed,
        Some(Severity::Number) => Standing::NumberUnknown,
        Some(Severity::Unclear) => match terms.on_unknown {
            OnUnknown::Resend => Standing::RouteFailed,
            OnUnknown::Wait | OnUnknown::Fail => Standing::Unclear,
        },
        Some(Severity::Handset) | None => Standing::Undeliverable,
    }
}

/// What a negative receipt leaves to hope for, most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Severity {
    Route,
    Number,
    Unclear,
    Handset,
}

fn severity(heard: &SegmentReceipt, answered_at: UnixMs, terms: &Terms) -> Severity {
    match (heard.receipt.state, heard.receipt.fault) {
        (_, ReceiptFault::Route) => Severity::Route,
        // Who deleted it, and whether it was on the handset by then, nobody says.
        (ReceiptState::Unknown | ReceiptState::Deleted, _) => Severity::Unclear,
        (_, ReceiptFault::Number) => Severity::Number,
        (ReceiptState::Expired, ReceiptFault::Handset) if is_early(heard.at, answered_at, terms) => Severity::Route,
        (_, ReceiptFault::Handset | ReceiptFault::Recipient) => Severity::Handset,
    }
}

/// Whether validity ended long before ours: in the first half of the time the carrier had.
fn is_early(at: UnixMs, answered_at: UnixMs, terms: &Terms) -> bool {
    at.since(answered_at) * 2 < terms.deadline.since(answered_at)
}
