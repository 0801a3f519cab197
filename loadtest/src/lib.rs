//! Load for a Signalbox and the world around it: [`world`] makes recipients, texts and routing tables, [`submit`] sends
//! messages in open loop, and [`smsc`] plays the carriers that take them.

pub mod smsc;
pub mod submit;
pub mod world;
