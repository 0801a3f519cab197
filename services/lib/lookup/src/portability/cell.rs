//! What was counted of one range, in one word: it changes as a whole, without a lock.

use super::Seen;

/// Most answers that count: beyond it all are halved.
pub const ANSWERS_MAX: u32 = 4_000;

/// Bits of a count.
const BITS: u32 = 12;
const MASK: u64 = (1 << BITS) - 1;
const _: () = assert!(ANSWERS_MAX as u64 <= MASK, "a count fits");
/// Bits of what tells ranges apart.
const TAG_BITS: u32 = 64 - 3 * BITS;

/// From the top: what tells the range from others, answers, ported numbers, dead ones. Zero = no range.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell(pub(super) u64);

impl Cell {
    /// No answers yet.
    pub(super) const fn empty(tag: u32) -> Self {
        Self((tag as u64) << (3 * BITS))
    }

    /// The tag of a range with `hash`; never that of no range.
    pub(super) const fn tag_of(hash: u64) -> u32 {
        (hash & ((1 << TAG_BITS) - 1)) as u32 | 1
    }

    pub(super) const fn tag(self) -> u32 {
        (self.0 >> (3 * BITS)) as u32
    }

    pub(super) const fn answers(self) -> u32 {
        self.count(2)
    }

    pub(super) const fn ported(self) -> u32 {
        self.count(1)
    }

    pub(super) const fn dead(self) -> u32 {
        self.count(0)
    }

    const fn count(self, place: u32) -> u32 {
        (self.0 >> (place * BITS) & MASK) as u32
    }

    /// One answer more.
    pub(super) fn with(self, seen: Seen) -> Self {
        let mut counts = [self.answers(), self.ported(), self.dead()];
        if counts[0] >= ANSWERS_MAX {
            counts = counts.map(|count| count / 2);
        }
        counts[0] += 1;
        match seen {
            Seen::Stayed => {}
            Seen::Ported => counts[1] += 1,
            Seen::Dead => counts[2] += 1,
        }
        let counts = counts.iter().fold(0, |word, count| word << BITS | u64::from(*count));
        Self(Self::empty(self.tag()).0 | counts)
    }
}
