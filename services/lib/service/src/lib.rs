//! The shell of every service: clock, dice, tasks and stop; configuration, telemetry, health and drain.
//!
//! Time, randomness and spawning reach the code only through this crate, so that a run of the whole pipeline under
//! virtual time replays from its seed.

mod clock;
mod deps;
mod dice;
mod log_time;
mod readiness;
mod seldom;
mod signals;
mod stop;
mod tasks;
pub mod telemetry;
pub mod time;
pub mod trace;
pub mod watch;

pub use clock::{Clock, watch_clock};
pub use deps::Deps;
pub use dice::Dice;
pub use log_time::LogTime;
pub use readiness::Readiness;
pub use seldom::Seldom;
pub use signals::{EXIT_UNDRAINED, stop_on_signals};
pub use stop::{Stop, StopHandle};
pub use tasks::{Tasks, resume_panic};
pub use trace::Tracer;
