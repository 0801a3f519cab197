//! The collector that every reader of one run writes to.

use std::cell::RefCell;

use crate::{Code, Place, Problem, Problems, Severity};

/// Collects the problems of one run over files of one family.
#[derive(Debug)]
pub struct Log {
    family: char,
    problems: RefCell<Problems>,
}

impl Log {
    /// An empty log whose codes begin with `family`.
    pub fn new(family: char) -> Self {
        Self {
            family,
            problems: RefCell::default(),
        }
    }

    /// Adds an error: what is wrong, the rule behind it, what helps. The last two may be empty.
    pub fn error(
        &self,
        place: Place,
        number: u16,
        what: impl Into<String>,
        why: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Error, place, number, [what.into(), why.into(), help.into()]);
    }

    /// Adds a warning: what looks wrong, why, what helps. The last two may be empty.
    pub fn warning(
        &self,
        place: Place,
        number: u16,
        what: impl Into<String>,
        why: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add(Severity::Warning, place, number, [what.into(), why.into(), help.into()]);
    }

    fn add(&self, severity: Severity, place: Place, number: u16, [what, why, help]: [String; 3]) {
        let code = Code {
            family: self.family,
            number,
        };
        self.problems.borrow_mut().push(Problem {
            place,
            severity,
            code,
            what,
            why,
            help,
        });
    }

    /// Whether an error was logged so far.
    pub fn has_errors(&self) -> bool {
        self.problems.borrow().has_errors()
    }

    /// What was collected, by file and line.
    pub fn into_problems(self) -> Problems {
        let mut problems = self.problems.into_inner();
        problems.close();
        problems
    }
}
