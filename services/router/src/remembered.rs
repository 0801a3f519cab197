//! States this router wrote a moment ago, so that the receipt of a message finds its state without asking the store.
//!
//! What is remembered may have been overtaken by another router: it is a guess, and the swap that follows it is what
//! decides. A guess that was wrong costs the call to the store that it was meant to save.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use sms::MessageId;
use store::Versioned;

/// Octets of states remembered, with what it takes to find them; the oldest are forgotten beyond it.
const OCTETS_MAX: usize = 24 * 1024 * 1024;
/// What an entry takes beside the octets of its state.
const ENTRY_OCTETS: usize = 160;

/// States by message.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// What stands here was written under this epoch.
    epoch: u64,
    states: HashMap<MessageId, Entry>,
    /// Oldest first; of a message that was taken or written again only the youngest number counts.
    order: VecDeque<(u64, MessageId)>,
    number_next: u64,
    octets: usize,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    version: u64,
    octets: Bytes,
}

impl Remembered {
    /// Remembers what was written of `message`, as `octets` under `version`, in the epoch numbered `epoch`.
    pub(crate) fn put(&self, epoch: u64, message: MessageId, version: u64, octets: Bytes) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.enter(epoch);
        entries.take(message);
        let number = entries.number_next;
        entries.number_next += 1;
        entries.octets += octets.len() + ENTRY_OCTETS;
        entries.order.push_back((number, message));
        let entry = Entry {
            number,
            version,
            octets,
        };
        entries.states.insert(message, entry);
        while entries.octets > OCTETS_MAX {
            entries.forget_oldest();
        }
        entries.tidy();
    }

    /// What was written last of each of `messages`, and forgets it: whoever takes it writes it again or lets it go.
    pub(crate) fn take(&self, epoch: u64, messages: impl Iterator<Item = MessageId>) -> Vec<Option<Versioned>> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.enter(epoch);
        messages.map(|message| entries.take(message)).collect()
    }
}

impl Entries {
    /// What a store held that is lost says nothing about the one that was rebuilt.
    fn enter(&mut self, epoch: u64) {
        if self.epoch != epoch {
            *self = Self {
                epoch,
                ..Self::default()
            };
        }
    }

    fn take(&mut self, message: MessageId) -> Option<Versioned> {
        let Entry { version, octets, .. } = self.states.remove(&message)?;
        self.octets -= octets.len() + ENTRY_OCTETS;
        Some(Versioned { value: octets, version })
    }

    fn forget_oldest(&mut self) {
        let Some((number, message)) = self.order.pop_front() else {
            return;
        };
        if self.states.get(&message).is_some_and(|entry| entry.number == number) {
            self.take(message);
        }
    }

    /// Drops numbers that count no more, once they outnumber the others.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.states.len() + 1_000 {
            let states = &self.states;
            self.order
                .retain(|(number, message)| states.get(message).is_some_and(|entry| entry.number == *number));
        }
    }
}

#[cfg(test)]
mod tests;
