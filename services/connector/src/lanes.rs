//! What was fetched and is not claimed yet, in three lanes that share a link 16:4:1.

use std::collections::VecDeque;

use sms::Lane;

/// Turns of each lane in a round, most urgent first. A lane with nothing to send gives its turns away.
const TURNS: [u32; 3] = [16, 4, 1];

/// Three queues, served by deficit round robin.
#[derive(Debug)]
pub(crate) struct Lanes<T> {
    queues: [VecDeque<T>; 3],
    turns: [u32; 3],
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self {
            queues: [VecDeque::new(), VecDeque::new(), VecDeque::new()],
            turns: TURNS,
        }
    }
}

impl<T> Lanes<T> {
    /// Appends to a lane.
    pub(crate) fn push(&mut self, lane: Lane, item: T) {
        self.queues[index(lane)].push_back(item);
    }

    /// The next item by turns.
    pub(crate) fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        loop {
            let next = (0..3).find(|lane| self.turns[*lane] > 0 && !self.queues[*lane].is_empty());
            match next {
                Some(lane) => {
                    self.turns[lane] -= 1;
                    return self.queues[lane].pop_front();
                }
                None => self.turns = TURNS,
            }
        }
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

fn index(lane: Lane) -> usize {
    match lane {
        Lane::Urgent => 0,
        Lane::Normal => 1,
        Lane::Bulk => 2,
    }
}

#[cfg(test)]
mod tests;
