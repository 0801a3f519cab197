//! The router on log and store in memory, under virtual time, with a connector that says what the test says.

mod acts;
mod breakers;
mod clocks;
mod crashes;
mod damage;
mod figures;
mod live;
mod lookups;
mod pressure;
mod random;
mod reach;
mod rebuilds;
mod routes;
mod slow;
mod timers;
mod traces;
mod waits;
mod world;
