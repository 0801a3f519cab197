//! What routers say they have before them, and which messages are refused for it: those that would wait for too long.
//!
//! Routers speak on `carriers` every second while there is anything to say. A word that is some seconds old counts no more,
//! and no word at all refuses nothing: a message that is durable ends in time or is told to have expired, whoever is silent.

mod listen;
mod log_clock;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use bus::Stored;
use journey::{CarrierWord, Head, LAG_SAID_MIN, Pressure as Said, WAIT_SAID_MIN};
use service::Dice;
use signalbox_proto::record;
use sms::{AccountId, Lane, Msisdn, UnixMs};

pub use listen::{hear_first, keep_pressure};
pub use log_clock::BEHIND_MAX;
pub(crate) use log_clock::watch_log_clock;

/// A router that said nothing for so long says nothing: it died, or the log is away.
const FRESH: Duration = Duration::from_secs(4);
/// Routers whose words are kept at once.
const ROUTERS_MAX: usize = 256;
/// From its limit on, the share that is refused grows evenly until it is everything at so many quarters of the limit. What
/// is offered in excess so settles in between, and does not swing from all to nothing.
const ALL_REFUSED_QUARTERS: u32 = 5;
/// Shortest and longest time to stay away where a queue is long. It may be half as much again, so that not all come back at
/// one moment.
const AWAY_QUEUE: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(300)];
/// The same where routers are behind.
const AWAY_LAG: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// What one lane may have before it until messages are refused.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// How long a message may have to wait for its carrier.
    wait: Duration,
    /// How far routers may be behind.
    lag: Duration,
}

/// By lane, in the order of [`Lane::ALL`]: campaigns are refused first and passwords last.
const LIMITS: [Limits; Lane::ALL.len()] = [
    Limits {
        wait: Duration::from_secs(30 * 60),
        lag: Duration::from_secs(45),
    },
    Limits {
        wait: Duration::from_secs(20 * 60),
        lag: Duration::from_secs(15),
    },
    Limits {
        wait: Duration::from_secs(10 * 60),
        lag: Duration::from_secs(5),
    },
];
const _: () = {
    let (urgent, normal, bulk) = (LIMITS[0], LIMITS[1], LIMITS[2]);
    assert!(bulk.wait.as_secs() < normal.wait.as_secs() && normal.wait.as_secs() < urgent.wait.as_secs());
    assert!(bulk.lag.as_secs() < normal.lag.as_secs() && normal.lag.as_secs() < urgent.lag.as_secs());
    assert!(WAIT_SAID_MIN.as_secs() < bulk.wait.as_secs() && LAG_SAID_MIN.as_secs() < bulk.lag.as_secs());
};

/// What is busy, so that a message is refused for now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// What it is.
    pub what: BusyWhat,
    /// The lane that is refused.
    pub lane: Lane,
    /// How long the message would wait, or how far routers are behind.
    pub wait: Duration,
    /// The limit of that in this lane.
    pub limit: Duration,
    /// How long to stay away.
    pub retry_after: Duration,
}

/// What can be busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusyWhat {
    /// Routers are behind with all that was accepted.
    Routers,
    /// The carriers of numbers that begin like this.
    Destination(Head),
}

/// What was heard of all routers. Clones share it.
#[derive(Clone, Default)]
pub struct Pressure(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// The last word of each router.
    words: Mutex<BTreeMap<String, Word>>,
    sum: ArcSwap<Sum>,
    log: log_clock::LogClock,
}

struct Word {
    said: Said,
    fresh_until: UnixMs,
}

/// What all words come to, where it is over a limit.
#[derive(Debug, Default)]
struct Sum {
    fresh_until: UnixMs,
    /// The worst lag of each lane: nobody knows which router gets a message. Absent = within the limit.
    lags: [Option<Duration>; Lane::ALL.len()],
    /// The worst wait of each head and account, `None` = of every account: every router sees a part of the messages, and who names a head saw enough of it, while
    /// the silence of another may mean that it saw none.
    heads: BTreeMap<(Lane, Head, Option<AccountId>), Duration>,
}

/// Judges the messages of one frame. Costs nothing while nothing is busy.
pub(crate) struct Judge(Option<Arc<Sum>>);

impl Pressure {
    /// Takes what connectors and routers said, heard at `now`.
    fn learn(&self, records: &[Stored], now: UnixMs) {
        self.learn_time(records);
        let mut words = self.0.words.lock().unwrap_or_else(PoisonError::into_inner);
        words.retain(|_, word| now < word.fresh_until);
        for stored in records {
            // What is not understood is of another version, and whatever it says no reason to refuse anybody.
            if let Ok(CarrierWord::Router(report)) = record::carrier_word_from_bytes(&stored.value) {
                let (router, said) = (report.ejections.router, report.pressure);
                let is_known = words.contains_key(&router);
                if said.is_none() || (!is_known && words.len() >= ROUTERS_MAX) {
                    words.remove(&router);
                } else {
                    let fresh_until = now + FRESH;
                    words.insert(router, Word { said, fresh_until });
                }
            }
        }
        self.0.sum.store(Arc::new(Sum::of(words.values())));
    }

    /// Takes the instant at which the last of `records` was stored, heard now.
    fn learn_time(&self, records: &[Stored]) {
        if let Some(last) = records.last() {
            self.0.log.heard(UnixMs(last.stored_at_ms));
        }
    }

    /// Judges messages that come at `now`.
    pub(crate) fn judge(&self, now: UnixMs) -> Judge {
        let sum = self.0.sum.load();
        Judge((sum.is_any() && now < sum.fresh_until).then(|| Arc::clone(&sum)))
    }
}

impl Sum {
    fn of<'a>(words: impl Iterator<Item = &'a Word>) -> Self {
        let mut sum = Self::default();
        for Word { said, fresh_until } in words {
            sum.fresh_until = sum.fresh_until.max(*fresh_until);
            for (lane, lag) in said.lags.iter().enumerate() {
                if *lag > LIMITS[lane].lag {
                    sum.lags[lane] = sum.lags[lane].max(Some(*lag));
                }
            }
            for one in &said.congested {
                if one.wait > LIMITS[one.lane as usize].wait {
                    let worst = sum.heads.entry((one.lane, one.head, one.account.clone())).or_default();
                    *worst = one.wait.max(*worst);
                }
            }
        }
        sum
    }

    fn is_any(&self) -> bool {
        !self.heads.is_empty() || self.lags.iter().any(Option::is_some)
    }
}

impl Judge {
    /// Why a message of `account` in `lane` to `to` is refused for now; `None` = it is not. Of what is busy up to a quarter over its limit
    /// a share is refused, by `dice`.
    pub(crate) fn refuse(&self, account: &AccountId, lane: Lane, to: &Msisdn, dice: &Dice) -> Option<Busy> {
        let sum = self.0.as_ref()?;
        let limits = LIMITS[lane as usize];
        let head = Head::of(to);
        let lag = sum.lags[lane as usize].map(|lag| (BusyWhat::Routers, lag, limits.lag));
        let own = sum.heads.get(&(lane, head, Some(account.clone())));
        let queue = own.max(sum.heads.get(&(lane, head, None)));
        let queue = queue.map(|wait| (BusyWhat::Destination(head), *wait, limits.wait));
        let shares = [lag, queue].into_iter().flatten();
        let shares = shares.map(|(what, wait, limit)| (share(wait, limit), what, wait, limit));
        let (share, what, wait, limit) = shares.max_by(|one, other| one.0.total_cmp(&other.0))?;
        if dice.fraction() >= share {
            return None;
        }
        // What is over the limit is worked off in as much time, once nothing is added.
        let [least, most] = match what {
            BusyWhat::Routers => AWAY_LAG,
            BusyWhat::Destination(_) => AWAY_QUEUE,
        };
        let away = wait.saturating_sub(limit).clamp(least, most);
        Some(Busy {
            what,
            lane,
            wait,
            limit,
            retry_after: away + away.mul_f64(dice.fraction() / 2.0),
        })
    }
}

/// The share that is refused, from 0 at the limit to 1.
fn share(wait: Duration, limit: Duration) -> f64 {
    let span = limit * (ALL_REFUSED_QUARTERS - 4) / 4;
    (wait.saturating_sub(limit).as_secs_f64() / span.as_secs_f64()).min(1.0)
}

#[cfg(test)]
mod tests;
