//! Follows the accounts file while the service runs. A file that is wrong changes nothing and is reported once.

use std::{fs, path::Path, sync::Arc};

use service::{Stop, watch::PathWatch};
use source::Problems;

use super::{Accounts, Directory};

/// What a look at the file found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing new.
    Same,
    /// Other accounts are in force now.
    Swapped,
    /// The file is wrong; the accounts before it stay.
    Refused(Problems),
}

impl Accounts {
    /// Reads `file` anew, see [`Accounts::parse`].
    pub(crate) fn read(&self, file: &Path) -> Result<(Self, Problems), Problems> {
        let name = file.display().to_string();
        let base = file.parent().unwrap_or(Path::new(""));
        match fs::read_to_string(file) {
            Ok(text) => self.parse(&name, &text, base),
            Err(error) => {
                let log = source::Log::new('A');
                log.error(
                    source::Place::file(name),
                    source::Code::FILE,
                    format!("cannot be read: {error}"),
                    "",
                    "",
                );
                Err(log.into_problems())
            }
        }
    }
}

impl Directory {
    /// Takes over what stands in `file` now.
    pub(super) fn look(&self, file: &Path) -> Look {
        let current = self.current.load_full();
        match current.read(file) {
            Ok((accounts, _)) if accounts.is_like(&current) => Look::Same,
            Ok((accounts, _)) => {
                self.current.store(Arc::new(accounts));
                Look::Swapped
            }
            Err(problems) => Look::Refused(problems),
        }
    }
}

/// Keeps `directory` at what `file` says until `stop`.
pub(crate) async fn follow(directory: Arc<Directory>, file: std::path::PathBuf, mut watch: PathWatch, stop: Stop) {
    let mut reported = Problems::default();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = watch.next() => {}
        }
        match directory.look(&file) {
            Look::Same => {}
            Look::Swapped => {
                tracing::info!("accounts changed");
                reported = Problems::default();
            }
            Look::Refused(problems) if problems != reported => {
                tracing::error!(%problems, "accounts file is wrong: the accounts before it stay in force");
                reported = problems;
            }
            Look::Refused(_) => {}
        }
    }
}
