//! The shell of every service: clock, dice, tasks and stop; configuration, telemetry, health and drain.
//!
//! Time, randomness and spawning reach the code only through this crate, so that a run of the whole pipeline under
//! virtual time replays from its seed.

mod clock;
mod dice;
mod deps;
mod stop;
mod tasks;
pub mod time;

pub use clock::Clock;
pub use deps::Deps;
pub use dice::Dice;
pub use stop::{Stop, StopHandle};
pub use tasks::Tasks;
