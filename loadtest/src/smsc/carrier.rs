//! What a carrier decides, behind one lock that every connection takes once a batch.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service::{Dice, time};
use smpp::{Address, Bind, Deliver, Status, Submit};
use sms::{ReceiptState, UnixMs, UnixUs};
use tokio::sync::Notify;

use super::config::{Arrival, Behaviour, Config};
use super::counts::Counts;
use super::log::{Log, Logged};
use super::manners::ReceiptTime;
use super::receipts::{Receipt, Receipts};
use super::received::{Receipted, Received};

/// Ids of one millisecond, so that a carrier that is started again never repeats one.
const IDS_PER_MS: u64 = 1_000;

/// The answer to one message, and when it is due.
#[derive(Debug)]
pub(super) struct Fate {
    /// Absent = no answer.
    pub(super) answer: Option<(Duration, Status, String)>,
    /// A receipt that is to leave before the answer, with a number of its own; absent = it waits for its time.
    pub(super) early: Option<(u64, Receipt)>,
}

/// State shared by the connections of a carrier.
#[derive(Debug)]
pub(super) struct Carrier {
    pub(super) config: Config,
    state: Mutex<State>,
    /// Told when receipts were added by a connection that cannot deliver them.
    pub(super) receipts_added: Notify,
}

#[derive(Debug)]
struct State {
    behaviour: Behaviour,
    is_open: bool,
    dice: Dice,
    id_next: u64,
    bucket: Bucket,
    receipts: Receipts,
    inbound: Receipts<Deliver>,
    log: Option<Log>,
    received: Vec<Received>,
    counts: Counts,
}

/// Messages that may be taken now: fills at the carrier's rate, holds a tenth of a second of it.
#[derive(Debug, Default)]
struct Bucket {
    tokens: f64,
    filled_at: Duration,
}

impl Bucket {
    fn take(&mut self, now: Duration, rate: u32) -> bool {
        let rate = f64::from(rate);
        let most = (rate / 10.0).max(1.0);
        let filled = self.tokens + (now.saturating_sub(self.filled_at)).as_secs_f64() * rate;
        self.tokens = filled.min(most);
        self.filled_at = now;
        let is_free = self.tokens >= 1.0;
        if is_free {
            self.tokens -= 1.0;
        }
        is_free
    }
}

enum Verdict {
    Accepted,
    Dropped,
    Refused(Status),
    Throttled(Status),
}

impl Carrier {
    /// A carrier that goes on with its log: receipts missing from it are due at once.
    pub(super) fn new(config: Config, log: Option<(Log, Logged)>) -> Self {
        let (log, logged) = log.unzip();
        let mut state = State {
            behaviour: config.behaviour.clone(),
            is_open: true,
            dice: Dice::seeded(config.seed),
            id_next: config.clock.now().0 * IDS_PER_MS,
            bucket: Bucket {
                tokens: 1.0,
                filled_at: Duration::ZERO,
            },
            receipts: Receipts::default(),
            inbound: Receipts::default(),
            log,
            received: Vec::new(),
            counts: Counts::default(),
        };
        state.resume(&config, &logged.unwrap_or_default());
        Self {
            config,
            state: Mutex::new(state),
            receipts_added: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a bind succeeds.
    pub(super) fn bind(&self, bind: &Bind) -> Status {
        let fits = |wanted: &Option<String>, given| wanted.as_deref().is_none_or(|wanted| wanted == given);
        let mut state = self.state();
        let status = if !fits(&self.config.system_id, &bind.system_id) {
            Status::RINVSYSID
        } else if !fits(&self.config.password, &bind.password) {
            Status::RINVPASWD
        } else {
            Status::ROK
        };
        *if status.is_ok() {
            &mut state.counts.binds
        } else {
            &mut state.counts.binds_refused
        } += 1;
        status
    }

    /// Decides on a batch of messages and writes it to the log, before any answer can leave.
    pub(super) fn receive(&self, now: Duration, submits: &[Submit]) -> Vec<Fate> {
        let at = self.config.clock.precisely();
        self.tell(submits);
        let state = &mut *self.state();
        let fates = submits
            .iter()
            .map(|submit| state.decide(&self.config, now, at, submit))
            .collect();
        state.flush_log();
        fates
    }

    fn tell(&self, submits: &[Submit]) {
        let Some(told) = &self.config.told else {
            return;
        };
        let at = time::now();
        for submit in submits {
            let to = submit.destination.value.clone();
            // Whoever listens no longer wants to know.
            let _ = told.send(Arrival { to, at });
        }
    }

    pub(super) fn next_receipt_due(&self) -> Option<Duration> {
        let state = self.state();
        [state.receipts.next_due(), state.inbound.next_due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Queues messages from handsets, due at once.
    pub(super) fn add_inbound(&self, delivers: impl IntoIterator<Item = Deliver>) {
        let mut state = self.state();
        delivers
            .into_iter()
            .for_each(|deliver| state.inbound.add(Duration::ZERO, deliver));
        drop(state);
        self.receipts_added.notify_waiters();
    }

    pub(super) fn take_inbound(&self, now: Duration, max: usize) -> Vec<(u64, Deliver)> {
        self.state().inbound.take(now, max)
    }

    pub(super) fn inbound_taken(&self) {
        self.state().counts.inbound_taken += 1;
    }

    /// This one comes again at `due`.
    pub(super) fn inbound_again(&self, due: Duration, deliver: Deliver) {
        let mut state = self.state();
        state.counts.inbound_again += 1;
        state.inbound.add(due, deliver);
        drop(state);
        self.receipts_added.notify_waiters();
    }

    pub(super) fn take_receipts(&self, now: Duration, max: usize) -> Vec<(u64, Receipt)> {
        self.state().receipts.take(now, max)
    }

    /// A client took these receipts at `now`; those that come twice come again.
    pub(super) fn receipts_taken(&self, now: Duration, receipts: Vec<Receipt>) {
        let at = self.config.clock.precisely();
        let mut guard = self.state();
        let state = &mut *guard;
        state.counts.receipts_taken += receipts.len() as u64;
        for receipt in receipts {
            let id = self.config.ids.response.write(receipt.id);
            state.log.iter_mut().for_each(|log| {
                log.add_receipt(&Receipted {
                    at,
                    id: id.clone(),
                    state: receipt.state,
                })
            });
            state.repeat(now, receipt);
        }
        state.flush_log();
        drop(guard);
        self.receipts_added.notify_waiters();
    }

    /// These receipts were written before their answers.
    pub(super) fn receipts_early(&self, receipts: u64) {
        self.state().counts.receipts_early += receipts;
    }

    /// This receipt could not leave before its answer, and is due now.
    pub(super) fn receipt_waits(&self, now: Duration, receipt: Receipt) {
        self.state().receipts.add(now, receipt);
        self.receipts_added.notify_waiters();
    }

    /// This receipt comes again at `due`.
    pub(super) fn receipt_again(&self, due: Duration, receipt: Receipt) {
        let mut state = self.state();
        state.counts.receipts_again += 1;
        state.receipts.add(due, receipt);
        drop(state);
        self.receipts_added.notify_waiters();
    }

    pub(super) fn link_opened(&self) {
        self.state().counts.links += 1;
    }

    /// A connection ended with so many answers unwritten.
    pub(super) fn link_closed(&self, was_cut: bool, answers: usize) {
        let mut state = self.state();
        state.counts.links -= 1;
        state.counts.answers_lost += answers as u64;
        state.counts.cuts += u64::from(was_cut);
    }

    /// How a connection that begins now will end.
    pub(super) fn life(&self) -> Life {
        let behaviour = &self.state().behaviour;
        Life {
            cut_after: behaviour.disconnect_after,
            cut_at_age: behaviour.disconnect_every,
            half_open_after: behaviour.half_open_after,
            garbage_after: behaviour.garbage_after,
            read_pause: behaviour.read_pause,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().is_open
    }

    pub(super) fn set_open(&self, is_open: bool) {
        self.state().is_open = is_open;
    }

    pub(super) fn set_behaviour(&self, behaviour: Behaviour) {
        self.state().behaviour = behaviour;
    }

    pub(super) fn counts(&self) -> Counts {
        let state = self.state();
        Counts {
            receipts_waiting: state.receipts.len() as u64,
            inbound_waiting: state.inbound.len() as u64,
            ..state.counts
        }
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    pub(super) fn flush(&self) {
        self.state().flush_log();
    }
}

/// What becomes of one connection; see [`Behaviour`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) cut_after: Option<u64>,
    pub(super) cut_at_age: Option<Duration>,
    pub(super) half_open_after: Option<u64>,
    pub(super) garbage_after: Option<u64>,
    pub(super) read_pause: Duration,
}

impl State {
    fn decide(&mut self, config: &Config, now: Duration, at: UnixUs, submit: &Submit) -> Fate {
        let verdict = self.verdict(now);
        let counts = &mut self.counts;
        counts.received += 1;
        *match &verdict {
            Verdict::Accepted => &mut counts.accepted,
            Verdict::Dropped => &mut counts.dropped,
            Verdict::Refused(_) => &mut counts.refused,
            Verdict::Throttled(_) => &mut counts.throttled,
        } += 1;
        let status = match verdict {
            Verdict::Accepted => Some(Status::ROK),
            Verdict::Dropped => None,
            Verdict::Refused(status) | Verdict::Throttled(status) => Some(status),
        };
        let answer_due = now + self.behaviour.answer.at(self.dice.fraction());
        let (id, early) = if status.is_none_or(Status::is_ok) {
            self.take(config, answer_due, now, at.millis(), submit)
        } else {
            (String::new(), None)
        };
        self.note(config, Received::new(at, id.clone(), status, submit));
        Fate {
            answer: status.map(|status| (answer_due, status, id)),
            early,
        }
    }

    fn verdict(&mut self, now: Duration) -> Verdict {
        let Behaviour {
            throughput,
            throttle_wave,
            throttle_status,
            throttle_rate,
            error_rate,
            drop_rate,
            ..
        } = self.behaviour;
        let is_over = throughput.is_some_and(|rate| !self.bucket.take(now, rate))
            || throttle_wave.is_some_and(|wave| wave.throttles(now));
        // One die for the three chances, so that a rate of one error leaves the others as they are.
        let die = self.dice.fraction();
        if is_over || die < throttle_rate {
            Verdict::Throttled(throttle_status)
        } else if die < throttle_rate + error_rate {
            let statuses = &self.behaviour.error_statuses;
            let at = self.dice.below(statuses.len() as u64) as usize;
            Verdict::Refused(statuses.get(at).copied().unwrap_or(Status::RSYSERR))
        } else if die < throttle_rate + error_rate + drop_rate {
            Verdict::Dropped
        } else {
            Verdict::Accepted
        }
    }

    /// Gives a message its id and plans its receipt, which is returned if it leaves before the answer.
    fn take(
        &mut self,
        config: &Config,
        answer_due: Duration,
        now: Duration,
        at: UnixMs,
        submit: &Submit,
    ) -> (String, Option<(u64, Receipt)>) {
        let id = self.id_next;
        self.id_next += 1;
        let chances = self.behaviour.receipt_chances;
        let time = chances.time_at(self.dice.fraction());
        let usual = self.behaviour.receipt_delay.at(self.dice.fraction());
        let wait = match time {
            ReceiptTime::Late => chances.late_by.at(self.dice.fraction()),
            ReceiptTime::Early | ReceiptTime::Usual => usual,
        };
        let due = answer_due + wait;
        let Submit {
            source,
            destination,
            registered_delivery,
            ..
        } = submit;
        let times = (at, at + (due - now));
        let receipt = self.plan(id, (source, destination), *registered_delivery, times);
        let mut early = None;
        if let Some(mut receipt) = receipt {
            receipt.comes_twice = self.dice.fraction() < chances.twice;
            self.counts.receipts_late += u64::from(time == ReceiptTime::Late);
            match time {
                ReceiptTime::Early => early = Some((self.receipts.number(), receipt)),
                ReceiptTime::Late | ReceiptTime::Usual => self.receipts.add(due, receipt),
            }
        }
        (config.ids.response.write(id), early)
    }

    /// The receipt of a message between these addresses, submitted and done at these times; `None` = it gets none.
    fn plan(&mut self, id: u64, between: (&Address, &Address), wanted: u8, at: (UnixMs, UnixMs)) -> Option<Receipt> {
        let fate = self.behaviour.receipts.at(self.dice.fraction());
        let (state, error) = fate.filter(|(state, _)| is_wanted(wanted, *state))?;
        self.counts.receipts += 1;
        Some(Receipt {
            id,
            source: between.0.clone(),
            destination: between.1.clone(),
            state,
            error: error.to_owned(),
            submitted_at: at.0,
            done_at: at.1,
            comes_twice: false,
        })
    }

    /// Sends a receipt that was taken at `now` once more, if it is one that comes twice.
    fn repeat(&mut self, now: Duration, receipt: Receipt) {
        if !receipt.comes_twice {
            return;
        }
        self.counts.receipts_twice += 1;
        let wait = self.behaviour.receipt_chances.twice_after.at(self.dice.fraction());
        let again = Receipt {
            comes_twice: false,
            ..receipt
        };
        self.receipts.add(now + wait, again);
    }

    /// Plans the receipts that an earlier process owes by its log.
    fn resume(&mut self, config: &Config, logged: &Logged) {
        let told: BTreeSet<&str> = logged.receipts.iter().map(|receipted| receipted.id.as_str()).collect();
        let now = config.clock.now();
        for received in logged.received.iter().filter(|received| received.was_taken()) {
            let Some(id) = config
                .ids
                .response
                .read(&received.id)
                .filter(|_| !told.contains(received.id.as_str()))
            else {
                continue;
            };
            let between = (
                &Address::sender(&received.source),
                &Address::international(&received.destination),
            );
            let times = (received.at.millis(), now);
            if let Some(receipt) = self.plan(id, between, received.registered_delivery, times) {
                self.receipts.add(Duration::ZERO, receipt);
            }
        }
    }

    fn note(&mut self, config: &Config, received: Received) {
        if let Some(log) = &mut self.log {
            log.add(&received);
        }
        if self.received.len() < config.keep_max {
            self.received.push(received);
        }
    }

    fn flush_log(&mut self) {
        if let Some(log) = &mut self.log {
            log.flush()
                .expect("a carrier whose log cannot be written proves nothing");
        }
    }
}

/// Whether the sender asked for a receipt of this state (3.4 §5.2.17; 3 = success only as in 5.0).
fn is_wanted(registered_delivery: u8, state: ReceiptState) -> bool {
    let is_success = state == ReceiptState::Delivered;
    match registered_delivery & 3 {
        0 => false,
        1 => true,
        2 => !is_success,
        _ => is_success,
    }
}
