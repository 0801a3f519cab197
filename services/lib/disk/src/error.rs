//! What can go wrong, named by what the caller can do.

use std::path::{Path, PathBuf};

/// A database that cannot be opened, read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// Somebody else has it open.
    #[error("{} is open in another process: stop that one, or give this one a directory of its own", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error("{} cannot be opened: {why}", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// What the operating system or the recovery said.
        why: String,
    },
    /// It failed to read, write or sync. After a failed sync nothing more is written: restart to recover.
    #[error("the disk failed: {0}")]
    Failed(String),
}

impl DiskError {
    pub(crate) fn open(path: &Path, error: fjall::Error) -> Self {
        let path = path.to_owned();
        match error {
            fjall::Error::Locked => Self::Locked { path },
            other => Self::Open {
                path,
                why: describe(&other),
            },
        }
    }
}

impl From<fjall::Error> for DiskError {
    fn from(error: fjall::Error) -> Self {
        Self::Failed(describe(&error))
    }
}

fn describe(error: &fjall::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => format!("{error:?}"),
    }
}
