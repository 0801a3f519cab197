//! What can go wrong, named by what the caller can do.

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store is away: start nothing new, try again. Writes of the call may or may not have been applied.
    #[error("the store is away: {0}")]
    Away(String),
    /// The store may have lost what it held: start nothing until it has been rebuilt and its new epoch adopted.
    #[error("the store lost what it held, or is new: it must be rebuilt from the log first")]
    Lost,
    /// The store has no room: nothing of the call was applied.
    #[error("the store is full: {0}")]
    Full(String),
    /// Over a limit: nothing of the call was applied.
    #[error("{what} is {size}, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// The store cannot be reached with these settings, however long one waits: nothing was tried.
    #[error("the settings of the store are wrong: {0}")]
    Settings(String),
}

impl StoreError {
    /// Whether the same call may succeed later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Away(_) | Self::Lost | Self::Full(_) => true,
            Self::TooLarge { .. } | Self::Settings(_) => false,
        }
    }
}
