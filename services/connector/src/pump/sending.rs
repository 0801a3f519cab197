//! Parts on their way to the carrier, their answers, and what is reported of an order in the end.

use std::sync::Arc;

use bus::Record;
use journey::{Charge, Correlation, Order, OrderAnswer, Outcome};
use service::time::{self, Instant};
use signalbox_proto::record;
use sms::{Lane, UnixMs};

use super::{LinkState, OrderKey, Pump, Safe, conduct::CODE_STOPPED};
use crate::{
    Action, Rule, UNMAPPED,
    flight::{Flight, HOLD_HANDED_BACK_MAX, Next},
    link::{Answer, Command, Job, Tag, Verdict},
    metrics,
    outbox::Hurry,
    parts::Ready,
    spans::OrderSpans,
};

/// Orders reported as unknown that are remembered for a late answer; the oldest are forgotten first.
const LATE_MAX: usize = 10_000;

/// Why no part of a flight is sent now.
enum Blocked {
    /// Nothing is to be sent on this link at the moment.
    Link,
    /// This order must not be sent any more.
    Order(Verdict),
}

impl Pump {
    /// Puts an order in line to have its missing parts sent.
    pub(super) fn queue(&mut self, id: u64) {
        if let Some(airborne) = self.airborne.get_mut(&id)
            && !std::mem::replace(&mut airborne.is_queued, true)
        {
            let is_urgent = airborne.flight.order().class().lane() == Lane::Urgent;
            self.sendable[usize::from(!is_urgent)].push_back(id);
        }
    }

    /// Puts the orders whose hold is over in line.
    pub(super) fn release_held(&mut self, now: Instant) {
        while let Some(((at, id), ())) = self.held.pop_first() {
            if at > now {
                self.held.insert((at, id), ());
                break;
            }
            self.queue(id);
        }
    }

    /// Hands parts to the link as slots and tokens allow.
    pub(super) fn send(&mut self, now: Instant, wall: UnixMs) {
        let mut jobs = Vec::new();
        for line in 0..self.sendable.len() {
            self.send_line(line, now, wall, &mut jobs);
        }
        if !jobs.is_empty() {
            metrics::parts(&self.settings.link, jobs.len());
            // A link that is gone answers nothing; its orders are abandoned when the pump learns that it is.
            self.commands.send(Command::Submit(jobs));
        }
    }

    fn send_line(&mut self, line: usize, now: Instant, wall: UnixMs, jobs: &mut Vec<Job>) {
        while let Some(id) = self.sendable[line].front().copied() {
            if !self.airborne.contains_key(&id) {
                // It landed in line: a part refused for good ends the sending of the others.
                self.sendable[line].pop_front();
                continue;
            }
            match self.send_parts(id, now, wall, jobs) {
                Ok(()) => {}
                Err(Blocked::Link) => break,
                Err(Blocked::Order(verdict)) => {
                    let airborne = self.airborne.get_mut(&id).expect("what is in line is airborne");
                    airborne.flight.abandon(&verdict, wall);
                    self.bucket.give(std::mem::take(&mut airborne.prepaid));
                }
            }
            self.sendable[line].pop_front();
            self.airborne
                .get_mut(&id)
                .expect("what is in line is airborne")
                .is_queued = false;
            self.step(id, now, wall);
        }
    }

    /// Takes parts of one order until all of them are on their way.
    fn send_parts(&mut self, id: u64, now: Instant, wall: UnixMs, jobs: &mut Vec<Job>) -> Result<(), Blocked> {
        while self.airborne[&id].flight.is_missing() {
            self.may_send(id, now, wall)?;
            let airborne = self.airborne.get_mut(&id).expect("what is in line is airborne");
            let Some(part) = airborne.flight.send_next(wall) else {
                return Ok(());
            };
            match airborne.prepaid.checked_sub(1) {
                Some(rest) => airborne.prepaid = rest,
                None => self.bucket.take(1, airborne.flight.order().class().lane()),
            }
            self.window.take(1);
            airborne.flight.submitted();
            let tag = Tag { flight: id, part };
            self.silence.sent(tag, now);
            self.timed.get_or_insert((tag, now));
            let order = airborne.flight.order();
            jobs.push(Job {
                tag,
                valid_for: order.terms.deadline.since(wall),
                answer_timeout: order.class().answer_timeout(),
                ready: Arc::clone(&airborne.flight.ready),
            });
        }
        Ok(())
    }

    fn may_send(&self, id: u64, now: Instant, wall: UnixMs) -> Result<(), Blocked> {
        // What we claimed may be somebody else's once the store is back.
        if self.epochs.is_paused() {
            return Err(Blocked::Link);
        }
        let airborne = &self.airborne[&id];
        if wall >= airborne.flight.order().terms.deadline {
            let rule = Rule {
                action: Action::Next { then_fail: false },
                code: "deadline",
            };
            return Err(Blocked::Order(Verdict::Refused {
                rule,
                detail: String::new(),
                retry_after: None,
            }));
        }
        // Past the end of our lease somebody else may have answered for us, also where it was renewed since.
        if !self.lease.has_held(airborne.since, wall) {
            return Err(Blocked::Order(Verdict::Unsent { code: "lease_lapsed" }));
        }
        if !self.is_open() && airborne.flight.is_unsent() {
            return Err(Blocked::Order(Verdict::Unsent { code: CODE_STOPPED }));
        }
        let lane = airborne.flight.order().class().lane();
        match self.state {
            LinkState::Down { .. } if self.is_down(now) => Err(Blocked::Order(Verdict::Unsent { code: "no_link" })),
            LinkState::Down { .. } => Err(Blocked::Link),
            LinkState::Up if self.window.free(lane) == 0 => Err(Blocked::Link),
            LinkState::Up if airborne.prepaid == 0 && !self.bucket.is_open(lane) => Err(Blocked::Link),
            LinkState::Up => Ok(()),
        }
    }

    /// The link answers.
    pub(super) fn on_answers(&mut self, answers: Vec<Answer>) {
        let (now, wall) = (time::now(), self.clock.now());
        for Answer { tag, verdict } in answers {
            self.feel(&verdict, now);
            self.time(tag, &verdict, now);
            let remote_id = match &verdict {
                Verdict::Taken { remote_id, .. } => Some(remote_id.clone()),
                _ => None,
            };
            let is_late = !self.airborne.contains_key(&tag.flight);
            let flight = match self.airborne.get_mut(&tag.flight) {
                Some(airborne) => {
                    if remote_id.is_some() {
                        let (_, _, intake) = airborne.key;
                        self.settings.vitals.took(intake);
                    }
                    Some(&mut airborne.flight)
                }
                None => self.late.get_mut(&tag.flight),
            };
            let Some(flight) = flight else { continue };
            let was_sent = flight.is_sent(tag.part);
            let is_displaced = verdict == Verdict::Displaced;
            let is_word = matches!(verdict, Verdict::Taken { .. } | Verdict::Refused { .. });
            if !flight.answer(tag.part, verdict) {
                continue;
            }
            if was_sent {
                self.window.give(1);
                self.silence.ended(tag, is_word, now);
                self.window.set_overdue(self.silence.overdue());
                self.bucket.give(u32::from(is_displaced));
            }
            if let Some(id) = remote_id.filter(|id| !id.is_empty() && flight.order().receipt) {
                let segments = u8::try_from(flight.parts()).unwrap_or(u8::MAX);
                let order = flight.order().order_ref();
                self.correlations.insert(
                    &id,
                    Correlation {
                        order,
                        segment: tag.part,
                        segments,
                        trace: flight.order().message.trace.clone(),
                    },
                );
            }
            if is_late {
                self.step_late(tag.flight, wall)
            } else {
                self.step(tag.flight, now, wall)
            }
        }
    }

    /// Lets an answer move the window.
    fn feel(&mut self, verdict: &Verdict, now: Instant) {
        match verdict {
            Verdict::Taken { .. } => self.window.speed_up(),
            Verdict::Refused { rule, detail, .. } => {
                metrics::refusal(&self.settings.link, rule.code);
                self.note_refusal(*rule, detail);
                if matches!(rule.action, Action::Hold { .. }) {
                    self.window.slow_down(now);
                    self.throttled(rule.code);
                }
            }
            Verdict::Unanswered => self.suffers("no answer to a part in time"),
            Verdict::Unsent { .. } | Verdict::Displaced => {}
        }
    }

    /// Keeps for people what a carrier refused with, unless it is the message's own fault.
    fn note_refusal(&self, rule: Rule, detail: &str) {
        if rule == UNMAPPED {
            self.settings.vitals.met_unmapped();
        }
        if !matches!(rule.action, Action::Fail | Action::Accept) {
            self.suffers(&format!("refused a part: {} {detail}", rule.code));
        }
    }

    /// Times an answer, if it is the one that is timed: one at a time.
    fn time(&mut self, tag: Tag, verdict: &Verdict, now: Instant) {
        if let Some((_, since)) = self.timed.take_if(|(timed, _)| *timed == tag)
            && matches!(verdict, Verdict::Taken { .. } | Verdict::Refused { .. })
        {
            self.settings.vitals.came_round(now.duration_since(since));
        }
    }

    /// Does what an order in the air needs next.
    pub(super) fn step(&mut self, id: u64, now: Instant, wall: UnixMs) {
        let may_hold = !self.is_draining && self.is_open();
        let Some(airborne) = self.airborne.get_mut(&id) else {
            return;
        };
        match airborne.flight.next(now, wall, may_hold) {
            Next::Wait => {}
            Next::Send => self.queue(id),
            Next::Hold(wait) => {
                metrics::hold(&self.settings.link);
                self.held.insert((now + wait, id), ());
            }
            Next::Report(Outcome::Hold { retry_after, cause }) => {
                let lane = airborne.flight.order().class().lane();
                let retry_after = retry_after.max(self.tokens_in(lane).min(HOLD_HANDED_BACK_MAX));
                self.land(id, Outcome::Hold { retry_after, cause }, wall);
            }
            Next::Report(outcome) => self.land(id, outcome, wall),
        }
    }

    /// Takes an order out of the air and reports it.
    fn land(&mut self, id: u64, outcome: Outcome, wall: UnixMs) {
        let mut airborne = self.airborne.remove(&id).expect("only what is airborne lands");
        let spans = airborne.flight.take_spans();
        self.bucket.give(airborne.prepaid);
        let (charge, safe) = (airborne.flight.charge(), Safe::Order(airborne.key));
        if airborne.flight.is_open() {
            let order = airborne.flight.order().clone();
            self.publish(order, outcome, charge, wall, safe, spans);
            self.late.insert(id, airborne.flight);
            if self.late.len() > LATE_MAX {
                self.late.pop_first();
            }
        } else {
            self.publish(into_order(airborne.flight), outcome, charge, wall, safe, spans);
        }
    }

    /// An answer came after its order was reported as unknown: all parts taken is worth a report of its own.
    fn step_late(&mut self, id: u64, wall: UnixMs) {
        metrics::late(&self.settings.link);
        let Some(flight) = self.late.get(&id) else { return };
        if let Some(outcome) = flight.late_acceptance() {
            let (order, charge) = (flight.order().clone(), flight.charge());
            self.publish(order, outcome, charge, wall, Safe::Nobody, OrderSpans::default());
        }
        if !flight_is_open(self.late.get(&id)) {
            self.late.remove(&id);
        }
    }

    /// Reports what became of an order; it is done once that is safe.
    pub(super) fn report(&mut self, ready: Ready, key: OrderKey, outcome: Outcome, wall: UnixMs) {
        self.publish(ready.order, outcome, None, wall, Safe::Order(key), ready.spans);
    }

    pub(super) fn publish(
        &mut self,
        order: Order,
        outcome: Outcome,
        charge: Option<Box<Charge>>,
        at: UnixMs,
        safe: Safe,
        mut spans: OrderSpans,
    ) {
        metrics::outcome(order.carrier.as_str(), outcome.as_str());
        let key = order.message.key.0;
        let hurry = match order.class().lane() {
            Lane::Bulk => Hurry::No,
            Lane::Urgent | Lane::Normal => Hurry::Yes,
        };
        let answer = OrderAnswer {
            order: order.order_ref(),
            outcome,
            at,
            charge,
            returned: Box::new(order),
        };
        spans.ended(&answer.outcome);
        let message = &answer.returned.message;
        let parent = spans.context().or(message.trace.as_deref());
        let mut record = Record::new(key, record::outcome_to_bytes(&answer));
        let _sent = self.tracer.send(&self.outcomes, &mut record, message.id, parent);
        self.outbox.push(&self.outcomes, record, safe, hurry);
    }
}

fn flight_is_open(flight: Option<&Flight>) -> bool {
    flight.is_some_and(Flight::is_open)
}

/// The order itself; copied only where the link still holds on to it.
fn into_order(flight: Flight) -> Order {
    match Arc::try_unwrap(flight.ready) {
        Ok(ready) => ready.order,
        Err(shared) => shared.order.clone(),
    }
}
