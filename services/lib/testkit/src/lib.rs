//! What the tests of the whole tree share: the pipeline simulated in one process from a seed, and the oracle that judges
//! what it did.
//!
//! [`simulate`] runs ingest, routers, connectors and carriers on a log and a store in memory, under virtual time, with
//! faults; a seed fixes all of it, so that a run that fails is run again as it was. [`oracle::judge`] holds what came of
//! it, the [`Evidence`], against what the customers were promised.

mod budget;
mod customer;
mod drafts;
mod evidence;
mod faults;
mod fleet;
mod fuse;
#[cfg(test)]
mod handback;
mod life;
mod many;
mod neighbour;
mod numbers;
pub mod oracle;
mod planted;
mod report;
mod scenario;
mod simulate;
mod steps;
mod tables;
mod tally;
mod troubles;
mod unsteady;
mod watch;

pub use budget::Budget;
pub use customer::Promise;
pub use evidence::{End, Evidence};
pub use faults::{Fault, Repeated, Role, Spoiled};
pub use many::{run_all, simulate_all};
pub use neighbour::Upgrade;
pub use planted::Bug;
pub use report::{Finding, Report};
pub use scenario::{Links, Scenario};
pub use simulate::{budget, evidence, run, simulate};
pub use steps::Step;
pub use troubles::Trouble;
