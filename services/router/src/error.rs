//! Why a router cannot go on.

use std::{io, net::SocketAddr, path::PathBuf};

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
    /// A certificate or key cannot be read.
    #[error("{}: cannot be read: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Certificate and key are none, or do not belong together.
    #[error("{} with {}: {error}", certificate.display(), key.display())]
    Tls {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        error: String,
    },
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

impl From<TlsError> for Error {
    fn from(error: TlsError) -> Self {
        match error {
            TlsError::File { path, error } => Self::File { path, error },
            TlsError::Identity {
                certificate,
                key,
                error,
            } => Self::Tls {
                certificate,
                key,
                error,
            },
        }
    }
}
