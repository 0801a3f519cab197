//! The group sync: one thread, and one timer for those who are in no hurry.

use std::{
    future::Future,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use tokio::sync::watch;

use crate::{Commit, DiskError, UNSYNCED_OCTETS_MAX, error::with_help, journal::Journal};

/// How much later a write may be synced that somebody waits for without a hurry. A disk takes only so many syncs a second, and
/// those who are in a hurry wait for each of them.
pub const PATIENCE: Duration = Duration::from_millis(10);

/// Names a write; a later write has a greater ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u64);

/// Writes and octets, counted from the opening.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    writes: u64,
    octets: u64,
}

/// What has reached the disk, and whether it failed.
#[derive(Clone, Debug, Default)]
struct Progress {
    synced: Count,
    failed: Option<DiskError>,
}

/// Whether something waits for a sync that should not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hurry {
    Yes,
    No,
}

pub(crate) struct Shared {
    written: Mutex<Written>,
    news: Condvar,
    octets: AtomicU64,
    progress: watch::Sender<Progress>,
    /// The same as it was last told to those without a hurry: were they told of every sync, what they do next would keep those
    /// waiting who are in one.
    settled: watch::Sender<Progress>,
}

#[derive(Default)]
struct Written {
    count: Count,
    /// The last write that somebody waits for in a hurry: the others need not be synced for their own sake.
    hurried: u64,
    /// The last write that somebody waits for without one.
    patient: u64,
    /// When those are told who wait without a hurry, if there are any.
    due: Option<Instant>,
    is_stopping: bool,
}

/// The owner of the thread; dropping it syncs what is left and joins.
pub(crate) struct Sync {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Sync {
    pub(crate) fn start(directory: &Path) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            written: Mutex::default(),
            news: Condvar::new(),
            octets: AtomicU64::new(0),
            progress: watch::Sender::default(),
            settled: watch::Sender::default(),
        });
        let (theirs, journal) = (shared.clone(), Journal::new(directory));
        // A sync blocks for as long as the disk takes, so it has a thread of its own, owned and joined here.
        let thread = std::thread::Builder::new()
            .name("disk-sync".into())
            .spawn(move || theirs.run(journal))?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Counts a write that the operating system has taken.
    pub(crate) fn written(&self, octets: u64) -> Ticket {
        let mut written = self.shared.written();
        if octets > 0 {
            written.count.writes += 1;
            written.count.octets += octets;
            self.shared.octets.store(written.count.octets, Ordering::Release);
        }
        Ticket(written.count.writes)
    }

    pub(crate) fn check(&self) -> Result<(), DiskError> {
        self.shared.progress.borrow().failed.clone().map_or(Ok(()), Err)
    }

    /// Resolves when a sync has failed.
    pub(crate) fn failed(&self) -> impl Future<Output = DiskError> + Send + 'static {
        let mut news = self.shared.progress.subscribe();
        async move {
            let failed = news.wait_for(|progress| progress.failed.is_some()).await;
            match failed.map(|progress| progress.failed.clone()) {
                Ok(Some(error)) => error,
                // Closed: nobody writes any more.
                _ => std::future::pending().await,
            }
        }
    }

    pub(crate) fn is_synced(&self, ticket: Ticket) -> bool {
        self.shared.progress.borrow().covers(ticket)
    }

    pub(crate) fn commit<E: From<DiskError> + Send + 'static>(&self, ticket: Ticket) -> Commit<E> {
        Commit::written(self.shared.clone(), ticket)
    }

    pub(crate) fn room(&self) -> impl Future<Output = Result<(), DiskError>> + Send + 'static {
        let shared = self.shared.clone();
        async move {
            let mut news = shared.progress.subscribe();
            // Others write meanwhile, and nobody else may wait for a sync of theirs.
            while !shared.has_room(&news.borrow()) {
                let last = Ticket(shared.written().count.writes);
                shared.want(last, Hurry::Yes);
                wait(&mut news, |progress| progress.covers(last)).await?;
            }
            Ok(())
        }
    }
}

impl Drop for Sync {
    fn drop(&mut self) {
        self.shared.written().is_stopping = true;
        self.shared.news.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the sync thread panicked");
        }
    }
}

impl Shared {
    fn run(&self, mut journal: Journal) {
        while let Some((target, is_due)) = self.unsynced() {
            let mut progress = self.progress.borrow().clone();
            if progress.synced != target {
                match journal.sync() {
                    Ok(()) => progress.synced = target,
                    Err(error) => {
                        progress.failed = Some(DiskError::Failed(format!(
                            "the log could not be synced: {}",
                            with_help(&error)
                        )));
                    }
                }
                self.progress.send_replace(progress.clone());
            }
            let has_failed = progress.failed.is_some();
            if is_due || has_failed {
                self.settled.send_replace(progress);
            }
            if has_failed {
                // What the operating system still holds is unknown now; syncing again could claim what was lost.
                tracing::error!("the log could not be synced, nothing more is written");
                return;
            }
        }
    }

    fn has_room(&self, progress: &Progress) -> bool {
        let written = self.octets.load(Ordering::Acquire);
        written.saturating_sub(progress.synced.octets) <= UNSYNCED_OCTETS_MAX
    }

    /// Resolves when the write that gave `ticket` has reached the disk.
    pub(crate) async fn synced(self: Arc<Self>, ticket: Ticket, hurry: Hurry) -> Result<(), DiskError> {
        let mut news = match hurry {
            Hurry::Yes => self.progress.subscribe(),
            Hurry::No => self.settled.subscribe(),
        };
        if !self.progress.borrow().covers(ticket) {
            self.want(ticket, hurry);
            wait(&mut news, |progress| progress.covers(ticket)).await?;
        }
        Ok(())
    }

    /// Says that somebody waits for a write.
    fn want(&self, ticket: Ticket, hurry: Hurry) {
        let mut written = self.written();
        let is_news = match hurry {
            Hurry::Yes => written.hurried < ticket.0,
            Hurry::No => written.due.is_none(),
        };
        match hurry {
            Hurry::Yes => written.hurried = written.hurried.max(ticket.0),
            Hurry::No => {
                written.patient = written.patient.max(ticket.0);
                written.due.get_or_insert_with(due);
            }
        }
        if is_news {
            self.news.notify_one();
        }
    }

    /// What is to be synced next, and whether those without a hurry are told then; waits until somebody waits for some. `None`
    /// when all is synced and nothing more will come.
    fn unsynced(&self) -> Option<(Count, bool)> {
        let synced = self.progress.borrow().synced;
        let mut written = self.written();
        while let Some(wait) = written.idle(synced.writes) {
            written = match wait {
                Idle::Until(left) => self.news.wait_timeout(written, left).expect("no holder panics").0,
                Idle::Asleep => self.news.wait(written).expect("no holder panics"),
            };
        }
        let is_due = written.is_due();
        if is_due {
            written.due = None;
        }
        let is_over = written.is_stopping && written.count == synced;
        // A sync for who was in a hurry may have covered all that the others wait for.
        let is_wanted = written.is_stopping || written.hurried.max(written.patient) > synced.writes;
        let target = if is_wanted { written.count } else { synced };
        (!is_over || is_due).then_some((target, is_due))
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().expect("no holder panics")
    }
}

/// When who waits without a hurry from now on is told.
fn due() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "a disk works in real time")]
    let now = Instant::now();
    now + PATIENCE
}

/// How long there is nothing to sync.
enum Idle {
    Until(Duration),
    Asleep,
}

impl Written {
    /// How long nothing is to be done once the first `synced` writes are synced; `None` if something is now.
    fn idle(&self, synced: u64) -> Option<Idle> {
        if self.is_stopping || self.hurried > synced {
            return None;
        }
        match self.left() {
            None => Some(Idle::Asleep),
            Some(left) => (!left.is_zero()).then_some(Idle::Until(left)),
        }
    }

    /// Whether those without a hurry are to be told, who wait no longer when all ends.
    fn is_due(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero() || self.is_stopping)
    }

    fn left(&self) -> Option<Duration> {
        #[expect(clippy::disallowed_methods, reason = "a disk works in real time")]
        self.due.map(|due| due.saturating_duration_since(Instant::now()))
    }
}

impl Progress {
    fn covers(&self, ticket: Ticket) -> bool {
        self.synced.writes >= ticket.0
    }
}

/// Waits until `is_done` or the disk has failed.
async fn wait(news: &mut watch::Receiver<Progress>, is_done: impl Fn(&Progress) -> bool) -> Result<(), DiskError> {
    match news
        .wait_for(|progress| progress.failed.is_some() || is_done(progress))
        .await
    {
        Ok(progress) if is_done(&progress) => Ok(()),
        Ok(progress) => Err(progress.failed.clone().expect("it was waited for")),
        Err(_) => Err(DiskError::Failed(
            "the database was closed before the write was synced".into(),
        )),
    }
}
