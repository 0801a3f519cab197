//! The delivery oracle: what customers were promised against what happened.
//!
//! - **O1** Every message answered OK reaches exactly one terminal state, in time and not before it; its event may be repeated octet for
//!   octet only. So does whatever else got onto the log. One idempotency key is one message.
//! - **O2** Whatever a carrier was handed was ordered from it, and was accepted before.
//! - **O3** Octets out are octets in, and a message ends as the carriers know it, or as a table says.
//! - **O4** A carrier has a message twice only where a fault and the route's rules explain it.
//! - **O5** After the faults have stopped, a fresh message flows.
//!
//! Each rule is a function from [`Evidence`] to [`Finding`]s; none knows how the services work inside.

mod book;
mod duplicates;
mod ends;
mod flow;
mod issued;
mod octets;
mod reasons;

use crate::{Evidence, Finding};
use book::Book;

pub use ends::LATENESS_MAX;
pub use flow::PROMPT;

/// Every promise that was broken, by rule.
pub fn judge(evidence: &Evidence) -> Vec<Finding> {
    let book = Book::new(evidence);
    let rules = [
        ends::every_message_ends_once_and_in_time,
        ends::a_key_is_one_message,
        ends::what_was_sent_once_is_one_message,
        issued::carriers_see_only_what_was_ordered,
        issued::nothing_is_sent_after_its_answer,
        octets::octets_out_are_octets_in,
        octets::ends_agree_with_carriers,
        octets::deliveries_that_were_told_count,
        reasons::nothing_expires_before_its_time,
        reasons::every_end_has_its_reason,
        reasons::nothing_is_accepted_in_the_past,
        duplicates::a_part_is_taken_once_an_order,
        duplicates::an_answer_that_came_is_known,
        duplicates::taken_twice_only_where_explained,
        flow::a_fresh_message_flows,
        flow::what_cannot_be_read_is_put_aside,
    ];
    let mut findings: Vec<_> = rules.iter().flat_map(|rule| rule(&book)).collect();
    findings.extend(crate::simulate::panics(evidence));
    findings
}

/// What carriers took, and took again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Messages of which a carrier took a part.
    pub messages: usize,
    /// Those of which carriers took parts under more than one order.
    pub twice: usize,
    /// Orders beyond the first of a message of which a carrier took a part.
    pub duplicates: usize,
}

/// What carriers took, and took again.
pub fn taken(evidence: &Evidence) -> Taken {
    let book = Book::new(evidence);
    let orders: Vec<_> = book.parts.keys().map(|message| book.taken(*message).len()).collect();
    Taken {
        messages: orders.iter().filter(|orders| **orders > 0).count(),
        twice: orders.iter().filter(|orders| **orders > 1).count(),
        duplicates: orders.iter().map(|orders| orders.saturating_sub(1)).sum(),
    }
}
