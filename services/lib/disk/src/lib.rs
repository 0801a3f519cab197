//! One database on disk under one write-ahead log, shared by everything in the process that keeps something.
//!
//! A write reaches the operating system at once and can be read at once; it is safe when the next group sync that covers it
//! has ended, see [`Disk::synced`]. One thread syncs: the next sync starts as the last ends, and it sleeps while nobody waits
//! for what is unsynced, and for [`PATIENCE`] while nobody is in a hurry. After a crash the log is read back up to its first torn or damaged batch: everything that was safe is
//! there, and of a batch either all or nothing.

mod commit;
mod error;
mod expiry;
mod flush;
mod journal;
mod layout;
mod repair;
mod space;
mod sync;

pub use commit::Commit;
pub use error::DiskError;
pub use layout::{Layout, SEGMENT_OCTETS_MAX};
pub use space::{Batch, Space};
pub use sync::{PATIENCE, Ticket};

use std::{
    collections::BTreeMap,
    future::Future,
    path::Path,
    sync::{Arc, Mutex},
};

use tokio::sync::watch;

use crate::{expiry::Expiry, flush::Flush, repair::Repair, sync::Sync};

/// Octets written and not yet synced above which [`Disk::room`] waits.
pub const UNSYNCED_OCTETS_MAX: u64 = 32 * 1024 * 1024;
/// Octets of the log on disk above which old parts are written out to tables, so that opening stays short.
pub const JOURNAL_OCTETS_MAX: u64 = 256 * 1024 * 1024;
/// Octets of table blocks kept in memory.
pub const CACHE_OCTETS_MAX: u64 = 32 * 1024 * 1024;

const _: () = assert!(
    UNSYNCED_OCTETS_MAX < JOURNAL_OCTETS_MAX,
    "what is unsynced must fit in the log"
);

/// An open database. The last owner closes it; what was written is synced then.
pub struct Disk {
    // Fields drop in this order: the threads end before the database closes.
    flush: Flush,
    sync: Sync,
    expiry: Arc<Expiry>,
    /// Why a write failed; `None` = none did.
    broken: watch::Sender<Option<DiskError>>,
    /// Spaces in use, by their names in the database.
    spaces: Mutex<BTreeMap<String, Space>>,
    database: fjall::Database,
}

impl Disk {
    /// Opens the database in the directory `path`, creating both if need be, and recovers what a crash left.
    ///
    /// # Errors
    /// Another process (or another part of this one) has it open, or it cannot be read or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Arc<Self>, DiskError> {
        let path = path.as_ref();
        let expiry = Arc::new(Expiry::default());
        let database = match open_database(path, &expiry) {
            Err(fjall::Error::JournalRecovery(why)) => match repair::cut_damage(path, &why.to_string()) {
                Repair::Cut => open_database(path, &expiry),
                Repair::Elsewhere => Err(fjall::Error::JournalRecovery(why)),
                Repair::Synced { file, at, behind } => {
                    let path = path.to_owned();
                    return Err(DiskError::Damaged { path, file, at, behind });
                }
            },
            opened => opened,
        };
        let database = database.map_err(|error| DiskError::open(path, error))?;
        let sync = Sync::start(path).map_err(|error| DiskError::open(path, error.into()))?;
        let flush = Flush::start().map_err(|error| DiskError::open(path, error.into()))?;
        Ok(Arc::new(Self {
            flush,
            sync,
            expiry,
            broken: watch::Sender::default(),
            spaces: Mutex::default(),
            database,
        }))
    }

    /// The space called `name`, created as `layout` says if there is none.
    ///
    /// # Errors
    /// The disk is away.
    pub fn space(&self, name: &str, layout: Layout) -> Result<Space, DiskError> {
        let name = layout.name(name);
        let mut spaces = self.spaces.lock().expect("no holder panics");
        if let Some(space) = spaces.get(&name) {
            return Ok(space.clone());
        }
        let keyspace = self.database.keyspace(&name, || layout.options())?;
        let space = Space::new(keyspace, layout.memory_octets_max());
        spaces.insert(name, space.clone());
        Ok(space)
    }

    /// Names of all spaces that were created as `layout`, in order.
    pub fn spaces(&self, layout: Layout) -> Vec<String> {
        let names = self.database.list_keyspace_names();
        let mut found: Vec<_> = names
            .iter()
            .filter_map(|name| layout.own_name(name))
            .map(str::to_owned)
            .collect();
        found.sort();
        found
    }

    /// Removes `space` and all it holds at once, without reading or rewriting it.
    ///
    /// # Errors
    /// The disk is away; the space may come back after a restart.
    pub fn drop_space(&self, space: &Space) -> Result<(), DiskError> {
        let keyspace = space.keyspace();
        self.spaces.lock().expect("no holder panics").remove(&**keyspace.name());
        Ok(self.database.delete_keyspace(keyspace.clone())?)
    }

    /// An empty batch.
    pub fn batch(&self) -> Batch {
        Batch::new(self.database.batch())
    }

    /// Writes `batch` as one: readers see all of it when this returns; it is safe once its ticket is synced.
    ///
    /// Blocks for the write to the operating system, not for the disk, except when tables are written out too slowly.
    ///
    /// # Errors
    /// The disk is away; nothing of the batch is visible. A disk that failed once takes no more writes.
    pub fn write(&self, batch: Batch) -> Result<Ticket, DiskError> {
        self.check()?;
        let octets = batch.octets();
        if octets > 0 {
            let full = batch.commit().inspect_err(|error| self.fail(error))?;
            full.into_iter().for_each(|full| self.flush.flush(full));
        }
        Ok(self.sync.written(octets))
    }

    /// Resolves when a write or a sync has failed: nothing more is written, and only another opening helps.
    pub fn failed(&self) -> impl Future<Output = DiskError> + Send + 'static {
        let (synced, mut written) = (self.sync.failed(), self.broken.subscribe());
        async move {
            let written = async {
                match written.wait_for(Option::is_some).await.map(|error| error.clone()) {
                    Ok(Some(error)) => error,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! { biased; error = written => error, error = synced => error }
        }
    }

    fn check(&self) -> Result<(), DiskError> {
        self.broken.borrow().clone().map_or(Ok(()), Err)?;
        self.sync.check()
    }

    /// The first error says why; those that follow only that there was one.
    fn fail(&self, error: &DiskError) {
        self.broken.send_if_modified(|broken| {
            let is_first = broken.is_none();
            broken.get_or_insert_with(|| error.clone());
            is_first
        });
    }

    /// Resolves when the write that gave `ticket`, and every write before it, has reached the disk. A write that nobody waits
    /// for reaches it with the next one that somebody does, or when the database is closed.
    ///
    /// # Errors
    /// The disk failed before that.
    pub fn synced(&self, ticket: Ticket) -> Commit<DiskError> {
        self.commit(ticket)
    }

    /// The same for those who know the disk by errors of their own.
    pub fn commit<E: From<DiskError> + Send + 'static>(&self, ticket: Ticket) -> Commit<E> {
        self.sync.commit(ticket)
    }

    /// True when the write that gave `ticket` has reached the disk.
    pub fn is_synced(&self, ticket: Ticket) -> bool {
        self.sync.is_synced(ticket)
    }

    /// Waits while more than [`UNSYNCED_OCTETS_MAX`] are written and not synced; that wait is the back-pressure.
    ///
    /// # Errors
    /// The disk failed.
    pub fn room(&self) -> impl Future<Output = Result<(), DiskError>> + Send + 'static {
        self.sync.room()
    }

    /// Says that it is `now_ms` milliseconds since the epoch, so that merges may drop what expired before.
    pub fn expire(&self, now_ms: u64) {
        self.expiry.advance(now_ms);
    }
}

fn open_database(path: &Path, expiry: &Arc<Expiry>) -> fjall::Result<fjall::Database> {
    fjall::Database::builder(path)
        .cache_size(CACHE_OCTETS_MAX)
        .max_journaling_size(JOURNAL_OCTETS_MAX)
        // As it was written, so that `repair` finds its way in what is damaged.
        .journal_compression(fjall::CompressionType::None)
        // One, for writing tables out and for merging them: of several, the first would hand merges round and round without
        // rest for as long as another is merging. Merges are kept short instead, by how things are laid out.
        .worker_threads(1)
        .with_compaction_filter_factories(expiry::assigner(expiry))
        .open()
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk").finish_non_exhaustive()
    }
}
