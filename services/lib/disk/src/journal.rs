//! Syncs the write-ahead log from outside the database.
//!
//! The database would hold its write lock for as long as the disk takes; a second handle on the same file syncs the same
//! octets while writers go on. The files are `<number>.jnl`. The database syncs a file before it begins the next, so syncing
//! the newest covers every batch that was written before the look.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// The newest file of the log, held open until a newer one appears.
pub(crate) struct Journal {
    directory: PathBuf,
    newest: Option<(u64, File)>,
}

impl Journal {
    pub(crate) fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            newest: None,
        }
    }

    /// Makes everything that was written to the log before the call safe.
    ///
    /// # Errors
    /// There is no log, or the disk failed.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        let number = newest(&self.directory)?;
        let file = match self.newest.take() {
            Some((held, file)) if held == number => file,
            _ => match File::options().write(true).open(path(&self.directory, number)) {
                // Sealed, written out to tables and removed since the look: there is a newer one.
                Err(error) if error.kind() == io::ErrorKind::NotFound && newest(&self.directory)? > number => {
                    return self.sync();
                }
                opened => opened?,
            },
        };
        let synced = file.sync_data();
        self.newest = Some((number, file));
        synced
    }
}

/// The log file with this number.
pub(crate) fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(format!("{number}.jnl"))
}

/// Number of the newest log file.
///
/// # Errors
/// There is none, or the directory cannot be read.
pub(crate) fn newest(directory: &Path) -> io::Result<u64> {
    let mut newest = None;
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".jnl"))
            .and_then(|number| number.parse().ok());
        newest = newest.max(number);
    }
    newest.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no log in {}", directory.display())))
}
