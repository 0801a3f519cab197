//! Problems: where, what, why, and what helps.

use std::{fmt, sync::Arc};

use serde::{Serialize, Serializer};

/// Problems kept of one run; those beyond are counted. Bounds memory when each of a million rows is wrong.
pub const PROBLEMS_MAX: usize = 10_000;

/// Whether a problem stops the file from being used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is used until this is mended.
    Error,
    /// Worth a look.
    Warning,
}

/// Stable code of a problem: a letter for the family of files and a number, such as `T021`. Numbers below 20 mean the same
/// in every family, see the constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// Letter of the family.
    pub family: char,
    /// Number within it.
    pub number: u16,
}

/// Where a problem is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as the person named it.
    pub file: Arc<str>,
    /// Line, from 1; 0 = the file as a whole.
    pub line: u32,
}

/// One thing that is wrong, for the person who can mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// Error or warning.
    pub severity: Severity,
    /// Stable code.
    pub code: Code,
    /// What is wrong, value included, in lower case without a full stop.
    pub what: String,
    /// The rule or the limit that it breaks; empty = said already.
    pub why: String,
    /// What to do; empty = nothing to add.
    pub help: String,
}

/// What one run found, ordered by file and line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    left_out: usize,
    left_out_errors: usize,
}

impl Code {
    /// The file cannot be read.
    pub const FILE: u16 = 1;
    /// A key that nothing reads.
    pub const UNKNOWN_KEY: u16 = 2;
    /// A key or column that must be there.
    pub const MISSING: u16 = 3;
    /// A value of another type.
    pub const TYPE: u16 = 4;
    /// A value outside its range or longer than its limit.
    pub const RANGE: u16 = 5;
    /// A word that is none of those allowed.
    pub const WORD: u16 = 6;
    /// Text that does not follow its format.
    pub const FORMAT: u16 = 7;
    /// Not TOML, not CSV, not UTF-8.
    pub const SYNTAX: u16 = 8;
    /// Something named twice.
    pub const DUPLICATE: u16 = 9;
    /// A name that is defined nowhere.
    pub const UNDEFINED: u16 = 10;
}

impl Place {
    /// The file as a whole.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self {
            file: file.into(),
            line: 0,
        }
    }

    /// Another line of the same file.
    pub fn at(&self, line: u32) -> Self {
        Self {
            file: Arc::clone(&self.file),
            line,
        }
    }
}

impl Problems {
    /// Whether anything forbids use.
    pub fn has_errors(&self) -> bool {
        self.left_out_errors > 0 || self.list.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems kept, by file and line.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many of `severity` there are among those kept.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|problem| problem.severity == severity).count()
    }

    /// How many were found beyond [`PROBLEMS_MAX`].
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Adds what another run found.
    pub fn append(&mut self, other: Self) {
        self.left_out += other.left_out;
        self.left_out_errors += other.left_out_errors;
        other.list.into_iter().for_each(|problem| self.push(problem));
        self.sort();
    }

    pub(crate) fn push(&mut self, problem: Problem) {
        if self.list.len() < PROBLEMS_MAX {
            self.list.push(problem);
        } else {
            self.left_out += 1;
            self.left_out_errors += usize::from(problem.severity == Severity::Error);
        }
    }

    pub(crate) fn sort(&mut self) {
        self.list.sort_by(|a, b| a.place.cmp(&b.place));
        // What two readers of one line say alike is one problem.
        self.list.dedup();
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:03}", self.family, self.number)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}[{}]: {}", self.place, self.severity, self.code, self.what)?;
        for line in self.why.lines() {
            write!(f, "\n  {line}")?;
        }
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", self.help)?;
        }
        Ok(())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(f, "{gap}{problem}")?;
        }
        if self.left_out > 0 {
            write!(f, "\nand {} more, not shown", self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A problem as an object: `file`, `line`, `severity`, `code`, `what`, `why`, `help`.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Problem", 7)?;
        object.serialize_field("file", &*self.place.file)?;
        object.serialize_field("line", &self.place.line)?;
        object.serialize_field("severity", &self.severity)?;
        object.serialize_field("code", &self.code)?;
        object.serialize_field("what", &self.what)?;
        object.serialize_field("why", &self.why)?;
        object.serialize_field("help", &self.help)?;
        object.end()
    }
}

impl Serialize for Problems {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.list)
    }
}
