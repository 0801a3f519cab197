//! What a carrier decides, behind one lock that every connection takes once a batch.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use service::{Dice, time};
use smpp::{Address, Bind, Deliver, Status, Submit};
use sms::{ReceiptState, UnixMs, UnixUs};
use tokio::sync::Notify;

use super::config::{Arrival, Behaviour, Config};
use super::log::{Log, Logged};
use super::receipts::{Receipt, Receipts};
use super::received::{Receipted, Received};

/// Ids of one millisecond, so that a carrier that is started again never repeats one.
const IDS_PER_MS: u64 = 1_000;

/// What happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Binds that succeeded.
    pub binds: u64,
    /// Binds that were refused.
    pub binds_refused: u64,
    /// Connections that stand now.
    pub links: u64,
    /// Connections cut on purpose.
    pub cuts: u64,
    /// Messages received.
    pub received: u64,
    /// Messages taken and answered so.
    pub accepted: u64,
    /// Messages refused with an error.
    pub refused: u64,
    /// Messages refused as too fast.
    pub throttled: u64,
    /// Messages taken and not answered.
    pub dropped: u64,
    /// Receipts decided on, whatever became of them.
    pub receipts: u64,
    /// Receipts that wait, for their time or for a client.
    pub receipts_waiting: u64,
    /// Receipts a client took.
    pub receipts_taken: u64,
    /// Receipts that were sent and not taken, and wait again.
    pub receipts_again: u64,
    /// Messages from handsets, or parts of them, that wait for a client.
    pub inbound_waiting: u64,
    /// Those a client took.
    pub inbound_taken: u64,
    /// Those that were sent and not taken, and wait again.
    pub inbound_again: u64,
}

/// The answer to one message, and when it is due.
#[derive(Debug)]
pub(super) struct Fate {
    /// Absent = no answer.
    pub(super) answer: Option<(Duration, Status, String)>,
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

    /// A client took these receipts.
    pub(super) fn receipts_taken(&self, receipts: &[Receipt]) {
        let at = self.config.clock.precisely();
        let state = &mut *self.state();
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
        }
        state.flush_log();
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

    pub(super) fn link_closed(&self, was_cut: bool) {
        let mut state = self.state();
        state.counts.links -= 1;
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
        let id = if status.is_none_or(Status::is_ok) {
            self.take(config, answer_due, now, at.millis(), submit)
        } else {
            String::new()
        };
        self.note(config, Received::new(at, id.clone(), status, submit));
        Fate {
            answer: status.map(|status| (answer_due, status, id)),
        }
    }

    fn verdict(&mut self, now: Duration) -> Verdict {
        let Behaviour {
            throughput,
            throttle_status,
            throttle_rate,
            error_rate,
            drop_rate,
            ..
        } = self.behaviour;
        let is_over = throughput.is_some_and(|rate| !self.bucket.take(now, rate));
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

    /// Gives a message its id and plans its receipt.
    fn take(&mut self, config: &Config, answer_due: Duration, now: Duration, at: UnixMs, submit: &Submit) -> String {
        let id = self.id_next;
        self.id_next += 1;
        let due = answer_due + self.behaviour.receipt_delay.at(self.dice.fraction());
        let Submit {
            source,
            destination,
            registered_delivery,
            ..
        } = submit;
        self.plan(
            due,
            id,
            (source, destination),
            *registered_delivery,
            (at, at + (due - now)),
        );
        config.ids.response.write(id)
    }

    /// Plans the receipt of a message between these addresses, submitted and done at these times, if it gets one.
    fn plan(&mut self, due: Duration, id: u64, between: (&Address, &Address), wanted: u8, at: (UnixMs, UnixMs)) {
        let fate = self.behaviour.receipts.at(self.dice.fraction());
        let Some((state, error)) = fate.filter(|(state, _)| is_wanted(wanted, *state)) else {
            return;
        };
        let receipt = Receipt {
            id,
            source: between.0.clone(),
            destination: between.1.clone(),
            state,
            error: error.to_owned(),
            submitted_at: at.0,
            done_at: at.1,
        };
        self.receipts.add(due, receipt);
        self.counts.receipts += 1;
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
            self.plan(
                Duration::ZERO,
                id,
                between,
                received.registered_delivery,
                (received.at.millis(), now),
            );
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
