//! The life of one message: its rules one by one, and what holds over any order of events.

mod life;
mod properties;
mod recalls;
mod rules;
