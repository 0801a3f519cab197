//! Adds what is said about orders to what is known. Whatever the order of saying, the same is known in the end.

use std::collections::BTreeMap;

use sms::CarrierName;

use crate::{
    Answer, Asked, Attempt, Body, OrderAnswer, OrderNumber, Outcome, Progress, ReceiptRecord, SegmentReceipt, State,
    Terms, Waiting,
    ending::without_content,
    fold::{ATTEMPTS_KEPT_MAX, CODE_DEADLINE, DeadEnd, heard},
};

pub(crate) fn join_answer(state: &mut State, answer: &OrderAnswer) {
    let order = &*answer.returned;
    join_attempts(state, &order.attempts);
    let latest = state.highest_asked();
    let keeps_content = !matches!(answer.outcome, Outcome::Accepted { .. }) || order.may_fail_over();
    match &mut state.body {
        None => {
            state.body = Some(Body {
                message: order.message.clone(),
                has_content: keeps_content,
                terms: order.terms.clone(),
            });
        }
        Some(body) => {
            if keeps_content && !body.has_content {
                body.message = order.message.clone();
                body.has_content = true;
            }
        }
    }
    let remote_ids = match &answer.outcome {
        Outcome::Accepted { remote_ids } => remote_ids.clone(),
        _ => Vec::new(),
    };
    let asked = Asked {
        network: order.network.clone(),
        looked_up: order.looked_up.clone(),
        price: order.price.clone(),
        table: order.table.clone(),
        policy: order.policy.clone(),
        issued_at: order.issued_at,
        answer: short(answer),
        spent: spends(&answer.outcome),
        remote_ids,
        receipt: order.receipt,
    };
    state.issued = state.issued.max(order.number);
    let progress = state.progress(order.number, &order.carrier);
    progress.segments = progress.segments.max(order.content().2);
    let is_news = progress.join(asked);
    // An order that was published again may have other rules, of another table: those hold of which the answer is believed.
    if let Some(body) = &mut state.body
        && (latest < order.number || (latest == order.number && is_news))
    {
        body.terms = order.terms.clone();
    }
}

pub(crate) fn join_attempts(state: &mut State, attempts: &[Attempt]) {
    for attempt in attempts {
        let asked = Asked {
            network: attempt.network.clone(),
            looked_up: attempt.looked_up.clone(),
            price: attempt.price.clone(),
            table: attempt.table.clone(),
            policy: attempt.policy.clone(),
            issued_at: attempt.issued_at,
            answer: attempt.answer.clone(),
            spent: attempt.spent,
            remote_ids: attempt.remote_ids.clone(),
            receipt: true,
        };
        state.issued = state.issued.max(attempt.number);
        let progress = state.progress(attempt.number, &attempt.carrier);
        progress.join(asked);
        for heard in &attempt.receipts {
            progress.hear(heard.clone());
        }
    }
}

pub(crate) fn join_receipt(state: &mut State, receipt: &ReceiptRecord) {
    state.issued = state.issued.max(receipt.order.number);
    let progress = state.progress(receipt.order.number, &receipt.order.carrier);
    progress.segments = progress.segments.max(receipt.segments.unwrap_or(0));
    progress.hear(heard(receipt));
}

pub(crate) fn join_dead_end(state: &mut State, dead_end: &DeadEnd) {
    join_attempts(state, &dead_end.attempts);
    if state.body.is_none() {
        let terms = Terms::of_class(&dead_end.message);
        state.body = Some(Body {
            message: dead_end.message.clone(),
            has_content: false,
            terms,
        });
    }
    state.dead_end = state.dead_end.max(dead_end.number);
}

pub(crate) fn join_parked(state: &mut State, waiting: &Waiting) {
    let has_terms = state.body.is_some() && !state.orders.is_empty();
    join_attempts(state, &waiting.attempts);
    let body = state.body.get_or_insert_with(|| Body {
        message: without_content(&waiting.message),
        has_content: false,
        terms: Terms::of_class(&waiting.message),
    });
    // No order told its rules yet: the wait knows the deadline.
    if !has_terms {
        body.terms.deadline = waiting.deadline;
    }
    state.issued = state.issued.max(waiting.number);
    // One that stands on the log as well may be with its carrier: it is called off no earlier than any other.
    if state.ordered < waiting.number {
        state.parked = state.parked.max(waiting.number);
    }
}

fn short(answer: &OrderAnswer) -> Answer {
    let outcome = answer.outcome.as_str().to_owned();
    let (code, detail) = match &answer.outcome {
        Outcome::Accepted { .. } => (String::new(), String::new()),
        Outcome::Hold { cause, .. }
        | Outcome::Next { cause }
        | Outcome::Fail { cause }
        | Outcome::LinkDown { cause } => (cause.code.clone(), cause.detail.clone()),
        Outcome::Unknown { .. } => ("no_answer".to_owned(), String::new()),
    };
    Answer {
        outcome,
        code,
        detail,
        at: answer.at,
        charge: answer.charge.clone(),
    }
}

fn spends(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Accepted { .. } | Outcome::Fail { .. } | Outcome::Unknown { .. } => true,
        Outcome::Next { cause } => cause.code != CODE_DEADLINE,
        Outcome::Hold { .. } | Outcome::LinkDown { .. } => false,
    }
}

impl State {
    /// The highest order that was answered; 0 = none.
    pub(crate) fn highest_asked(&self) -> OrderNumber {
        let asked = self.orders.iter().rev().find(|(_, progress)| progress.asked.is_some());
        asked.map_or(OrderNumber::default(), |(number, _)| *number)
    }

    /// Answered orders, oldest first, no more than are kept.
    pub(crate) fn attempts(&self) -> Vec<Attempt> {
        let mut attempts: Vec<_> = self
            .orders
            .iter()
            .filter_map(|(number, progress)| progress.attempt(*number))
            .collect();
        trim(&mut attempts);
        attempts
    }

    fn progress(&mut self, number: OrderNumber, carrier: &CarrierName) -> &mut Progress {
        self.orders.entry(number).or_insert_with(|| Progress {
            carrier: carrier.clone(),
            asked: None,
            receipts: BTreeMap::new(),
            segments: 0,
            silent: false,
        })
    }
}

impl Progress {
    /// Takes the answer that knows more: Unknown < refused < Accepted, and of two alike the earlier. Whether it is `asked`.
    fn join(&mut self, asked: Asked) -> bool {
        let knows = |asked: &Asked| (rank(&asked.answer.outcome), std::cmp::Reverse(asked.answer.at));
        let is_news = self.asked.as_ref().is_none_or(|old| knows(old) < knows(&asked));
        if is_news {
            self.asked = Some(asked);
        }
        is_news
    }

    /// Takes the receipt that knows more: interim < final, negative < delivered, and of two alike the earlier.
    fn hear(&mut self, heard: SegmentReceipt) {
        fn knows(heard: &SegmentReceipt) -> impl Ord + '_ {
            let receipt = &heard.receipt;
            let is_delivered = receipt.state == sms::ReceiptState::Delivered;
            let words = (
                receipt.fault,
                &receipt.raw,
                &receipt.error,
                receipt.done_at,
                &receipt.vendor,
            );
            (
                receipt.state.is_final(),
                is_delivered,
                std::cmp::Reverse((heard.at, receipt.state, words)),
            )
        }
        match self.receipts.get_mut(&heard.segment) {
            Some(old) if knows(old) >= knows(&heard) => {}
            Some(old) => *old = heard,
            None => {
                self.receipts.insert(heard.segment, heard);
            }
        }
    }
}

/// How much an outcome tells. A carrier that refused did refuse, whatever a successor that lost track says later.
fn rank(outcome: &str) -> u8 {
    match outcome {
        "unknown" => 1,
        "link_down" => 2,
        "hold" => 3,
        "next" => 4,
        "fail" => 5,
        "accepted" => 6,
        _ => 0,
    }
}

/// Leaves out the oldest attempts that spent nothing until the history fits.
fn trim(attempts: &mut Vec<Attempt>) {
    let mut surplus = attempts.len().saturating_sub(ATTEMPTS_KEPT_MAX);
    attempts.retain(|attempt| {
        let goes = surplus > 0 && !attempt.spent;
        surplus -= usize::from(goes);
        !goes
    });
}
