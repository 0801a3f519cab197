//! What can go wrong, named by what the caller can do.

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store is away: start nothing new, try again. Writes of the call may or may not have been applied.
    #[error("the store is away: {0}")]
    Away(String),
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
}
