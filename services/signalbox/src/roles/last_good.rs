//! The last good table, kept on disk: a router that starts on a table with mistakes goes on with it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use table::{
    Problems, Table,
    cases::{self, Unproven},
    files::{self, Files},
};
use tracing::{error, info, warn};

use crate::config::{Config, Engine};

/// A table to begin with.
pub(super) struct Loaded {
    pub(super) table: Table,
    pub(super) warnings: Problems,
    /// What it was made of.
    pub(super) files: Files,
}

/// Where copies are kept; nowhere if the router has no place on disk.
#[derive(Clone, Debug)]
pub(super) struct LastGood(Option<PathBuf>);

impl LastGood {
    /// Where `config` says, else beside its database.
    pub(super) fn of(config: &Config) -> Self {
        let beside = match &config.engine {
            Engine::Embedded { path } => Some(path.with_file_name("table.good")),
            Engine::Memory | Engine::Apart { .. } => None,
        };
        let kept = config.last_good.clone().or(beside);
        if kept.is_none() {
            info!(
                "no copy of the table is kept: a router that starts on a table with mistakes has none; [table] last_good names a folder for it"
            );
        }
        Self(kept)
    }

    /// The table in `dir`, or the last good one if that has mistakes or its cases fail, after logging them. Takes as long as
    /// reading, compiling and running cases do.
    ///
    /// # Errors
    /// The table in `dir` is refused, and no good one is kept.
    pub(super) fn load(&self, dir: &Path) -> Result<Loaded, Unproven> {
        let read = files::read(dir).map_err(Unproven::Invalid);
        let refused = match read.and_then(|files| Ok((cases::prove(&files)?, files))) {
            Ok(((table, warnings), files)) => {
                self.keep(&files);
                return Ok(Loaded { table, warnings, files });
            }
            Err(refused) => refused,
        };
        let Some(kept) = self.kept() else { return Err(refused) };
        error!(
            version = kept.table.version(),
            "the table is refused, the last good one is in force:\n{refused}"
        );
        Ok(kept)
    }

    /// The copy. Its cases are not run again: they passed when it was made, and a router goes on with what it had.
    pub(super) fn kept(&self) -> Option<Loaded> {
        let kept = self.0.as_deref().filter(|kept| kept.is_dir())?;
        let files = files::read(kept).ok()?;
        let (table, warnings) = table::build(&files).ok()?;
        Some(Loaded { table, warnings, files })
    }

    #[cfg(test)]
    pub(super) fn at(kept: PathBuf) -> Self {
        Self(Some(kept))
    }

    /// Whether there is a place for a copy.
    pub(super) fn is_somewhere(&self) -> bool {
        self.0.is_some()
    }

    /// Keeps `files`, which make a good table. A copy that cannot be made is no reason to stop.
    pub(super) fn keep(&self, files: &Files) {
        let Some(kept) = &self.0 else { return };
        if let Err(error) = replace(files, kept, std::process::id()) {
            warn!(%error, "{}: the good table could not be kept for the next start", kept.display());
        }
    }
}

/// Puts `files` in the place of `kept`. Several routers may share one place: each works under names with a number of its `own`,
/// and whoever comes later finds a good table of the same directory there.
fn replace(files: &Files, kept: &Path, own: u32) -> io::Result<()> {
    let (fresh, old) = (
        kept.with_extension(format!("new.{own}")),
        kept.with_extension(format!("old.{own}")),
    );
    fs::remove_dir_all(&fresh).or_else(absent_is_fine)?;
    fs::remove_dir_all(&old).or_else(absent_is_fine)?;
    files.write(&fresh)?;
    fs::rename(kept, &old).or_else(absent_is_fine)?;
    if let Err(error) = fs::rename(&fresh, kept) {
        fs::remove_dir_all(&fresh)?;
        // Put there by another router between the two steps above.
        if !kept.is_dir() {
            fs::rename(&old, kept)?;
            return Err(error);
        }
    }
    fs::remove_dir_all(&old).or_else(absent_is_fine)
}

fn absent_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

#[cfg(test)]
mod tests;
