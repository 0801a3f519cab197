//! The log of what a carrier received and which receipts were taken: one line each, tab-separated, appended.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::received::{HEADER, Line, Receipted, Received};

/// A log that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Opening or reading failed.
    #[error("{}: {error}", path.display())]
    Io {
        /// The log.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A line is not what a carrier writes.
    #[error("{}:{line}: not a line of a carrier's log", path.display())]
    Line {
        /// The log.
        path: PathBuf,
        /// Which, from 1.
        line: usize,
    },
}

/// Reads what a carrier received from its log, in order.
///
/// # Errors
/// The file cannot be read, or a line is not of a log. A last line without its end is what a killed carrier was
/// writing, and is left out.
pub fn read_log(path: &Path) -> Result<Vec<Received>, LogError> {
    read(path).map(|logged| logged.received)
}

/// Shows what a carrier received to `visit`, in the order of its log, and holds one line at a time: for logs of any length.
///
/// # Errors
/// As of [`read_log`]; `visit` has then seen what stands before.
pub fn scan_log(path: &Path, mut visit: impl FnMut(Received)) -> Result<(), LogError> {
    let octets = scan(path, |line| {
        if let Line::Received(received) = line {
            visit(received);
        }
    });
    octets.map(|_| ())
}

/// Reads which receipts clients took from a carrier's log, in order.
///
/// # Errors
/// As of [`read_log`].
pub fn read_receipts(path: &Path) -> Result<Vec<Receipted>, LogError> {
    read(path).map(|logged| logged.receipts)
}

/// A log as it stands.
#[derive(Debug, Default)]
pub(super) struct Logged {
    pub(super) received: Vec<Received>,
    pub(super) receipts: Vec<Receipted>,
    /// Octets up to the end of the last whole line.
    octets: u64,
}

fn read(path: &Path) -> Result<Logged, LogError> {
    let mut logged = Logged::default();
    logged.octets = scan(path, |line| match line {
        Line::Received(received) => logged.received.push(received),
        Line::Receipted(receipted) => logged.receipts.push(receipted),
    })?;
    Ok(logged)
}

/// Shows each whole line to `visit` and returns the octets up to the end of the last.
fn scan(path: &Path, mut visit: impl FnMut(Line)) -> Result<u64, LogError> {
    let io = |error| LogError::Io {
        path: path.to_owned(),
        error,
    };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let (mut line, mut octets) = (Vec::new(), 0);
    for number in 1.. {
        line.clear();
        file.read_until(b'\n', &mut line).map_err(io)?;
        let Some(whole) = line.strip_suffix(b"\n") else {
            break;
        };
        octets += line.len() as u64;
        if whole.starts_with(b"#") {
            continue;
        }
        visit(
            Line::parse(&String::from_utf8_lossy(whole)).ok_or_else(|| LogError::Line {
                path: path.to_owned(),
                line: number,
            })?,
        );
    }
    Ok(octets)
}

/// Appends to a log; what [`Log::flush`] has written survives a kill of the process.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    lines: String,
}

impl Log {
    /// Opens a log and reads what is in it. The piece of a line that a killed carrier left is cut off.
    pub(super) fn open(path: &Path) -> Result<(Self, Logged), LogError> {
        let io = |error| LogError::Io {
            path: path.to_owned(),
            error,
        };
        // Not truncated: what is there is read and continued.
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(io)?;
        let logged = read(path)?;
        file.set_len(logged.octets).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let lines = if logged.octets == 0 {
            HEADER.to_owned()
        } else {
            String::new()
        };
        Ok((Self { file, lines }, logged))
    }

    pub(super) fn add(&mut self, received: &Received) {
        received.write_to(&mut self.lines);
    }

    pub(super) fn add_receipt(&mut self, receipted: &Receipted) {
        receipted.write_to(&mut self.lines);
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(self.lines.as_bytes())?;
        self.lines.clear();
        Ok(())
    }
}
