//! What the customer knows of each message, some octets for each.

use service::time::Instant;
use signalbox_proto::pb::signalbox::ingest::v1::MessageState;
use sms::{MessageId, UnixUs};

use super::pace::Pace;

/// One message, by its place in the sequence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Entry {
    /// The id it got; `None` = it was not answered OK.
    pub(super) id: Option<MessageId>,
    /// How it ended, as the customer was told; `None` = not at all.
    pub(super) end: Option<MessageState>,
    /// How often it was submitted.
    pub(super) submitted: u16,
    /// Whether it was refused for good.
    pub(super) refused: bool,
}

/// Every message, in order, and when each was due.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) entries: Vec<Entry>,
    /// When the first one was due, by both clocks.
    pub(super) start: Instant,
    pub(super) start_at: UnixUs,
    pub(super) pace: Pace,
    /// Messages that were answered OK and have not ended.
    pub(super) open: usize,
    /// Ids given to a message that had another one.
    pub(super) twins: u64,
}

impl Ledger {
    pub(super) fn new(start: Instant, start_at: UnixUs, pace: Pace) -> Self {
        Self {
            entries: Vec::new(),
            start,
            start_at,
            pace,
            open: 0,
            twins: 0,
        }
    }

    /// When the message at `place` was due.
    pub(super) fn due(&self, place: usize) -> UnixUs {
        UnixUs(self.start_at.0 + self.pace.due(place).as_micros() as u64)
    }

    /// Messages due by `now`.
    pub(super) fn due_by(&self, now: Instant) -> usize {
        self.pace.due_within(now.saturating_duration_since(self.start))
    }

    /// The message at `place` was answered OK.
    pub(super) fn accept(&mut self, place: usize, id: MessageId) {
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
    pub(super) fn end(&mut self, place: usize, state: MessageState) {
        let Some(entry) = self.entries.get_mut(place) else {
            return;
        };
        if entry.end.is_none() {
            entry.end = Some(state);
            self.open -= usize::from(entry.id.is_some());
        }
    }
}
