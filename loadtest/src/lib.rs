//! Load for a Signalbox and the world around it: [`world`] makes recipients, texts and routing tables.

pub mod world;
