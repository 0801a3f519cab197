//! How far the router is behind in each lane, by the oldest accepted message that it read and did not finish.
//!
//! How long a message waited to be read counts only where more of them wait than are read next. Else the router has caught up,
//! and what seems old was stored by a clock that is behind, or while no router ran. And it counts for no longer than this router
//! can have been behind, once it had caught up: the log's clock may be behind while there is much to read.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bus::Batch;
use service::time::{self, Instant};
use sms::{Lane, UnixMs};

use crate::desk::Desk;

/// Of an idle lane.
const NONE: u64 = u64::MAX;

/// The lag of each lane, in the order of [`Lane::ALL`]. The loops write it, once for each batch, and never wait.
#[derive(Debug)]
pub(crate) struct Lags([Lag; Lane::ALL.len()]);

#[derive(Debug)]
struct Lag {
    /// Since when the oldest record that is held waits, by our clock.
    oldest: AtomicU64,
    /// Age of the oldest record read since it was looked last, in milliseconds: what is read and done between two looks
    /// waited all the same.
    read_ms: AtomicU64,
}

/// What one loop holds: the batches it read and did not finish, each with the instant since when it waits.
#[derive(Debug)]
pub(crate) struct Held {
    /// `None` = nobody wants to know.
    lane: Option<Lane>,
    batches: VecDeque<UnixMs>,
    /// When no more was unread than is read next; absent = it was not seen so yet.
    caught_up_at: Option<Instant>,
    /// Whether that is so as far as is known.
    is_caught_up: bool,
}

impl Default for Lags {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Lag {
            oldest: AtomicU64::new(NONE),
            read_ms: AtomicU64::new(0),
        }))
    }
}

impl Lags {
    /// How far each lane is behind at `now`, or was since this was asked last.
    pub(super) fn take(&self, now: UnixMs) -> [Duration; Lane::ALL.len()] {
        std::array::from_fn(|lane| {
            let Lag { oldest, read_ms } = &self.0[lane];
            let read = Duration::from_millis(read_ms.swap(0, Ordering::Relaxed));
            match oldest.load(Ordering::Relaxed) {
                NONE => read,
                oldest => now.since(UnixMs(oldest)).max(read),
            }
        })
    }
}

impl Held {
    /// Nothing as yet, in `lane`.
    pub(crate) fn new(lane: Option<Lane>) -> Self {
        Self {
            lane,
            batches: VecDeque::new(),
            caught_up_at: None,
            is_caught_up: false,
        }
    }

    /// Notes that `read` was read, and that so many records are `unread`.
    pub(crate) fn begin(&mut self, desk: &Arc<Desk>, read: &[Batch], unread: u64) {
        let Some(lane) = self.lane else { return };
        let now = desk.now();
        let records = read.iter().flat_map(|batch| &batch.records);
        let stored_at = records.map(|stored| stored.stored_at_ms).min();
        let is_behind = unread > desk.config.batch_records_max as u64;
        let age = stored_at
            .filter(|_| is_behind)
            .map_or(Duration::ZERO, |at| now.since(UnixMs(at)));
        let age = age.min(self.behind_for(is_behind));
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        let waits_since = UnixMs(now.0.saturating_sub(age_ms));
        self.batches.push_back(waits_since);
        desk.gauge.lags.0[lane as usize]
            .read_ms
            .fetch_max(age_ms, Ordering::Relaxed);
        self.show(desk, lane);
    }

    /// For how long it can have been behind at most, by no clock that may be wrong. Who has caught up, and whose loop has
    /// nothing in hand, has been waiting for what comes now.
    fn behind_for(&mut self, is_behind: bool) -> Duration {
        let now = time::now();
        if !is_behind || (self.is_caught_up && self.batches.is_empty()) {
            self.caught_up_at = Some(now);
        }
        self.is_caught_up = !is_behind;
        self.caught_up_at.map_or(Duration::MAX, |at| now.duration_since(at))
    }

    /// Notes that the batch read first is done.
    pub(crate) fn end(&mut self, desk: &Arc<Desk>) {
        let Some(lane) = self.lane else { return };
        self.batches.pop_front();
        self.show(desk, lane);
    }

    fn show(&self, desk: &Desk, lane: Lane) {
        // Partitions take turns, so that what was read later may be older.
        let oldest = self.batches.iter().min().map_or(NONE, |oldest| oldest.0);
        desk.gauge.lags.0[lane as usize].oldest.store(oldest, Ordering::Relaxed);
    }
}
