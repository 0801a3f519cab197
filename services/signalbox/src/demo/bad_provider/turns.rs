//! Messages for both routers, in turn: the open loop.

use std::time::Duration;

use router::{BUDGET_DEFAULT, BUDGET_URGENT_DEFAULT};
use service::{time, time::Instant};
use signalbox_loadtest::stage::FRAME_MESSAGES_MAX;

use super::side::Side;

/// How long it is a router's turn: so short that both see the same of a disk whose times wander from second to second. It is not
/// quite a twentieth of a second, so that what a router does once a second meets in twenty seconds as much of its own turns as of
/// the other's.
const TURN: Duration = Duration::from_micros(49_750);
/// What waits for a slow provider goes on when its budget is over: then it must be its own router's turn again, lest the other
/// one's messages feel it and hide what it costs.
const _: () = {
    let (both, late) = (2 * TURN.as_micros(), TURN.as_micros() / 4);
    assert!(BUDGET_URGENT_DEFAULT.as_micros() % both < late && BUDGET_DEFAULT.as_micros() % both < late);
};
const MILLION: usize = 1_000_000;

/// Where a message belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// The slice.
    pub(super) slice: usize,
    /// Every other turn of a router is of one half of what it is sent: 0 or 1.
    pub(super) half: usize,
}

/// The messages of a slice.
pub(super) struct Turns {
    slice: usize,
    /// Whose turn is the first.
    first: usize,
    start: Instant,
    rate: u32,
    messages: usize,
    sent: usize,
}

impl Turns {
    /// `rate` messages a second for `span`, for both together; the first turn is that of the side at `first`.
    pub(super) fn new(slice: usize, first: usize, rate: u32, span: Duration) -> Self {
        Self {
            slice,
            first,
            start: time::now(),
            rate,
            messages: (f64::from(rate) * span.as_secs_f64()) as usize,
            sent: 0,
        }
    }

    /// Whether all is sent.
    pub(super) const fn is_over(&self) -> bool {
        self.sent == self.messages
    }

    /// Hands over what is due by now, to each side what is its.
    pub(super) fn send(&mut self, sides: &mut [Side; 2]) {
        let due = (self.start.elapsed().as_secs_f64() * f64::from(self.rate)) as usize;
        let due = due.min(self.messages);
        while self.sent < due {
            let (turn, end) = self.turn();
            let count = (end.min(due) - self.sent).min(FRAME_MESSAGES_MAX);
            let belongs = Turn {
                slice: self.slice,
                half: turn / 2 % 2,
            };
            if !sides[(turn + self.first) % 2].send(count, belongs) {
                return;
            }
            self.sent += count;
        }
    }

    /// The turn of the next message, and the first message of the turn after it.
    fn turn(&self) -> (usize, usize) {
        // In millionths of a message: all of them count.
        let messages = (self.rate as usize * TURN.as_micros() as usize).max(MILLION);
        let turn = self.sent * MILLION / messages;
        (turn, ((turn + 1) * messages).div_ceil(MILLION))
    }
}
