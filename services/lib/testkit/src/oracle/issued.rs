//! O2: carriers see only what was accepted and ordered, while it is theirs.

use super::book::Book;
use crate::Finding;

/// Every part names an accepted message and an order for a carrier of its link.
pub(super) fn carriers_see_only_what_was_ordered(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in &book.evidence.submitted {
        let name = format!("order {} over {}", part.number.0, part.link);
        if !book.evidence.accepted.contains_key(&part.message) {
            findings.push(Finding::of(
                "O2",
                part.message,
                format!("{name} is of no accepted message"),
            ));
        } else if book.orders_of(part).next().is_none() {
            findings.push(Finding::of(
                "O2",
                part.message,
                format!("{name} was never ordered from a carrier there"),
            ));
        }
    }
    findings
}

/// Once an order was answered, whatever the answer, no part of it is sent.
pub(super) fn nothing_is_sent_after_its_answer(book: &Book<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for part in &book.evidence.submitted {
        let answers = book.answers.get(&(part.message, part.number)).into_iter().flatten();
        for answer in answers.filter(|answer| answer.at < part.at) {
            let (number, outcome) = (part.number.0, answer.outcome.as_str());
            let late = part.at.since(answer.at);
            let what = format!("part {} of order {number} was sent {late:?} after {outcome}", part.part);
            findings.push(Finding::of("O2", part.message, what));
        }
    }
    findings
}
