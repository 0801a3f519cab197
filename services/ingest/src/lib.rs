//! Takes messages from customers and hands back what became of them.
//!
//! A message is answered OK only once it is durable on the bus, so it will end in exactly one terminal state. Everything
//! that waits here is bounded: messages in flight per account, frames in flight per stream, octets per request. What would wait
//! behind it for too long is refused, campaigns first.

mod account;
mod called;
mod config;
mod draft;
mod epoch;
mod grpc;
mod idempotency;
mod intake;
mod limit;
mod metrics;
mod pressure;
mod record_key;
mod refusal;
mod server;

pub use account::{Account, Accounts, Directory};
pub use config::Config;
pub use draft::{Draft, IDEMPOTENCY_KEY_OCTETS_MAX, REFERENCE_OCTETS_MAX, TTL_MAX, TTL_MIN, Violation};
pub use epoch::keep_epoch;
pub use grpc::{FRAME_MESSAGES_MAX, FRAMES_IN_FLIGHT_MAX, REQUEST_OCTETS_MAX, WATCHES_MAX};
pub use intake::{Accepted, Answer, Intake, Submitted};
pub use limit::{Limit, Permits};
pub use metrics::describe;
pub use pressure::{BEHIND_MAX, Busy, BusyWhat, Pressure, hear_first, keep_pressure};
pub use record_key::{KeySecret, KeySecretError};
pub use refusal::Refusal;
pub use server::{Error, Server};
pub use signalbox_proto::server::Tls;

/// Serves until `stop` is asked for, then drains.
///
/// # Errors
/// It could not start (nothing was taken), it failed while serving, or calls were cut off at the drain limit.
pub async fn run(config: Config, deps: service::Deps, stop: service::Stop) -> Result<(), Error> {
    Server::bind(config, deps).await?.serve(stop).await
}
