//! Keyed state with expiry: one contract, several backends.
//!
//! The bus is the truth, the store an index over it. Octets in, octets out. Calls take a batch and cost one round trip.
//! Every backend keeps these guarantees, and a conformance test of the same number holds each of them:
//!
//! - **S1** A claim is won by exactly one owner until it expires; the same owner wins it again.
//! - **S2** A swap takes place only if the version is the one expected; otherwise it returns what is there.
//! - **S3** The due index changes together with the value it belongs to.
//! - **S4** What has expired is absent at once, and its due entry with it.
//! - **S5** Once the [`Commit`] of a call resolves to `Ok`, its writes survive the stated fault, and so does every write
//!   before it (embedded: fsync; redis: its own durability setting; memory: as long as the process lives). Other callers
//!   may see a write before that.
//! - **S6** Operations on different keys of one call are independent: one that loses does not undo another.
//! - **S7** The epoch changes whenever the store may have lost a write that was committed, and until somebody has rebuilt
//!   what it held, every call fails with [`StoreError::Lost`]: nothing is ever written to, or read from, a store that
//!   forgot something without its being noticed.

#[cfg(feature = "conformance")]
pub mod conformance;
mod embedded;
mod error;
mod limit;
mod memory;
mod op;
mod redis;
mod step;

pub use embedded::EmbeddedStore;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use op::{Applied, Due, DueEntry, Epoch, Key, Op, Versioned};
pub use redis::{RedisConfig, RedisStore};

use std::sync::Arc;

use futures::future::BoxFuture;

/// Resolves when the writes of one call are safe, see S5. Dropping it does not cancel them.
pub type Commit = disk::Commit<StoreError>;

/// Says the time in milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Most operations of one call.
pub const OPS_MAX: usize = 10_000;
/// Longest key, in octets; a key has at least one.
pub const KEY_OCTETS_MAX: usize = 1024;
/// Largest value, in octets.
pub const VALUE_OCTETS_MAX: usize = 64 * 1024;

/// Keyed state.
pub trait Store: Send + Sync {
    /// Applies `ops` in order and says for each what became of it. Await the commit before a consequence leaves the process.
    ///
    /// # Errors
    /// The store is away, or an operation is over a limit (then nothing was applied).
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>>;

    /// The values of `keys`, in order; `None` where there is none.
    ///
    /// # Errors
    /// The store is away.
    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>>;

    /// Entries of `partition` due at or before `second`, earliest first, at most `max`. They stay until their value is
    /// written again without a due or is removed.
    ///
    /// # Errors
    /// The store is away.
    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>>;

    /// Up to `max` keys beginning with `prefix`, after `after`, in key order, with their values. For tools and recovery;
    /// cost grows with what is scanned.
    ///
    /// # Errors
    /// The store is away.
    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>>;

    /// The span of time in which nothing committed was lost, as the store says now. Asking changes nothing: a handle goes
    /// on under the epoch it was opened in, or has adopted since.
    ///
    /// # Errors
    /// `Lost`: there is none, because the store is empty or may have lost something. Or the store is away.
    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>>;

    /// Goes on under `epoch`: calls of this handle succeed again once the store is in it. To be called when everything that
    /// the caller remembers of the epoch before is put right.
    fn adopt(&self, epoch: &Epoch);

    /// Begins to rebuild a store that is `Lost`. `None` = it is not, or somebody else is at it and still alive.
    ///
    /// # Errors
    /// The store is away.
    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>>;
}

/// The one who rebuilds a lost store. Dropping it, or dying, leaves the store lost, and the next one begins again.
pub trait Rebuild: Send + Sync {
    /// The store as only the rebuilder sees it: what is still there, and what it wrote. Its calls keep the work its own;
    /// they fail with `Lost` once somebody else took over.
    fn store(&self) -> Arc<dyn Store>;

    /// Begins the new epoch: the store is there for everybody who adopts it.
    ///
    /// # Errors
    /// The store is away, or somebody else took over.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Epoch, StoreError>>;
}
