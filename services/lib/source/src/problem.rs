//! Problems: where, what, why, and what helps.

use std::{collections::BTreeMap, fmt, sync::Arc};

use serde::{Serialize, Serializer};

/// Problems kept of one run; those beyond are counted. Bounds memory when each of a million rows is wrong.
pub const PROBLEMS_MAX: usize = 2_000;
/// Of these, room that warnings may not take from errors.
const ERRORS_MIN: usize = PROBLEMS_MAX / 2;
/// Errors of one code shown of one file: whoever mends these has mended the others, or knows what to look for.
const ERRORS_OF_FILE_MAX: usize = 100;
/// Warnings of one code shown of one file.
const WARNINGS_OF_FILE_MAX: usize = 10;
/// Warnings of one code shown of all files.
const WARNINGS_OF_CODE_MAX: usize = 30;
/// Longest part of a problem, in characters: a value of a megabyte is not repeated whole.
const PART_CHARS_MAX: usize = 1_500;
const _: () = assert!(
    WARNINGS_OF_CODE_MAX <= ERRORS_MIN,
    "one kind of warning leaves room for others"
);

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
    /// Octet of the line, from 1; 0 = the line as a whole.
    pub column: u32,
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
    /// How many of each kind there are in each file. Empty once the list is closed.
    folds: BTreeMap<(Severity, Code, Arc<str>), Fold>,
    /// Warnings kept of each code.
    warned: BTreeMap<Code, usize>,
    errors: usize,
    warnings: usize,
    left_out: usize,
}

/// Problems of one kind in one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Fold {
    /// Those kept, as indices of the list.
    kept: Vec<usize>,
    left_out: usize,
    /// Line of the last one left out.
    last: u32,
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
            column: 0,
        }
    }

    /// Another line of the same file, as a whole.
    pub fn at(&self, line: u32) -> Self {
        Self {
            file: Arc::clone(&self.file),
            line,
            column: 0,
        }
    }
}

impl Problems {
    /// Whether anything forbids use.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Whether there is nothing at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The problems kept, by file and line. Where many are alike the first few stand for them, and a last one says how many
    /// more there are.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }

    /// How many of `severity` were found, those left out too.
    pub fn count(&self, severity: Severity) -> usize {
        match severity {
            Severity::Error => self.errors,
            Severity::Warning => self.warnings,
        }
    }

    /// How many were found and are not shown.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Adds what another run found.
    pub fn append(&mut self, other: Self) {
        self.left_out += other.left_out;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.list.extend(other.list);
        self.sort();
    }

    pub(crate) fn push(&mut self, mut problem: Problem) {
        for part in [&mut problem.what, &mut problem.why, &mut problem.help] {
            shorten(part);
        }
        let severity = problem.severity;
        let (room, of_file) = match severity {
            Severity::Error => (PROBLEMS_MAX, ERRORS_OF_FILE_MAX),
            Severity::Warning => (PROBLEMS_MAX - ERRORS_MIN, WARNINGS_OF_FILE_MAX),
        };
        let key = (severity, problem.code, Arc::clone(&problem.place.file));
        let fold = self.folds.entry(key).or_default();
        // What two readers of one line say alike is one problem.
        if fold.kept.iter().any(|at| self.list[*at] == problem) {
            return;
        }
        let warned = self.warned.entry(problem.code).or_default();
        let is_news = match severity {
            Severity::Error => true,
            Severity::Warning => *warned < WARNINGS_OF_CODE_MAX,
        };
        *match severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        } += 1;
        if is_news && self.list.len() < room && fold.kept.len() < of_file {
            *warned += usize::from(severity == Severity::Warning);
            fold.kept.push(self.list.len());
            self.list.push(problem);
        } else {
            fold.left_out += 1;
            fold.last = problem.place.line;
            self.left_out += 1;
        }
    }

    /// Says how many there are of what was left out, and sorts.
    pub(crate) fn close(&mut self) {
        let mut elsewhere: BTreeMap<(Severity, Code), (usize, usize, Place)> = BTreeMap::new();
        for ((severity, code, file), fold) in std::mem::take(&mut self.folds) {
            if fold.left_out == 0 {
                continue;
            }
            if fold.kept.is_empty() {
                let place = Place::file(file).at(fold.last);
                let (files, more, _) = elsewhere.entry((severity, code)).or_insert((0, 0, place));
                (*files, *more) = (*files + 1, *more + fold.left_out);
                continue;
            }
            let what = format!("and {} more like it in this file, the last one here", fold.left_out);
            self.close_with(Place::file(file).at(fold.last), severity, code, what);
        }
        for ((severity, code), (files, more, place)) in elsewhere {
            let others = if files == 1 {
                String::new()
            } else {
                format!(" and {} other files", files - 1)
            };
            self.close_with(
                place,
                severity,
                code,
                format!("{more} more of this code in this file{others}, not shown"),
            );
        }
        self.sort();
    }

    fn close_with(&mut self, place: Place, severity: Severity, code: Code, what: String) {
        let (why, help) = (String::new(), String::new());
        self.list.push(Problem {
            place,
            severity,
            code,
            what,
            why,
            help,
        });
    }

    fn sort(&mut self) {
        // Stable: what is said of one line stays in the order in which it was found.
        let key = |problem: &Problem| (Arc::clone(&problem.place.file), problem.place.line);
        self.list.sort_by_cached_key(key);
    }
}

/// Cuts a part that is too long for people.
fn shorten(part: &mut String) {
    if part.len() <= PART_CHARS_MAX {
        return;
    }
    if let Some((end, _)) = part.char_indices().nth(PART_CHARS_MAX) {
        part.truncate(end);
        part.push('…');
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

/// Text with its control characters escaped: what a file holds must not move a terminal's cursor or forge a line.
struct Harmless<'a>(&'a str);

impl fmt::Display for Harmless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0.split_inclusive(char::is_control) {
            let mut chars = part.chars();
            match chars.next_back().filter(|last| last.is_control()) {
                Some(last) => write!(f, "{}{}", chars.as_str(), last.escape_default())?,
                None => f.write_str(part)?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", Harmless(&self.file)),
            line => write!(f, "{}:{line}", Harmless(&self.file)),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}[{}]: {}",
            self.place,
            self.severity,
            self.code,
            Harmless(&self.what)
        )?;
        for line in self.why.lines() {
            write!(f, "\n  {}", Harmless(line))?;
        }
        if !self.help.is_empty() {
            write!(f, "\n  help: {}", Harmless(&self.help))?;
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

/// A problem as an object: `file`, `line` (0 = the file), `column` (null = the line), `severity`, `code`, `what`, `why`,
/// `help`.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut object = serializer.serialize_struct("Problem", 8)?;
        object.serialize_field("file", &*self.place.file)?;
        object.serialize_field("line", &self.place.line)?;
        object.serialize_field("column", &Some(self.place.column).filter(|column| *column > 0))?;
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
