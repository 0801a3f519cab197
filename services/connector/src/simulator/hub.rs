//! The memory of the simulated carriers of one run: what they were handed, and the receipts they owe.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use journey::OrderNumber;
use service::{Clock, time::Instant};
use sms::{Encoding, MessageId, Msisdn, Sender, UnixMs};
use tokio::sync::watch;

use super::Whim;
use crate::link::Job;

/// One part as a simulated carrier was handed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submitted {
    /// The link it came over.
    pub link: String,
    /// When.
    pub at: UnixMs,
    /// The message.
    pub message: MessageId,
    /// The order.
    pub number: OrderNumber,
    /// The part, from 0.
    pub part: u8,
    /// Sender as shown.
    pub from: Sender,
    /// Recipient.
    pub to: Msisdn,
    /// How the payload is coded.
    pub encoding: Encoding,
    /// User data as in a PDU: the header, if any, and the payload.
    pub octets: Bytes,
    /// The carrier's id; absent = it refused the part.
    pub remote_id: Option<String>,
    /// Whether its answer, if the link lives, comes before the other side gives up.
    pub is_answered: bool,
}

/// A receipt that a simulated carrier got rid of: the other side answered that it has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The link it went over.
    pub link: String,
    /// When it was answered.
    pub at: UnixMs,
    /// The carrier's id of the part.
    pub remote_id: String,
    /// Whether it says that the part was not delivered.
    pub is_failed: bool,
}

/// What the simulated carriers remember, and the switch that cuts their links. Cheap to clone; clones are one memory.
#[derive(Clone, Debug)]
pub struct Hub {
    shared: Arc<Shared>,
    /// Where its links begin.
    place: Arc<str>,
}

/// Links that are cut, by where they begin and their name.
type Cuts = BTreeSet<(Arc<str>, String)>;

#[derive(Debug)]
struct Shared {
    /// What carriers go by; absent = as the connector at hand.
    clock: Option<Clock>,
    state: Mutex<State>,
    cuts: watch::Sender<Cuts>,
}

#[derive(Debug, Default)]
struct State {
    is_recording: bool,
    submitted: Vec<Submitted>,
    told: Vec<Told>,
    carriers: BTreeMap<String, Carrier>,
}

#[derive(Debug, Default)]
struct Carrier {
    ids: u64,
    tokens: u64,
    owed: BTreeMap<(Instant, u64), Owed>,
    /// Receipts sent and not replied to.
    open: BTreeMap<u64, Owed>,
}

#[derive(Clone, Debug)]
struct Owed {
    remote_id: String,
    is_failed: bool,
}

impl Default for Hub {
    fn default() -> Self {
        Self::new(false, None)
    }
}

impl Hub {
    /// Keeps every part for [`Hub::submitted`]: for tests, as memory grows with traffic.
    pub fn recording() -> Self {
        Self::new(true, None)
    }

    /// As [`Hub::recording`], with carriers that go by `clock`, whatever clock a connector has.
    pub fn recording_by(clock: Clock) -> Self {
        Self::new(true, Some(clock))
    }

    fn new(is_recording: bool, clock: Option<Clock>) -> Self {
        let state = Mutex::new(State {
            is_recording,
            ..State::default()
        });
        Self {
            shared: Arc::new(Shared {
                clock,
                state,
                cuts: watch::Sender::default(),
            }),
            place: Arc::default(),
        }
    }

    /// The same carriers with links of their own from `place`: those are cut and mended apart from others to the same carrier.
    #[must_use]
    pub fn at(&self, place: &str) -> Self {
        Self {
            place: place.into(),
            ..self.clone()
        }
    }

    /// Every part handed to a simulated carrier so far, in order; empty unless recording.
    pub fn submitted(&self) -> Vec<Submitted> {
        self.state().submitted.clone()
    }

    /// Every receipt that was answered as safe so far, in order; empty unless recording.
    pub fn told(&self) -> Vec<Told> {
        self.state().told.clone()
    }

    /// Cuts the link called `link` from this place: what is unanswered is lost, and nothing is taken until it is mended.
    pub fn cut(&self, link: &str) {
        self.shared.cuts.send_modify(|cuts| {
            cuts.insert(self.wire(link));
        });
    }

    /// Mends the link.
    pub fn mend(&self, link: &str) {
        self.shared.cuts.send_modify(|cuts| {
            cuts.remove(&self.wire(link));
        });
    }

    /// What is cut where `link` is cut from this place.
    pub(super) fn wire(&self, link: &str) -> (Arc<str>, String) {
        (Arc::clone(&self.place), link.to_owned())
    }

    /// Receipts that carriers owe or that were not replied to.
    pub fn receipts_owed(&self) -> usize {
        self.state()
            .carriers
            .values()
            .map(|carrier| carrier.owed.len() + carrier.open.len())
            .sum()
    }

    /// What a carrier's clock says, whose connector has `clock`.
    pub(super) fn now(&self, clock: &Clock) -> UnixMs {
        self.shared.clock.as_ref().unwrap_or(clock).now()
    }

    pub(super) fn watch_cuts(&self) -> watch::Receiver<Cuts> {
        self.shared.cuts.subscribe()
    }

    /// A new connection: receipts without a reply are sent again.
    pub(super) fn resume(&self, link: &str, now: Instant) {
        self.carrier(link, |carrier| {
            for (token, owed) in std::mem::take(&mut carrier.open) {
                carrier.owed.insert((now, token), owed);
            }
        });
    }

    /// Enters a part, and gives it an id if it is taken.
    pub(super) fn enter(&self, link: &str, job: &Job, at: UnixMs, whim: Whim) -> Option<String> {
        let is_taken = !matches!(whim, Whim::Refuse(_));
        let remote_id = is_taken.then(|| {
            self.carrier(link, |carrier| {
                carrier.ids += 1;
                // Ids of one carrier differ, whichever of its links they came over.
                format!("{link}-{:x}", carrier.ids)
            })
        });
        let mut state = self.state();
        if state.is_recording {
            let order = &job.ready.order;
            state.submitted.push(Submitted {
                link: link.to_owned(),
                at,
                message: order.message.id,
                number: order.number,
                part: job.tag.part,
                from: order.from().clone(),
                to: order.to().clone(),
                encoding: order.content().1,
                octets: job.ready.parts[usize::from(job.tag.part)].octets().clone(),
                remote_id: remote_id.clone(),
                is_answered: matches!(whim, Whim::Take | Whim::Refuse(_)),
            });
        }
        remote_id
    }

    pub(super) fn owe(&self, link: &str, at: Instant, remote_id: String, is_failed: bool) {
        self.carrier(link, |carrier| {
            carrier.tokens += 1;
            carrier.owed.insert((at, carrier.tokens), Owed { remote_id, is_failed });
        });
    }

    pub(super) fn next_receipt(&self, link: &str) -> Option<Instant> {
        self.carrier(link, |carrier| carrier.owed.first_key_value().map(|((at, _), _)| *at))
    }

    /// The receipts due by `now`: token, id and whether the part failed.
    pub(super) fn take_due(&self, link: &str, now: Instant) -> Vec<(u64, String, bool)> {
        self.carrier(link, |carrier| {
            let rest = carrier.owed.split_off(&(now, u64::MAX));
            let due = std::mem::replace(&mut carrier.owed, rest);
            let mut taken = Vec::with_capacity(due.len());
            for ((_, token), owed) in due {
                taken.push((token, owed.remote_id.clone(), owed.is_failed));
                carrier.open.insert(token, owed);
            }
            taken
        })
    }

    /// The other side has the receipt.
    pub(super) fn settle(&self, link: &str, token: u64, at: UnixMs) {
        let settled = self.carrier(link, |carrier| carrier.open.remove(&token));
        let mut state = self.state();
        if let Some(Owed { remote_id, is_failed }) = settled.filter(|_| state.is_recording) {
            state.told.push(Told {
                link: link.to_owned(),
                at,
                remote_id,
                is_failed,
            });
        }
    }

    /// The other side wants the receipt again.
    pub(super) fn put_off(&self, link: &str, token: u64, again_at: Instant) {
        self.carrier(link, |carrier| {
            if let Some(owed) = carrier.open.remove(&token) {
                carrier.owed.insert((again_at, token), owed);
            }
        });
    }

    fn carrier<T>(&self, link: &str, work: impl FnOnce(&mut Carrier) -> T) -> T {
        let mut state = self.state();
        if !state.carriers.contains_key(link) {
            state.carriers.insert(link.to_owned(), Carrier::default());
        }
        work(state.carriers.get_mut(link).expect("the entry was just made"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
