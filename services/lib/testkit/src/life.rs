//! The life of one message as the evidence tells it, for people who look into a finding.

use std::collections::BTreeSet;

use journey::Event;
use sms::{MessageId, UnixMs};

use crate::{Evidence, Finding, Step};

/// Messages whose lives are told.
const LIVES_MAX: usize = 3;

/// The lives of the first messages that `findings` speak of; `start` is the beginning of the run.
pub(crate) fn lives(evidence: &Evidence, findings: &[Finding], start: UnixMs) -> Vec<String> {
    let messages: BTreeSet<_> = findings.iter().filter_map(|finding| finding.message).collect();
    messages
        .into_iter()
        .take(LIVES_MAX)
        .flat_map(|message| life(evidence, message, start))
        .collect()
}

/// Adds what carriers were handed to the `steps` of a run that began at `start`. Within a millisecond it comes last.
pub(crate) fn tell_parts(evidence: &Evidence, start: UnixMs, steps: &mut Vec<Step>) {
    steps.extend(evidence.submitted.iter().map(|part| {
        let what = if part.remote_id.is_some() { "takes" } else { "refuses" };
        Step {
            at: part.at.since(start),
            who: part.link.clone(),
            what: format!("{what} part {} of {} order {}", part.part, part.message, part.number.0),
            messages: vec![part.message],
        }
    }));
    steps.sort_by_key(|step| step.at);
}

fn life(evidence: &Evidence, id: MessageId, start: UnixMs) -> Vec<String> {
    let mut steps = Vec::new();
    for message in evidence.accepted.get(&id).into_iter().flatten() {
        let (class, segments, ttl) = (message.class, message.segments, message.ttl.unwrap_or_default());
        steps.push((
            message.accepted_at,
            format!("accepted: {class}, {segments} segments, ttl {ttl:?}"),
        ));
    }
    for order in evidence.orders.iter().filter(|order| order.message.id == id) {
        let (number, carrier, terms) = (order.number.0, &order.carrier, &order.terms);
        let rules = format!(
            "on unknown {:?}, receipt within {:?}",
            terms.on_unknown, terms.receipt_within
        );
        let rules = format!("{rules}, {} attempts", terms.attempts_max);
        steps.push((order.issued_at, format!("order {number} for {carrier}: {rules}")));
    }
    for part in evidence.submitted.iter().filter(|part| part.message == id) {
        let what = if part.remote_id.is_some() { "taken" } else { "refused" };
        let name = format!("part {} of order {} over {}", part.part, part.number.0, part.link);
        steps.push((part.at, format!("{name}: {what}")));
    }
    for answer in evidence.answers.iter().filter(|answer| answer.order.message == id) {
        steps.push((
            answer.at,
            format!("order {} answered: {:?}", answer.order.number.0, answer.outcome),
        ));
    }
    for heard in evidence.receipts.iter().filter(|heard| heard.order.message == id) {
        let (number, segment, receipt) = (heard.order.number.0, heard.segment, &heard.receipt);
        let says = format!("{:?}, blames {:?}", receipt.state, receipt.fault);
        steps.push((heard.at, format!("receipt of part {segment} of order {number}: {says}")));
    }
    for end in &evidence.events {
        match &end.event {
            Event::Ended(event) if event.message.id == id => {
                steps.push((end.at, format!("ends as {:?}: {:?}", event.state, event.cause)));
            }
            Event::Late(late) if late.order.message == id => steps.push((end.at, "late receipt".to_owned())),
            Event::Ended(_) | Event::Late(_) => {}
        }
    }
    // Steps of one instant stay in the order above, which is that of the pipeline.
    steps.sort_by_key(|(at, _)| *at);
    let line = |(at, what): (UnixMs, String)| format!("{:>9.3} s    {what}", at.since(start).as_secs_f64());
    let head = format!("the life of {id}:");
    std::iter::once(head).chain(steps.into_iter().map(line)).collect()
}
