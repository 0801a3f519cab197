//! Load for a Signalbox and the world around it: [`world`] makes recipients, texts and routing tables, [`submit`] sends
//! messages in open loop, [`smsc`] plays the carriers that take them, and [`decide`] measures the routing table by itself.

pub mod decide;
pub mod smsc;
pub mod submit;
pub mod world;
