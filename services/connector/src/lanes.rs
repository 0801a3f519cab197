//! What was fetched and is not claimed yet, in three lanes that share a link 16:4:1.

use std::collections::VecDeque;

use sms::Lane;

/// Parts that each lane may send in a round, most urgent first. A lane with nothing to send gives its turns away; bulk
/// keeps a twenty-first of a link whatever else there is to send.
const TURNS: [i64; 3] = [16, 4, 1];

/// Three queues, served by deficit round robin over the parts of what they hold.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    queues: [VecDeque<(u32, T)>; 3],
    /// Parts each lane may still send in this round; below zero where a long message took more.
    turns: [i64; 3],
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            queues: [VecDeque::new(), VecDeque::new(), VecDeque::new()],
            turns: [0; 3],
        }
    }
}

impl<T> Lanes<T> {
    /// Appends `item`, of so many `parts`, to a lane.
    pub(crate) fn push(&mut self, lane: Lane, parts: u32, item: T) {
        self.queues[lane as usize].push_back((parts, item));
    }

    /// The next item by turns.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        loop {
            let next = (0..3).find(|lane| self.turns[*lane] > 0 && !self.queues[*lane].is_empty());
            if let Some(lane) = next {
                let (parts, item) = self.queues[lane].pop_front()?;
                self.turns[lane] -= i64::from(parts.max(1));
                return Some(item);
            }
            for (lane, turns) in self.turns.iter_mut().enumerate() {
                *turns = if self.queues[lane].is_empty() {
                    0
                } else {
                    *turns + TURNS[lane]
                };
            }
        }
    }

    /// The next urgent item. It costs no turn: it goes on what is reserved for urgent ones.
    pub(crate) fn pop_urgent(&mut self) -> Option<T> {
        self.queues[Lane::Urgent as usize].pop_front().map(|(_, item)| item)
    }

    /// Whether an urgent item waits.
    pub(crate) fn has_urgent(&self) -> bool {
        !self.queues[Lane::Urgent as usize].is_empty()
    }

    /// Whether nothing waits but bulk.
    pub(crate) fn is_all_bulk(&self) -> bool {
        let others = [Lane::Urgent, Lane::Normal];
        others.iter().all(|lane| self.queues[*lane as usize].is_empty())
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.iter().all(VecDeque::is_empty)
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.queues.iter_mut().for_each(VecDeque::clear);
    }
}

#[cfg(test)]
mod tests;
