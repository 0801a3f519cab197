//! The log of what a carrier received: one line a message, tab-separated, appended.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use smpp::{Concatenation, Status, Submit};
use sms::UnixMs;

const HEADER: &str = "#time_ms\tid\tanswer\tsource\tdestination\tesm_class\tdata_coding\toctets\treference\tpart\n";

/// Word for an answer that was never sent.
const DROPPED: &str = "dropped";

/// One `submit_sm` as the carrier saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When.
    pub at: UnixMs,
    /// The carrier's id as its response writes it; empty where it refused.
    pub id: String,
    /// What it answered; absent where it took the message and kept silent.
    pub answer: Option<Status>,
    /// Who sent.
    pub source: String,
    /// Who shall receive.
    pub destination: String,
    /// `esm_class`.
    pub esm_class: u8,
    /// `data_coding`.
    pub data_coding: u8,
    /// The content as it came, with its user data header.
    pub octets: Bytes,
    /// The TLV `user_message_reference`; absent = none.
    pub user_reference: Option<u16>,
    /// Which part of a long message it is; absent = of none.
    pub concatenation: Option<Concatenation>,
}

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

impl Received {
    pub(super) fn new(at: UnixMs, id: String, answer: Option<Status>, submit: &Submit) -> Self {
        Self {
            at,
            id,
            answer,
            source: submit.source.value.clone(),
            destination: submit.destination.value.clone(),
            esm_class: submit.esm_class,
            data_coding: submit.data_coding,
            octets: submit.body.octets().clone(),
            user_reference: submit.user_reference(),
            concatenation: submit.concatenation(),
        }
    }

    /// Whether the carrier took it, told or not.
    pub fn was_taken(&self) -> bool {
        self.answer.is_none_or(Status::is_ok)
    }

    fn write_to(&self, line: &mut String) {
        let answer = self
            .answer
            .map_or_else(|| DROPPED.to_owned(), |status| status.to_string());
        let _ = write!(line, "{}\t{}\t{answer}\t{}\t", self.at.0, self.id, plain(&self.source));
        let _ = write!(
            line,
            "{}\t{}\t{}\t",
            plain(&self.destination),
            self.esm_class,
            self.data_coding
        );
        hex(line, &self.octets);
        line.push('\t');
        if let Some(reference) = self.user_reference {
            let _ = write!(line, "{reference}");
        }
        line.push('\t');
        if let Some(Concatenation { reference, total, part }) = self.concatenation {
            let _ = write!(line, "{reference}/{total}/{part}");
        }
        line.push('\n');
    }

    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [
            at,
            id,
            answer,
            source,
            destination,
            esm_class,
            data_coding,
            octets,
            reference,
            part,
        ] = fields[..]
        else {
            return None;
        };
        Some(Self {
            at: UnixMs(at.parse().ok()?),
            id: id.to_owned(),
            answer: if answer == DROPPED {
                None
            } else {
                Some(answer.parse().ok()?)
            },
            source: source.to_owned(),
            destination: destination.to_owned(),
            esm_class: esm_class.parse().ok()?,
            data_coding: data_coding.parse().ok()?,
            octets: unhex(octets)?,
            user_reference: if reference.is_empty() {
                None
            } else {
                Some(reference.parse().ok()?)
            },
            concatenation: if part.is_empty() { None } else { Some(parse_part(part)?) },
        })
    }
}

/// The text without what would break a line; addresses hold none of it unless a peer is broken.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), "?")
}

fn parse_part(text: &str) -> Option<Concatenation> {
    let mut fields = text.split('/');
    let mut next = || fields.next();
    let (reference, total, part) = (next()?.parse().ok()?, next()?.parse().ok()?, next()?.parse().ok()?);
    Some(Concatenation { reference, total, part })
}

fn hex(line: &mut String, octets: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for octet in octets {
        line.push(char::from(DIGITS[usize::from(octet >> 4)]));
        line.push(char::from(DIGITS[usize::from(octet & 15)]));
    }
}

fn unhex(text: &str) -> Option<Bytes> {
    let digit = |octet: u8| char::from(octet).to_digit(16);
    let octet = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
        _ => None,
    };
    text.as_bytes().chunks(2).map(octet).collect()
}

/// Reads a log. A last line without its end is what a killed carrier was writing, and is left out.
///
/// # Errors
/// The file cannot be read, or another line is not of a log.
pub fn read_log(path: &Path) -> Result<Vec<Received>, LogError> {
    let text = std::fs::read_to_string(path).map_err(|error| LogError::Io {
        path: path.to_owned(),
        error,
    })?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines = whole
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let parse = |(at, line)| {
        Received::parse(line).ok_or_else(|| LogError::Line {
            path: path.to_owned(),
            line: at + 1,
        })
    };
    lines.map(parse).collect()
}

/// Appends to a log; what [`Log::flush`] has written survives a kill of the process.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    lines: String,
}

impl Log {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::options().create(true).append(true).open(path)?;
        let lines = if file.metadata()?.len() == 0 {
            HEADER.to_owned()
        } else {
            String::new()
        };
        Ok(Self { file, lines })
    }

    pub(super) fn add(&mut self, received: &Received) {
        received.write_to(&mut self.lines);
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(self.lines.as_bytes())?;
        self.lines.clear();
        Ok(())
    }
}
