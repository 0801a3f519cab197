//! A carrier made up in this process: no sockets, seeded, and it runs under virtual time.
//!
//! It takes parts, refuses, throttles or forgets to answer some of them by configured shares, and sends receipts later.
//! What it took and the receipts it still owes live in a [`Hub`], beside the link, as a real carrier's memory does: a
//! connector that dies and comes back finds them.

mod hub;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use service::{
    Clock, Dice,
    time::{self, Instant},
};
use smpp::Status;
use sms::{Receipt, ReceiptState};

use crate::{
    FaultMap, OutcomeMap,
    link::{Answer, Arrived, Command, Event, Job, Plug, Reply, Verdict},
};

pub use hub::{Hub, Submitted, Told};

/// How a simulated carrier behaves. Shares are of all parts, 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulatorConfig {
    /// Seed of its dice; absent = drawn from the connector's.
    pub seed: Option<u64>,
    /// Time from a part to its answer.
    pub latency: Duration,
    /// Up to so much more.
    pub latency_spread: Duration,
    /// Refused with `ESME_RSUBMITFAIL`.
    pub error_rate: f64,
    /// Refused with `ESME_RTHROTTLED`.
    pub throttle_rate: f64,
    /// Taken, and the answer never sent.
    pub drop_rate: f64,
    /// Taken, and the answer sent after the connector gave up waiting.
    pub late_rate: f64,
    /// Taken, and the answer sent twice.
    pub repeat_rate: f64,
    /// Receipts of parts that want one.
    pub receipts: ReceiptRates,
}

/// When receipts come, and how. Spread is what reorders them.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptRates {
    /// Time from a part to its receipt.
    pub delay: Duration,
    /// Up to so much more.
    pub spread: Duration,
    /// Say that the part could not be delivered.
    pub failed: f64,
    /// Never come.
    pub lost: f64,
    /// Come twice.
    pub repeated: f64,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            seed: None,
            latency: Duration::from_millis(5),
            latency_spread: Duration::ZERO,
            error_rate: 0.0,
            throttle_rate: 0.0,
            drop_rate: 0.0,
            late_rate: 0.0,
            repeat_rate: 0.0,
            receipts: ReceiptRates::default(),
        }
    }
}

impl Default for ReceiptRates {
    fn default() -> Self {
        let delay = Duration::from_secs(1);
        Self {
            delay,
            spread: Duration::ZERO,
            failed: 0.0,
            lost: 0.0,
            repeated: 0.0,
        }
    }
}

/// An answer that comes twice does so within this.
const REPEATED_WITHIN: Duration = Duration::from_secs(3);

/// What a simulated carrier does with one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whim {
    Take,
    Refuse(Status),
    Forget,
    AnswerLate,
}

/// A simulated carrier and the link to it.
pub(crate) struct Simulator {
    link: Arc<str>,
    config: SimulatorConfig,
    outcomes: OutcomeMap,
    faults: FaultMap,
    clock: Clock,
    dice: Dice,
    hub: Hub,
    plug: Plug,
    /// Answers by the time they are given, then by the order of their making.
    answers: BTreeMap<(Instant, u64), Answer>,
    made: u64,
    is_up: bool,
}

impl Simulator {
    pub(crate) fn new(
        link: &crate::LinkConfig,
        config: SimulatorConfig,
        deps: &service::Deps,
        hub: Hub,
        plug: Plug,
    ) -> Self {
        Self {
            link: link.name.as_str().into(),
            dice: config.seed.map_or_else(|| deps.dice.fork(), Dice::seeded),
            config,
            outcomes: link.outcomes.smpp.clone(),
            faults: link.faults.clone(),
            clock: deps.clock.clone(),
            hub,
            plug,
            answers: BTreeMap::new(),
            made: 0,
            is_up: false,
        }
    }

    /// Serves until the link is closed.
    pub(crate) async fn run(mut self) {
        self.hub.resume(&self.link, time::now());
        let (wire, mut cuts) = (self.hub.wire(&self.link), self.hub.watch_cuts());
        loop {
            self.follow(!cuts.borrow_and_update().contains(&wire));
            let now = time::now();
            self.give_answers(now);
            self.send_receipts(now);
            let receipt = self.hub.next_receipt(&self.link).filter(|_| self.is_up);
            let answer = self.answers.first_key_value().map(|((at, _), _)| *at);
            let wake = [receipt, answer].into_iter().flatten().min();
            let wake = wake.unwrap_or(now + Duration::from_secs(3_600));
            tokio::select! {
                biased;
                command = self.plug.commands.recv() => match command {
                    Some(Command::Submit(jobs)) => self.take(&jobs),
                    Some(Command::Reply(replies)) => self.on_replies(&replies),
                    Some(Command::Probe(probe)) => probe.has_no_test(),
                    Some(Command::Close) | None => return,
                },
                // The hub outlives its watchers: this end holds one.
                _ = cuts.changed() => {}
                () = time::sleep_until(wake) => {}
            }
        }
    }

    /// The link is cut or mended from outside.
    fn follow(&mut self, is_up: bool) {
        if std::mem::replace(&mut self.is_up, is_up) == is_up {
            return;
        }
        if is_up {
            self.hub.resume(&self.link, time::now());
            let _ = self.plug.events.send(Event::Up);
            return;
        }
        let lost = std::mem::take(&mut self.answers).into_values();
        let lost: Vec<Answer> = lost
            .map(|answer| Answer {
                verdict: Verdict::Unanswered,
                ..answer
            })
            .collect();
        if !lost.is_empty() {
            let _ = self.plug.events.send(Event::Answers(lost));
        }
        let _ = self.plug.events.send(Event::Down {
            reason: "cut".to_owned(),
        });
    }

    fn take(&mut self, jobs: &[Job]) {
        let now = time::now();
        for job in jobs {
            if self.is_up {
                self.take_one(job, now);
            } else {
                self.answer(now, job, Verdict::Unsent { code: "no_link" });
            }
        }
    }

    fn take_one(&mut self, job: &Job, now: Instant) {
        let mut whim = self.whim();
        let soon = now + self.between(self.config.latency, self.config.latency_spread);
        let too_late = now + job.answer_timeout;
        if whim == Whim::Take && soon > too_late {
            whim = Whim::AnswerLate;
        }
        let remote_id = self.hub.enter(&self.link, job, self.hub.now(&self.clock), whim);
        let taken = Verdict::Taken {
            remote_id: remote_id.clone().unwrap_or_default(),
            charge: None,
        };
        match whim {
            Whim::Take => {
                if self.config.repeat_rate > 0.0 && self.dice.fraction() < self.config.repeat_rate {
                    let again = soon + self.between(Duration::ZERO, REPEATED_WITHIN);
                    self.answer(again, job, taken.clone());
                }
                self.answer(soon, job, taken);
            }
            Whim::Forget => self.answer(too_late, job, Verdict::Unanswered),
            Whim::AnswerLate => {
                self.answer(too_late, job, Verdict::Unanswered);
                self.answer(too_late + self.config.latency, job, taken);
            }
            Whim::Refuse(status) => {
                let name = status.name().unwrap_or_default();
                let verdict = Verdict::Refused {
                    rule: self.outcomes.rule(status),
                    detail: format!("ESME_{name}"),
                    retry_after: None,
                };
                self.answer(soon, job, verdict);
            }
        }
        if let Some(id) = remote_id.filter(|_| job.ready.order.receipt) {
            self.owe_receipts(id, now);
        }
    }

    fn whim(&mut self) -> Whim {
        let mut roll = self.dice.fraction();
        let mut is_within = |share: f64| {
            roll -= share;
            roll < 0.0
        };
        if is_within(self.config.error_rate) {
            Whim::Refuse(Status::RSUBMITFAIL)
        } else if is_within(self.config.throttle_rate) {
            Whim::Refuse(Status::RTHROTTLED)
        } else if is_within(self.config.drop_rate) {
            Whim::Forget
        } else if is_within(self.config.late_rate) {
            Whim::AnswerLate
        } else {
            Whim::Take
        }
    }

    fn answer(&mut self, at: Instant, job: &Job, verdict: Verdict) {
        self.made += 1;
        self.answers.insert((at, self.made), Answer { tag: job.tag, verdict });
    }

    fn between(&self, least: Duration, spread: Duration) -> Duration {
        least + spread.mul_f64(self.dice.fraction())
    }

    fn owe_receipts(&mut self, remote_id: String, now: Instant) {
        let rates = self.config.receipts.clone();
        if self.dice.fraction() < rates.lost {
            return;
        }
        let is_failed = self.dice.fraction() < rates.failed;
        let copies = if self.dice.fraction() < rates.repeated { 2 } else { 1 };
        for _ in 0..copies {
            let at = now + self.between(rates.delay, rates.spread);
            self.hub.owe(&self.link, at, remote_id.clone(), is_failed);
        }
    }

    fn give_answers(&mut self, now: Instant) {
        let rest = self.answers.split_off(&(now, u64::MAX));
        let due: Vec<Answer> = std::mem::replace(&mut self.answers, rest).into_values().collect();
        if !due.is_empty() {
            let _ = self.plug.events.send(Event::Answers(due));
        }
    }

    fn send_receipts(&mut self, now: Instant) {
        if !self.is_up {
            return;
        }
        let due = self.hub.take_due(&self.link, now);
        let arrived: Vec<Arrived> = due
            .into_iter()
            .map(|(token, remote_id, is_failed)| self.arrived(token, remote_id, is_failed))
            .collect();
        if !arrived.is_empty() {
            let _ = self.plug.events.send(Event::Receipts(arrived));
        }
    }

    fn arrived(&self, token: u64, remote_id: String, is_failed: bool) -> Arrived {
        let (state, raw) = match is_failed {
            true => (ReceiptState::Undeliverable, "UNDELIV"),
            false => (ReceiptState::Delivered, "DELIVRD"),
        };
        let fault = self.faults.fault(state, "", None);
        let done_at = Some(self.hub.now(&self.clock));
        let receipt = Receipt {
            state,
            fault,
            raw: raw.to_owned(),
            error: String::new(),
            done_at,
            vendor: Vec::new(),
        };
        Arrived {
            token,
            remote_id,
            receipt,
            party: None,
        }
    }

    fn on_replies(&mut self, replies: &[Reply]) {
        let (at, again_at) = (self.hub.now(&self.clock), time::now() + Duration::from_secs(1));
        for reply in replies {
            match reply.is_safe {
                true => self.hub.settle(&self.link, reply.token, at),
                false => self.hub.put_off(&self.link, reply.token, again_at),
            }
        }
    }
}

#[cfg(test)]
mod tests;
