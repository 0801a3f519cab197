//! Watching files and folders that people edit while the service runs.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
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
        let subject = Subject::of(path);
        let (folder, mode) = subject.watched();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| subject.is_changed_by(&event)) {
                sender.send_modify(|count| *count += 1);
            }
        })
        .and_then(|mut watcher| watcher.watch(&folder, mode).map(|()| watcher));
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

/// What is watched.
enum Subject {
    Folder(PathBuf),
    File { folder: PathBuf, name: OsString },
}

impl Subject {
    fn of(path: &Path) -> Self {
        match (path.is_dir(), path.file_name()) {
            (false, Some(name)) => {
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty())
                    .unwrap_or(Path::new("."));
                Self::File {
                    folder: folder.to_owned(),
                    name: name.to_owned(),
                }
            }
            _ => Self::Folder(path.to_owned()),
        }
    }

    /// A file is watched through its folder alone: what lies below, such as a database, is none of its business.
    fn watched(&self) -> (PathBuf, RecursiveMode) {
        match self {
            Self::Folder(path) => (path.clone(), RecursiveMode::Recursive),
            Self::File { folder, .. } => (folder.clone(), RecursiveMode::NonRecursive),
        }
    }

    /// Reading is no change. Kubernetes replaces a mounted file by moving a link whose name begins with two dots.
    fn is_changed_by(&self, event: &Event) -> bool {
        if event.kind.is_access() {
            return false;
        }
        let Self::File { name, .. } = self else { return true };
        event
            .paths
            .iter()
            .filter_map(|path| path.file_name())
            .any(|changed| changed == name.as_os_str() || changed.as_encoded_bytes().starts_with(b".."))
    }
}
