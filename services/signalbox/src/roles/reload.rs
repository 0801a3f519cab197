//! The table's directory, followed while people edit it: a good table is swapped in, a bad one changes nothing.

use std::path::PathBuf;

use service::{Stop, watch::PathWatch};
use table::files::{self, fingerprint};

use super::swap::{Copy, Swap};

/// Brings every good version of a table's directory into force.
pub(super) struct Follower {
    dir: PathBuf,
    swap: Swap,
}

impl Follower {
    /// Follows `dir`.
    pub(super) fn new(dir: PathBuf, swap: Swap) -> Self {
        Self { dir, swap }
    }

    /// Puts every good version in force, until `stop`. `seen` is the directory's fingerprint from before the table in force was
    /// read, so that no change falls between.
    pub(super) async fn follow(mut self, mut seen: u64, stop: &Stop) {
        let mut watch = PathWatch::new(&self.dir);
        loop {
            tokio::select! { biased;
                () = stop.requested() => break,
                () = watch.next() => {}
            }
            let now = fingerprint(&self.dir);
            if now != seen {
                seen = now;
                let dir = self.dir.clone();
                let read = move || files::read(&dir).map_err(|problems| problems.to_string());
                self.swap.offer("on disk", Copy::Kept, read).await;
            }
        }
        self.swap.drained().await;
    }
}
