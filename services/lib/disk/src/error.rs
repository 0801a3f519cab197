//! What can go wrong, named by what the caller can do.

use std::{
    io,
    path::{Path, PathBuf},
};

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
    /// Its log is damaged where it was safe: the disk is bad.
    #[error(
        "{} is damaged at octet {at}, and {behind} octets behind that were safe: check the disk and restore a copy of {}; to go on \
         without what is behind the damage: truncate -s {at} {}",
        file.display(), path.display(), file.display()
    )]
    Damaged {
        /// The directory.
        path: PathBuf,
        /// The file of the log.
        file: PathBuf,
        /// Where the damage is.
        at: usize,
        /// Octets from there on.
        behind: usize,
    },
    /// It failed to read, write or sync, or had no room to be opened. After a failed sync nothing more is written: restart to recover.
    #[error("the disk failed: {0}")]
    Failed(String),
}

impl DiskError {
    pub(crate) fn open(path: &Path, error: fjall::Error) -> Self {
        let path = path.to_owned();
        match error {
            fjall::Error::Locked => Self::Locked { path },
            full if io_error(&full).is_some_and(is_full) => Self::Failed(describe(&full)),
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

fn io_error(error: &fjall::Error) -> Option<&io::Error> {
    let mut causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    causes.find_map(|cause| cause.downcast_ref())
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn describe(error: &fjall::Error) -> String {
    if let Some(found) = io_error(error) {
        return with_help(found);
    }
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => format!("{error:?}"),
    }
}

/// `error` with what to do about it, where that is known.
pub(crate) fn with_help(error: &io::Error) -> String {
    let help = match error.kind() {
        _ if is_full(error) => "make room, then start this process again",
        io::ErrorKind::PermissionDenied => "let the user of this process write there",
        io::ErrorKind::ReadOnlyFilesystem => "mount it so that it can be written to, then start this process again",
        _ => return error.to_string(),
    };
    format!("{error}: {help}")
}
