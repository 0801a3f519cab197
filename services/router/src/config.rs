//! What can be set about a router.

use std::{net::SocketAddr, time::Duration};

use signalbox_proto::{server::Tls, topics};

use crate::{LookUps, Tables};

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
    /// Who is asked which network serves a number; absent = nobody, and the table alone says.
    pub lookups: Option<LookUps>,
    /// Tables that are published on the log; absent = the table comes from elsewhere, and `TableService` takes none.
    pub tables: Option<Tables>,
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
            lookups: None,
            tables: None,
        }
    }
}
