//! What a session is told once.

use std::time::Duration;

use crate::pdu::Bind;

/// How long a session waits, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Timers {
    /// From connecting until bound, or until the bind was asked for.
    pub bind: Duration,
    /// Silence after which `enquire_link` is sent; absent = never. Two without any sign of life end the session.
    pub enquire_link: Option<Duration>,
    /// Longest wait for open requests when we unbind.
    pub drain: Duration,
    /// Longest wait for `unbind_resp`, and for what is open when the peer unbinds.
    pub unbind: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            bind: Duration::from_secs(10),
            enquire_link: Some(Duration::from_secs(30)),
            drain: Duration::from_secs(30),
            unbind: Duration::from_secs(5),
        }
    }
}

/// When TLVs are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlvPolicy {
    /// If the peer said that it speaks 3.4 or later; one that says nothing speaks 3.3 by the specification.
    #[default]
    Auto,
    /// Whatever the peer said; many carriers understand them and do not say so.
    Always,
    /// Never.
    Never,
}

/// A client's side.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How to bind.
    pub bind: Bind,
    /// Requests that may be unanswered at once.
    pub window: usize,
    /// When TLVs are sent.
    pub tlvs: TlvPolicy,
    /// How long to wait.
    pub timers: Timers,
}

impl ClientConfig {
    /// A transceiver of version 3.4 with a window of 10, as the specification recommends.
    pub fn new(system_id: impl Into<String>, password: impl Into<String>) -> Self {
        let bind = Bind {
            kind: crate::BindKind::Transceiver,
            system_id: system_id.into(),
            password: password.into(),
            system_type: String::new(),
            interface_version: 0x34,
        };
        Self {
            bind,
            window: 10,
            tlvs: TlvPolicy::Auto,
            timers: Timers::default(),
        }
    }
}

/// A server's side.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Our name in the bind response.
    pub system_id: String,
    /// Version told in the bind response; absent = the TLV is left out.
    pub version: Option<u8>,
    /// Deliveries that may be unanswered at once.
    pub window: usize,
    /// How long to wait.
    pub timers: Timers,
}

impl ServerConfig {
    /// A server of version 3.4 with a window of 1,000 deliveries.
    pub fn new(system_id: impl Into<String>) -> Self {
        Self {
            system_id: system_id.into(),
            version: Some(0x34),
            window: 1_000,
            timers: Timers::default(),
        }
    }
}
