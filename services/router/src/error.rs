//! Why a router cannot go on.

use bus::{ConsumeError, PublishError};

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
}

impl Error {
    /// Whether doing it all again may help: the store could not say that what it took is safe.
    pub(crate) fn is_away(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_passing())
    }
}
