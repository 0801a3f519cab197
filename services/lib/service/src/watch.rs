//! Watching files and folders that people edit while the service runs.

use std::{path::Path, path::PathBuf, time::Duration};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::watch;

use crate::time;

/// Editors write in several steps; a change counts once nothing moved for this long.
const SETTLE: Duration = Duration::from_millis(150);
/// Looks again this often even if no event came: network file systems and replaced mounts send none.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// Tells when something below a path changed.
#[derive(Debug)]
pub struct PathWatch {
    changed: watch::Receiver<u64>,
    _watcher: Option<RecommendedWatcher>,
}

impl PathWatch {
    /// Watches `path`, a folder (with all below it) or a file (through its folder, so that a replaced file is seen).
    /// Where the system offers no events, [`PathWatch::next`] still returns every ten seconds.
    pub fn new(path: &Path) -> Self {
        let (sender, changed) = watch::channel(0_u64);
        let watched = watched_folder(path);
        let watcher = notify::recommended_watcher(move |_event| sender.send_modify(|count| *count += 1))
            .and_then(|mut watcher| watcher.watch(&watched, RecursiveMode::Recursive).map(|()| watcher));
        if let Err(error) = &watcher {
            tracing::warn!(%error, "no file events here: changes are looked for every 10 s");
        }
        Self {
            changed,
            _watcher: watcher.ok(),
        }
    }

    /// Waits until something may have changed and has settled. May return without a change: compare before acting.
    pub async fn next(&mut self) {
        if time::timeout(LOOK_AGAIN, self.changed.changed())
            .await
            .is_none_or(|event| event.is_err())
        {
            // Without a watcher `changed` fails at once, so the wait must be made here.
            if self._watcher.is_none() {
                time::sleep(LOOK_AGAIN).await;
            }
            return;
        }
        while let Some(Ok(())) = time::timeout(SETTLE, self.changed.changed()).await {}
    }
}

fn watched_folder(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}
