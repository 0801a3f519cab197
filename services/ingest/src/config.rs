//! What the service is told.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use signalbox_proto::server::Tls;

use crate::KeySecret;

/// Configuration of the service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen for gRPC; port 0 lets the system choose.
    pub grpc: SocketAddr,
    /// Certificate and key; absent = plain text.
    pub tls: Option<Tls>,
    /// The accounts file, read again when it changes.
    pub accounts: PathBuf,
    /// Secret of the record keys: the same in every process of one router, for good. With another secret, the messages of
    /// one recipient lose their order once.
    pub key_secret: KeySecret,
    /// Partitions of the topics, should they not exist yet.
    pub partitions: u32,
    /// Time between telling probes that the service goes and refusing calls, so that balancers look elsewhere first.
    pub drain_notice: Duration,
    /// Longest wait for calls in flight after that.
    pub drain_limit: Duration,
}
