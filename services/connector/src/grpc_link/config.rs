//! How one gRPC link connects.

use std::{ops::RangeInclusive, time::Duration};

use source::Secret;

use crate::{
    TlsConfig,
    inbound::{InboundRules, RULES_DEFAULT},
};

/// Everything a gRPC link has beside what every link has. Shows no secret in Debug.
#[derive(Clone, Debug, PartialEq)]
pub struct GrpcConfig {
    /// `https://host:port`, or `http://host:port` in plain text.
    pub url: String,
    /// Shown as a bearer; absent = the carrier knows us otherwise.
    pub key: Option<Secret>,
    /// Whom the link trusts and who it says that it is, over `https`; absent = the authorities of this machine, and no
    /// certificate of ours.
    pub tls: Option<TlsConfig>,
    /// Silence on `Submit` after which the carrier is asked for a sign of life.
    pub keep_alive: Duration,
    /// Shortest and longest ceiling of the wait before connecting again.
    pub reconnect: RangeInclusive<Duration>,
    /// Wait after the key or the account was refused.
    pub credentials_pause: Duration,
    /// How messages from handsets are gathered.
    pub inbound: InboundRules,
}

impl GrpcConfig {
    /// A link to the carrier at `url` with the defaults.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            key: None,
            tls: None,
            keep_alive: Duration::from_secs(15),
            reconnect: Duration::from_secs(1)..=Duration::from_secs(60),
            credentials_pause: Duration::from_secs(300),
            inbound: RULES_DEFAULT,
        }
    }
}
