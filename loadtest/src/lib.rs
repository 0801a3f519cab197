//! Load for a Signalbox and the world around it: [`world`] makes recipients, texts and routing tables, [`submit`] sends
//! messages in open loop, [`smsc`] plays the carriers that take them, [`decide`] measures the routing table by itself,
//! [`lookup`] measures look-ups, [`link`] SMPP by itself, [`capacity`] what a message costs, [`simulate`] runs the pipeline under faults
//! in virtual time, [`chaos`] breaks real processes on a [`stage`], and [`relay`] is the floor under all of it, which
//! [`bench`](mod@bench) holds the numbers to reach against; [`compare`] tells two of its results apart.

pub mod bench;
pub mod capacity;
pub mod chaos;
pub mod compare;
mod customer;
pub mod decide;
mod hops;
mod interrupt;
pub mod link;
pub mod lookup;
pub mod machine;
mod oracle;
mod page;
mod plots;
mod printed;
mod rate;
pub mod relay;
mod row;
pub mod scenario;
mod setting;
pub mod simulate;
pub mod smsc;
pub mod spread;
pub mod stage;
pub mod submit;
pub mod usage;
mod watch;
pub mod world;
