//! O1 and O3: no message ends before its time, nor for a reason that there is not.

use std::time::Duration;

use ingest::BEHIND_MAX;
use journey::{EndState, OrderNumber, Outcome, TerminalEvent};
use sms::ReceiptState;

use super::book::Book;
use crate::{End, Finding, faults::CLOCK_FORWARD_MAX};

/// How long before it is stored a message may be stamped: by a clock that is as far behind as it may, and with what a log may
/// keep a publisher waiting.
const STAMPED_MAX: Duration = BEHIND_MAX.saturating_add(Duration::from_secs(20));

/// Whoever is told that a message expired is told so after its time was over: but for what a clock may be ahead.
pub(super) fn nothing_expires_before_its_time(book: &Book<'_>) -> Vec<Finding> {
    let expired = first_ends(book).filter(|(_, event)| event.state == EndState::Expired);
    expired.filter_map(|(end, event)| too_early(book, end, event)).collect()
}

fn too_early(book: &Book<'_>, end: &End, event: &TerminalEvent) -> Option<Finding> {
    let messages = book.evidence.accepted.get(&event.message.id)?;
    let deadlines = messages
        .iter()
        .map(|message| message.accepted_at + message.ttl.unwrap_or(message.class.deadline_default()));
    let deadline = deadlines.min()?;
    let early = deadline.since(end.at + CLOCK_FORWARD_MAX);
    (!early.is_zero()).then(|| {
        let early = early + CLOCK_FORWARD_MAX;
        Finding::of(
            "O1",
            event.message.id,
            format!("expired {early:?} before its time was over"),
        )
    })
}

/// No message loses the time it has to live because whoever accepted it took it for older than it was.
pub(super) fn nothing_is_accepted_in_the_past(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (id, stored_at) in &book.evidence.stored {
        let messages = book.evidence.accepted.get(id).into_iter().flatten();
        let said = messages.filter(|message| message.copy_of.is_none());
        let Some(accepted_at) = said.map(|message| message.accepted_at).min() else {
            continue;
        };
        let old = stored_at.since(accepted_at);
        if old > STAMPED_MAX {
            findings.push(Finding::of("O1", *id, format!("stamped {old:?} before it was stored")));
        }
    }
    findings
}

/// Whoever is told that carriers failed, refused or took a message, or that none may have it, is told what the log or a table
/// says by then.
pub(super) fn every_end_has_its_reason(book: &Book<'_>) -> Vec<Finding> {
    let unfounded = first_ends(book).filter(|(end, event)| !is_founded(book, end, event));
    let tell = |(_, event): (&End, &TerminalEvent)| {
        let (state, cause) = (event.state, &event.cause);
        Finding::of(
            "O3",
            event.message.id,
            format!("ended as {state:?} ({cause:?}) for no reason"),
        )
    };
    unfounded.map(tell).collect()
}

fn first_ends<'a>(book: &'a Book<'_>) -> impl Iterator<Item = (&'a End, &'a TerminalEvent)> {
    book.ends.values().filter_map(|ends| ends.first().copied())
}

fn is_founded(book: &Book<'_>, end: &End, event: &TerminalEvent) -> bool {
    let id = event.message.id;
    let first = (id, OrderNumber::default());
    let answers = book.answers.range(first..).take_while(|((of, _), _)| *of == id);
    let mut answers = answers
        .flat_map(|(_, answers)| answers)
        .filter(|answer| answer.at <= end.at);
    let receipts = book.receipts.range(first..).take_while(|((of, _), _)| *of == id);
    let mut receipts = receipts.flat_map(|(_, receipts)| receipts);
    let is_bad = |state: ReceiptState| state.is_final() && state != ReceiptState::Delivered;
    match event.state {
        EndState::Delivered => receipts.any(|heard| heard.receipt.state == ReceiptState::Delivered),
        EndState::Sent => {
            answers.any(|answer| matches!(answer.outcome, Outcome::Accepted { .. }) && !answer.returned.receipt)
        }
        EndState::Failed => {
            let is_refusal = |outcome: &Outcome| {
                matches!(
                    outcome,
                    Outcome::Fail { .. } | Outcome::Next { .. } | Outcome::Hold { .. }
                )
            };
            let is_gone = event.cause.code == "dead_number" && book.evidence.gone.contains(&id);
            is_gone
                || answers.any(|answer| is_refusal(&answer.outcome))
                || receipts.any(|heard| is_bad(heard.receipt.state))
        }
        EndState::Rejected => book.evidence.refused.contains(&id),
        EndState::Unknown | EndState::Expired => true,
    }
}
