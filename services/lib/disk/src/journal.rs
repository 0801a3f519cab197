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
        if self.newest.as_ref().is_none_or(|(held, _)| *held != number) {
            let file = File::options()
                .write(true)
                .open(self.directory.join(format!("{number}.jnl")))?;
            self.newest = Some((number, file));
        }
        let (_, file) = self.newest.as_ref().expect("it was just opened");
        file.sync_data()
    }
}

fn newest(directory: &Path) -> io::Result<u64> {
    let mut newest = None;
    for entry in std::fs::read_dir(directory)? {
        let name = entry?.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_suffix(".jnl"))
            .and_then(|number| number.parse::<u64>().ok());
        newest = newest.max(number);
    }
    newest.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no log in {}", directory.display())))
}
