//! What the customer knows of each message, some octets for each.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use service::time::Instant;
use signalbox_proto::pb::signalbox::ingest::v1::MessageState;
use sms::{MessageId, UnixUs};

use super::Timetable;

/// One message, by its place in the sequence.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entry {
    /// The id it got; `None` = it was not answered OK.
    pub(crate) id: Option<MessageId>,
    /// How it ended, as the customer was told; `None` = not at all.
    pub(crate) end: Option<MessageState>,
    /// When that was, from the start.
    pub(crate) told: Duration,
    /// How often it was submitted.
    pub(crate) submitted: u16,
    /// Whether it was refused for good.
    pub(crate) refused: bool,
}

/// Every message, in order, and when each was due.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) entries: Vec<Entry>,
    /// When the first one was due, by both clocks.
    pub(crate) start: Instant,
    pub(crate) start_at: UnixUs,
    timetable: Arc<dyn Timetable>,
    /// Messages that were answered OK and have not ended.
    pub(crate) open: usize,
    /// Ids given to a message that had another one.
    pub(crate) twins: u64,
}

impl Ledger {
    pub(crate) fn new(start: Instant, start_at: UnixUs, timetable: Arc<dyn Timetable>) -> Self {
        Self {
            entries: Vec::new(),
            start,
            start_at,
            timetable,
            open: 0,
            twins: 0,
        }
    }

    /// All of `shared`, which is empty then.
    pub(crate) fn taken(shared: &Mutex<Self>) -> Self {
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        let empty = Self::new(shared.start, UnixUs(0), Arc::clone(&shared.timetable));
        mem::replace(&mut shared, empty)
    }

    /// When the message at `place` was due.
    pub(crate) fn due(&self, place: usize) -> UnixUs {
        UnixUs(self.start_at.0 + self.timetable.due(place).as_micros() as u64)
    }

    /// Messages due by `now`.
    pub(crate) fn due_by(&self, now: Instant) -> usize {
        self.timetable.due_within(now.saturating_duration_since(self.start))
    }

    /// The message at `place` was answered OK.
    pub(crate) fn accept(&mut self, place: usize, id: MessageId) {
        let entry = &mut self.entries[place];
        match entry.id {
            Some(known) => self.twins += u64::from(known != id),
            None => {
                entry.id = Some(id);
                // A receipt may overtake the answer.
                self.open += usize::from(entry.end.is_none());
            }
        }
    }

    /// The message at `place` ended.
    pub(crate) fn end(&mut self, place: usize, state: MessageState) {
        let Some(entry) = self.entries.get_mut(place) else {
            return;
        };
        if entry.end.is_none() {
            entry.end = Some(state);
            entry.told = self.start.elapsed();
            self.open -= usize::from(entry.id.is_some());
        }
    }
}
