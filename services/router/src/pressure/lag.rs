//! How far the router is behind in each lane, by the oldest accepted message that it read and did not finish.
//!
//! How long a message waited to be read counts only where more of them wait than are read next. Else the router has caught up,
//! and what seems old was stored by a clock that is behind, or while no router ran.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bus::Batch;
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
        }
    }

    /// Notes that `read` was read, and that so many records are `unread`.
    pub(crate) fn begin(&mut self, desk: &Arc<Desk>, read: &[Batch], unread: u64) {
        let Some(lane) = self.lane else { return };
        let now = desk.now();
        let records = read.iter().flat_map(|batch| &batch.records);
        let stored_at = records.map(|stored| stored.stored_at_ms).min();
        let is_behind = unread > desk.config.batch_records_max as u64;
        let waits_since = stored_at.filter(|_| is_behind).map_or(now, UnixMs).min(now);
        let age_ms = now.0 - waits_since.0;
        self.batches.push_back(waits_since);
        desk.gauge.lags.0[lane as usize]
            .read_ms
            .fetch_max(age_ms, Ordering::Relaxed);
        self.show(desk, lane);
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
