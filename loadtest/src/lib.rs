//! Load for a Signalbox and the world around it: [`world`] makes recipients, texts and routing tables, and [`submit`]
//! sends messages in open loop.

pub mod smsc;
pub mod submit;
pub mod world;
