//! What the disk takes by itself while something is measured: a wait that it makes is not the router's.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use anyhow::Context as _;
use hdrhistogram::Histogram;
use service::{Tasks, time};

/// Between one write and the next.
const PERIOD: Duration = Duration::from_millis(20);
/// Octets of a write: what the log of a password or two comes to.
pub(super) const WRITE: [u8; 4_096] = [1; 4_096];
/// Writes after which the file begins at its front again.
const WRITES: usize = 1_000;

/// Does `work`, and tells how long syncs of a few octets in `folder` took beside it, in microseconds.
///
/// # Errors
/// Those of `work`, or the disk is full or away.
pub(super) async fn beside<T>(
    folder: &Path,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<(T, Histogram<u64>)> {
    let path = folder.join("disk.probe");
    let file = File::create(&path).with_context(|| path.display().to_string())?;
    let (until, over) = channel::<()>();
    let mut probe = Tasks::new();
    probe.spawn_blocking(move || measure(file, &over));
    let done = work.await;
    drop(until);
    let measured = probe.join_next().await.context("the probe has run")??;
    Ok((done?, measured?))
}

/// Writes and syncs again and again until `over` has no other end.
fn measure(mut file: File, over: &Receiver<()>) -> anyhow::Result<Histogram<u64>> {
    // Written in full before, so that the file system has nothing left to allot.
    (0..WRITES).try_for_each(|_| file.write_all(&WRITE))?;
    file.sync_all()?;
    let mut took = Histogram::new(3)?;
    for count in 0.. {
        if count % WRITES == 0 {
            file.rewind()?;
        }
        let start = time::now();
        file.write_all(&WRITE)?;
        file.sync_data()?;
        took.record(start.elapsed().as_micros() as u64)?;
        if over.recv_timeout(PERIOD) != Err(RecvTimeoutError::Timeout) {
            break;
        }
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sync_is_timed_however_short_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let (done, took) = beside(folder.path(), async { Ok("done") }).await.unwrap();
        assert_eq!(done, "done");
        assert!(!took.is_empty());
    }

    #[tokio::test]
    async fn work_that_fails_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let failed = beside::<()>(folder.path(), async { anyhow::bail!("the router ended") }).await;
        assert_eq!(failed.unwrap_err().to_string(), "the router ended");
    }
}
