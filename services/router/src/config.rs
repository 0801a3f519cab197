//! What can be set about a router.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use signalbox_proto::topics;

/// Settings of the router.
#[derive(Clone, Debug)]
pub struct Config {
    /// Partitions of topics it creates. Equal in every service of one installation.
    pub partitions: u32,
    /// Most records taken from the log at once.
    pub batch_records_max: usize,
    /// How often timers are looked at.
    pub due_scan: Duration,
    /// How long a carrier that handed an order back for want of a link is asked only if nobody else is left.
    pub link_down_hint: Duration,
    /// Where `RoutingService` answers; port 0 lets the system choose. Absent = nowhere.
    pub grpc: Option<SocketAddr>,
    /// Certificate and key of that server; absent = plain text.
    pub tls: Option<Tls>,
}

/// PEM files of a server's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The certificate, followed by those of its issuers.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Callers must show a certificate of this authority; absent = they show none.
    pub client_ca: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            partitions: topics::PARTITIONS_DEFAULT,
            batch_records_max: 500,
            due_scan: Duration::from_millis(250),
            link_down_hint: Duration::from_secs(2),
            grpc: None,
            tls: None,
        }
    }
}
