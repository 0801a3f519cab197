//! `table diff`: what changes from one table to another.

use std::path::Path;

use source::Problems;

use super::{EXIT_NEGATIVE, Output, json_line, unusable};
use crate::{
    diff::{self, Side},
    files::{self, Files},
};

/// How `table diff` speaks and exits.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiffForm {
    /// One JSON object, complete.
    pub json: bool,
    /// Every change, not the heaviest of each group.
    pub all: bool,
    /// Exit 1 where the tables differ.
    pub exit_code: bool,
}

/// `table diff OLD NEW [--all] [--json] [--exit-code]`: what changes. Two sound tables exit 0, whether they differ or not.
pub fn diff(old: &Path, new: &Path, form: DiffForm) -> Output {
    let read = |dir: &Path| -> Result<Files, Output> { files::read(dir).map_err(|problems| in_dir(dir, &problems)) };
    let (old_files, new_files) = match (read(old), read(new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(refused), _) | (_, Err(refused)) => return refused,
    };
    // Which of the two is unsound must be said: their files have the same names.
    let diff = match diff::diff(&old_files, &new_files) {
        Ok(diff) => diff,
        Err((which, problems)) => return in_dir(if which == Side::Old { old } else { new }, &problems),
    };
    let code = if form.exit_code && diff.differs {
        EXIT_NEGATIVE
    } else {
        0
    };
    Output {
        stdout: if form.json {
            json_line(&diff)
        } else {
            diff.text(form.all)
        },
        code,
        ..Output::default()
    }
}

fn in_dir(dir: &Path, problems: &Problems) -> Output {
    let mut output = unusable(dir, problems);
    if dir.is_dir() {
        output.stderr = format!("{}:\n{}", dir.display(), output.stderr);
    }
    output
}
