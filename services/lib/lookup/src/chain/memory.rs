//! What this process remembers of numbers: as many as it was given room for, and never more.
//!
//! Numbers lie in sets of a few, by a hash with a key of this process; the hash stands for the number. Reading locks nothing and is
//! a few loads. A slot is three words that are written one after another: the first is the hash combined with the other two, so
//! a slot that is read while it is written matches nobody's hash, and what was written by two at once is a slot of nobody. Where as
//! many numbers come as there are slots a seventh of them find their set full and another makes room; of half as many, one in 120.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};

use super::entry::{Age, Entry, Seconds};

/// Slots of a set.
const SLOTS: usize = 8;
/// Words of a slot.
const WORDS: usize = 3;

/// Hash of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mark(pub(super) u64);

#[derive(Debug)]
pub(super) struct Memory {
    sets: Box<[Set]>,
    /// For each set, a bit for each slot that was read since the last one made room.
    read: Box<[AtomicU8]>,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Set([[AtomicU64; WORDS]; SLOTS]);

const _: () = assert!(size_of::<Set>() == SLOTS * WORDS * 8, "no room is lost between sets");
const _: () = assert!(SLOTS <= u8::BITS as usize, "a bit for each slot");

impl Memory {
    /// Room for `numbers`, or somewhat more.
    pub(super) fn new(numbers: usize) -> Self {
        let sets = numbers.div_ceil(SLOTS).next_power_of_two();
        Self {
            sets: (0..sets).map(|_| Set::default()).collect(),
            read: (0..sets).map(|_| AtomicU8::default()).collect(),
        }
    }

    /// What is remembered, with its age; gone is as good as never there.
    pub(super) fn get(&self, mark: Mark, now: Seconds) -> Option<(Entry, Age)> {
        let at = self.at(mark);
        let (slot, words) = self.find(at, mark)?;
        let entry = Entry::unpack(words);
        let age = entry.age(now);
        if age == Age::Gone {
            return None;
        }
        let bit = 1 << slot;
        if self.read[at].load(Relaxed) & bit == 0 {
            self.read[at].fetch_or(bit, Relaxed);
        }
        Some((entry, age))
    }

    /// Remembers `entry`, in place of what is there or of what can be spared.
    pub(super) fn put(&self, mark: Mark, entry: &Entry, now: Seconds) {
        let at = self.at(mark);
        let slot = match self.find(at, mark) {
            Some((slot, _)) => slot,
            None => self.spare(at, now),
        };
        self.write(at, slot, mark, entry.pack());
    }

    /// Forgets what is remembered.
    pub(super) fn remove(&self, mark: Mark) {
        let at = self.at(mark);
        if let Some((slot, _)) = self.find(at, mark) {
            self.sets[at].0[slot].iter().for_each(|word| word.store(0, Relaxed));
        }
    }

    /// Octets it takes.
    #[cfg(test)]
    pub(super) fn octets(&self) -> usize {
        size_of_val(&*self.sets) + size_of_val(&*self.read)
    }

    const fn at(&self, mark: Mark) -> usize {
        mark.0 as usize & (self.sets.len() - 1)
    }

    fn find(&self, at: usize, mark: Mark) -> Option<(usize, [u64; 2])> {
        self.sets[at].0.iter().enumerate().find_map(|(slot, words)| {
            let [first, flags, times] = words.each_ref().map(|word| word.load(Relaxed));
            let is_it = flags != 0 && first ^ flags ^ times == mark.0;
            is_it.then_some((slot, [flags, times]))
        })
    }

    /// The slot that makes room: an empty one or one that is gone, else the oldest of those not read of late.
    fn spare(&self, at: usize, now: Seconds) -> usize {
        let read = self.read[at].load(Relaxed);
        if read.count_ones() as usize == SLOTS {
            self.read[at].store(0, Relaxed);
        }
        let worth = |slot: &usize| {
            let [_, flags, times] = self.sets[at].0[*slot].each_ref().map(|word| word.load(Relaxed));
            let entry = Entry::unpack([flags, times]);
            if flags == 0 || entry.age(now) == Age::Gone {
                return (false, false, Seconds(0));
            }
            (true, read & 1 << slot != 0, entry.asked_at)
        };
        let slot = (0..SLOTS).min_by_key(worth).expect("a set has slots");
        self.read[at].fetch_and(!(1 << slot), Relaxed);
        slot
    }

    fn write(&self, at: usize, slot: usize, mark: Mark, [flags, times]: [u64; 2]) {
        let words = &self.sets[at].0[slot];
        words[0].store(mark.0 ^ flags ^ times, Relaxed);
        words[1].store(flags, Relaxed);
        words[2].store(times, Relaxed);
    }
}

#[cfg(test)]
mod tests;
