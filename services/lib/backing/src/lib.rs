//! What the project stands on, for tests, the demonstration and a laptop without a container engine: Apache Kafka and
//! Redis, the real ones, started on free ports of the loopback and ended with whoever started them. For tests of what asks
//! DNS there is Knot too, and for tests of links carriers over SMPP that others wrote, and one over
//! gRPC; for tests of metrics Prometheus.
//!
//! A server is killed when its handle is dropped, and also when the process that holds the handle dies, however it dies.
//! What is missing is said with what to do about it: a test that needs one of them fails where it cannot be had.

mod carrier;
mod fetch;
mod kafka;
mod knot;
mod port;
mod process;
mod prometheus;
mod redis;
mod skip;
mod smpp;
mod tls;
mod wait;

use std::{io, net::TcpStream, sync::OnceLock, time::Duration};

pub use carrier::GrpcCarrier;
pub use fetch::{fetch, home, kafka_version};
pub use kafka::{Kafka, KafkaOptions, KafkaSecurity, KafkaSpeed};
pub use knot::{Knot, KnotZone};
pub use prometheus::Prometheus;
pub use redis::{Redis, RedisOptions, RedisPersistence};
pub use skip::{SKIPPED_FILE, skipped};
pub use smpp::{SmppLibrary, SmppPeer, tshark};
pub use tls::Certificates;

/// One broker in plain text for all tests of this process, started by the first that asks.
///
/// # Panics
/// If it cannot be started; every caller is told why.
pub fn shared_kafka() -> &'static Kafka {
    static SHARED: OnceLock<Result<Kafka, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| Kafka::start(KafkaOptions::default()).map_err(|error| error.to_string()));
    started.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

/// One Redis in plain text that keeps nothing, for all tests of this process, started by the first that asks.
///
/// # Panics
/// If it cannot be started; every caller is told why.
pub fn shared_redis() -> &'static Redis {
    static SHARED: OnceLock<Result<Redis, String>> = OnceLock::new();
    let started = SHARED.get_or_init(|| Redis::start(RedisOptions::default()).map_err(|error| error.to_string()));
    started.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

/// How long servers whose owner died may take to be gone.
const CLOSED_WITHIN: Duration = Duration::from_secs(20);

/// Waits until nobody answers at any of `addresses`, as after the death of who held the servers there.
///
/// # Errors
/// Somebody still does after 20 s.
pub fn wait_closed<'a>(addresses: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
    addresses.into_iter().try_for_each(|address| {
        let what = format!("end of the server at {address}");
        wait::until(&what, CLOSED_WITHIN, || {
            Ok(TcpStream::connect(address).is_err().then_some(()))
        })
    })
}
