//! Why a router cannot go on.

use std::{io, net::SocketAddr};

use bus::{ConsumeError, PublishError};
use signalbox_proto::server::TlsError;

/// Why a router cannot go on. What is merely away is waited for instead.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log refuses to be read.
    #[error("router cannot read the log: {0}")]
    Read(#[from] ConsumeError),
    /// The log refuses to be written.
    #[error("router cannot write the log: {0}")]
    Write(#[from] PublishError),
    /// The store refuses a call, or could not make safe what it took.
    #[error("router cannot use the store: {0}")]
    Store(#[from] store::StoreError),
    /// It has no identity to show to callers.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address for questions cannot be had.
    #[error("router cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The server for questions failed.
    #[error("router cannot answer questions: {0}")]
    Transport(String),
}

impl Error {
    /// Whether doing it all again may help: the store could not say that what it took is safe.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_passing())
    }
}
