//! One line split into fields by `csv-core`, in buffers that serve every line of a file.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use super::HEADER_COLUMNS_MAX;

/// Splits lines. What it holds of one is overwritten by the next.
pub(super) struct Splitter {
    reader: Reader,
    /// What the fields say, one behind the other.
    said: Vec<u8>,
    /// Where each of the first fields ends in it.
    ends: [usize; HEADER_COLUMNS_MAX],
}

/// The fields of a line.
pub(super) struct Fields<'a> {
    /// How many there are.
    pub(super) count: usize,
    said: &'a [u8],
    ends: &'a [usize; HEADER_COLUMNS_MAX],
}

/// A quote is not closed in its line.
pub(super) struct Open {
    /// The field that it opens, from 0.
    pub(super) field: usize,
}

impl Splitter {
    pub(super) fn new() -> Self {
        let mut splitter = Self {
            // A carriage return within a line is a part of it.
            reader: ReaderBuilder::new().terminator(Terminator::Any(b'\n')).build(),
            said: Vec::new(),
            ends: [0; HEADER_COLUMNS_MAX],
        };
        splitter.reset();
        splitter
    }

    /// Begins anew. The empty line is there because the reader takes what it reads first for the beginning of a file, and drops
    /// a byte order mark there.
    fn reset(&mut self) {
        self.reader.reset();
        self.reader.read_record(b"\n", &mut [0], &mut self.ends);
    }

    /// The fields of `line`, which is not empty and holds no line feed.
    pub(super) fn split(&mut self, line: &[u8]) -> Result<Fields<'_>, Open> {
        // Room for the line, for a line feed that an open quote takes in, and for one octet more, so that it is never full.
        let room = line.len() + 2;
        if self.said.len() < room {
            self.said.resize(room, 0);
        }
        let (mut said, mut count) = (0, 0);
        for mut part in [line, b"\n"] {
            // Fields beyond the first are counted, and where they end is forgotten.
            let mut beyond;
            let mut ends = &mut self.ends[count.min(HEADER_COLUMNS_MAX)..];
            loop {
                let (result, read, written, ended) = self.reader.read_record(part, &mut self.said[said..], ends);
                (part, said, count) = (&part[read..], said + written, count + ended);
                match result {
                    ReadRecordResult::OutputEndsFull => {}
                    ReadRecordResult::Record => return Ok(self.fields(count)),
                    _ => break,
                }
                beyond = [0; HEADER_COLUMNS_MAX];
                ends = &mut beyond;
            }
        }
        self.reset();
        Err(Open { field: count })
    }

    fn fields(&self, count: usize) -> Fields<'_> {
        Fields {
            count,
            said: &self.said,
            ends: &self.ends,
        }
    }
}

impl<'a> Fields<'a> {
    /// What field `at`, from 0, says.
    ///
    /// # Panics
    /// There is none, or it is beyond the columns of a header that are looked at.
    pub(super) fn get(&self, at: usize) -> &'a [u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.said[start..self.ends[at]]
    }
}
