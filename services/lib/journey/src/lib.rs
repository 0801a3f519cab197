//! The life of one message as a pure function: `fold(state, event, now) -> (state, actions)`.
//!
//! No async, no I/O, no clock. Events may come twice and in any order; the state they lead to is the same, and a message
//! ends exactly once.

mod attempt;
mod carrier;
mod ending;
mod fold;
mod join;
mod network_origin;
mod order;
mod outcome;
mod pressure;
mod recall;
mod record;
mod settle;
mod standing;
mod state;

pub use attempt::{Answer, Attempt, Charge};
pub use carrier::{Binds, CarrierReport, CarrierWord, Ejection, Ejections, LaneLoad, LinkState, RouterReport};
pub use fold::{ATTEMPTS_KEPT_MAX, Actions, CODE_DEADLINE, CODE_TAKEN_BACK, DeadEnd, Input, Known, Next, fold};
pub use network_origin::NetworkOrigin;
pub use order::{Mask, OnUnknown, Order, OrderNumber, OrderRef, Price, Terms};
pub use outcome::{Cause, Outcome};
pub use pressure::{CONGESTED_MAX, Congestion, Head, LAG_SAID_MIN, Pressure, WAIT_SAID_MIN};
pub use recall::{Fact, recall};
pub use record::{Correlation, Delayed, OrderAnswer, ReceiptRecord, SegmentReceipt, Unmatched, Waiting};
pub use state::{Asked, Body, EndState, Event, LateReceipt, Progress, State, TerminalEvent};

#[cfg(test)]
mod tests;
