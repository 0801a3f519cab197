//! Messages that wait until it is known who serves their recipients: read in batches, asked about, and decided.
//!
//! Each lane has a topic, a loop and a bound of its own, so that passwords never wait behind a campaign that asks somebody slow.
//! Beyond the bound the numbering plan answers at once. A message stays on the log until what it led to is safe: should the
//! router die, another reads it again, and claims keep its order to one.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bus::Batch;
use futures::{FutureExt, future::BoxFuture};
use journey::{Delayed, Waiting};
use lookup::{Chain, Curiosity, Offer, Portability, Verdict, matters};
use signalbox_proto::record::{self, Invalid};
use sms::{Lane, Msisdn, RecordKey};
use table::{Network, Stake};

use crate::{
    Error,
    desk::Desk,
    handlers::Work,
    intake::{After, Handle, Turn, records},
    metrics,
    place::Ask,
    told::Told,
};

/// Most messages of one lane that wait for look-ups at a router, unless it is told otherwise. A second of ten thousand
/// messages, and some ten megabytes.
pub const WAITING_MAX_DEFAULT: usize = 10_000;
/// How long a password waits for a look-up, unless it is told otherwise.
pub const BUDGET_URGENT_DEFAULT: Duration = Duration::from_millis(300);
/// How long any other message does.
pub const BUDGET_DEFAULT: Duration = Duration::from_secs(2);
/// Longest that a message may be made to wait for a look-up.
pub const BUDGET_MAX: Duration = Duration::from_secs(30);
/// Least time between two batches of a lane that are read.
const PACE: Duration = Duration::from_millis(5);
/// Batches of one lane that are asked about at a time: all that are read within the longest budget. A batch takes as long as the
/// slowest answer and is acked after those before it, and none behind it must wait for that. How much they hold together is
/// bounded by the messages that may wait.
const BATCHES_MAX: usize = (BUDGET_MAX.as_millis() / PACE.as_millis()) as usize;

/// Whom a router asks which network serves a number, and how long that may take.
#[derive(Clone)]
pub struct LookUps {
    /// Who is asked.
    pub chain: Chain,
    /// What has been learnt from its answers.
    pub portability: Arc<Portability>,
    /// What a query costs and is good for; `None` = nobody can be asked, and only what is known counts.
    pub offer: Option<Offer>,
    /// How often somebody is asked to learn.
    pub curiosity: Curiosity,
    /// How long a password waits for an answer.
    pub budget_urgent: Duration,
    /// How long any other message does.
    pub budget: Duration,
    /// Messages of one lane that may wait; beyond it the numbering plan answers.
    pub waiting_max: usize,
    /// What becomes of a message to a number that no network serves.
    pub dead: DeadNumbers,
    rooms: Rooms,
}

/// What becomes of a message to a number that no network serves, as somebody says who knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeadNumbers {
    /// It fails before money is spent.
    #[default]
    Fail,
    /// It is sent all the same.
    Send,
}

/// Messages of one lane that wait.
#[derive(Debug, Default)]
struct Room {
    in_hand: AtomicUsize,
    unread: AtomicUsize,
}

/// Messages in hand; there is room for others once it is dropped.
struct Seats {
    rooms: Rooms,
    lane: Lane,
    count: usize,
}

/// By lane.
type Rooms = Arc<[Room; Lane::ALL.len()]>;

/// Messages of one lane that wait for look-ups.
pub(crate) struct Asking(pub(crate) Lane);

impl LookUps {
    /// Asks `chain`, which teaches `portability` and takes `offer` for a query, with the defaults of everything else.
    pub fn new(chain: Chain, portability: Arc<Portability>, offer: Option<Offer>) -> Self {
        Self {
            chain,
            portability,
            offer,
            curiosity: Curiosity::default(),
            budget_urgent: BUDGET_URGENT_DEFAULT,
            budget: BUDGET_DEFAULT,
            waiting_max: WAITING_MAX_DEFAULT,
            dead: DeadNumbers::default(),
            rooms: Rooms::default(),
        }
    }

    /// Whether as many messages of `lane` wait as may.
    pub(crate) fn is_full(&self, lane: Lane) -> bool {
        let Room { in_hand, unread } = &self.rooms[lane as usize];
        in_hand.load(Ordering::Relaxed) + unread.load(Ordering::Relaxed) >= self.waiting_max
    }

    /// Takes `count` messages in hand; `None` = too many wait.
    fn seat(&self, lane: Lane, count: usize) -> Option<Seats> {
        if self.is_full(lane) {
            return None;
        }
        self.rooms[lane as usize].in_hand.fetch_add(count, Ordering::Relaxed);
        Some(Seats {
            rooms: Arc::clone(&self.rooms),
            lane,
            count,
        })
    }

    /// Whether it is worth it to ask about `number`, which the plan gives to `planned`.
    pub(crate) fn weigh(&self, number: &Msisdn, planned: Option<Network>, stake: Stake, roll: u64) -> Verdict {
        let rates = self.portability.rates(number.digits(), planned);
        matters(stake, rates, self.offer, self.curiosity, roll)
    }

    fn budget(&self, lane: Lane) -> Duration {
        match lane {
            Lane::Urgent => self.budget_urgent,
            Lane::Normal | Lane::Bulk => self.budget,
        }
    }
}

impl fmt::Debug for LookUps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookUps")
            .field("budget_urgent", &self.budget_urgent)
            .field("budget", &self.budget)
            .field("waiting_max", &self.waiting_max)
            .field("dead", &self.dead)
            .finish_non_exhaustive()
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        self.rooms[self.lane as usize]
            .in_hand
            .fetch_sub(self.count, Ordering::Relaxed);
    }
}

impl Handle for Asking {
    const BATCHES_MAX: usize = BATCHES_MAX;
    const PACE: Duration = PACE;
    const COUNTS_UNREAD: bool = true;

    fn unread(&self, desk: &Arc<Desk>, records: u64) {
        let Some(lookups) = &desk.config.lookups else { return };
        let records = usize::try_from(records).unwrap_or(usize::MAX);
        let room = &lookups.rooms[self.0 as usize];
        room.unread.store(records, Ordering::Relaxed);
        metrics::looking_up(self.0.as_str(), room.in_hand.load(Ordering::Relaxed) + records);
    }

    fn handle<'a>(&'a self, desk: &'a Arc<Desk>, read: &'a [Batch], _: Turn) -> BoxFuture<'a, Result<After, Error>> {
        async move {
            let mut work = Work::new(desk);
            let mut waiting = Vec::new();
            for (topic, stored) in records(read) {
                match record::delayed_from_bytes(&stored.value, RecordKey(stored.key)) {
                    Ok(Delayed::Message(waits)) => {
                        work.outbox.read(topic, stored, waits.message.id);
                        waiting.push(*waits);
                    }
                    Ok(Delayed::Receipt { .. }) => work.outbox.dead(topic, stored, &no_receipts()),
                    Err(error) => work.outbox.dead(topic, stored, &error),
                }
            }
            let (desk, lane) = (desk.clone(), self.0);
            // Asked beside the next batch: who is slow holds up nobody else.
            let after = async move {
                let told = told(&desk, lane, &waiting).await;
                for (waiting, told) in waiting.into_iter().zip(told) {
                    work.looked_up(Ask {
                        told,
                        ..Ask::waited(waiting)
                    });
                }
                work.finish(&desk).await?.await
            };
            Ok(after.boxed())
        }
        .boxed()
    }
}

/// What is known of the recipients of `waiting` in the end; `None` = nobody is asked here.
async fn told(desk: &Arc<Desk>, lane: Lane, waiting: &[Waiting]) -> Vec<Option<Told>> {
    let Some(lookups) = &desk.config.lookups else {
        return waiting.iter().map(|_| None).collect();
    };
    let Some(_seats) = lookups.seat(lane, waiting.len()) else {
        let by_plan = |_| {
            metrics::look_up("full");
            Some(Told::by_plan(desk.now()))
        };
        return waiting.iter().map(by_plan).collect();
    };
    for waiting in waiting.iter().filter(|waiting| waiting.look_again) {
        lookups.chain.forget(&waiting.message.to).await;
    }
    let numbers: Vec<_> = waiting.iter().map(|waiting| waiting.message.to.clone()).collect();
    let answers = lookups.chain.look_up(&numbers, lookups.budget(lane)).await;
    answers.iter().map(|answer| Some(Told::of(answer))).collect()
}

fn no_receipts() -> Invalid {
    Invalid::Field {
        field: "what",
        reason: "receipts wait on other topics".to_owned(),
    }
}
