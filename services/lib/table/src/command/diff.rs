//! `table diff`: what changes from one table to another.

use std::{fmt::Write as _, path::Path};

use serde::Serialize;
use source::{Problem, Problems};

use super::{EXIT_FINE, EXIT_NEGATIVE, EXIT_USAGE, Invalid, Output, is_usage, json_line};
use crate::{
    diff::{self, Side},
    files,
};

/// How `table diff` speaks and exits.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiffForm {
    /// One JSON object, complete.
    pub json: bool,
    /// Every change, not the heaviest of each group.
    pub all: bool,
    /// Exit 1 where the tables differ, and 64 where one is unsound.
    pub exit_code: bool,
}

/// `table diff OLD NEW [--all] [--json] [--exit-code]`: what changes. Two sound tables exit 0, whether they differ or not, and
/// an unsound one exits 1; with `--exit-code` 1 means that they differ, so an unsound one exits 64.
pub fn diff(old: &Path, new: &Path, form: DiffForm) -> Output {
    let mut stderr = String::new();
    let diff = match (files::read(old), files::read(new)) {
        (Ok(old_files), Ok(new_files)) => {
            stderr = in_dir(old, old_files.strays()) + &in_dir(new, new_files.strays());
            diff::diff(&old_files, &new_files)
        }
        (old, new) => {
            let sides = [(Side::Old, old.err()), (Side::New, new.err())];
            let unread = sides.into_iter().filter_map(|(side, problems)| Some((side, problems?)));
            Err(unread.collect())
        }
    };
    let diff = match diff {
        Ok(diff) => diff,
        Err(unsound) => return refuse(old, new, &unsound, form),
    };
    let code = if form.exit_code && diff.differs {
        EXIT_NEGATIVE
    } else {
        EXIT_FINE
    };
    Output {
        stdout: if form.json {
            json_line(&diff)
        } else {
            diff.text(form.all)
        },
        stderr,
        code,
    }
}

/// A problem and the table that has it: the files of both have the same names.
#[derive(Serialize)]
struct Sided<'a> {
    side: Side,
    #[serde(flatten)]
    problem: &'a Problem,
}

fn refuse(old: &Path, new: &Path, unsound: &[(Side, Problems)], form: DiffForm) -> Output {
    let mut output = Output {
        code: if form.exit_code { EXIT_USAGE } else { EXIT_NEGATIVE },
        ..Output::default()
    };
    let mut problems = Vec::new();
    for (side, found) in unsound {
        let (side, dir) = (*side, if *side == Side::Old { old } else { new });
        if is_usage(dir, found) {
            output.code = EXIT_USAGE;
            output.stderr += &format!("{found}\n");
        } else {
            output.stderr += &in_dir(dir, found);
        }
        problems.extend(found.iter().map(|problem| Sided { side, problem }));
    }
    if form.json {
        output.stdout = json_line(&Invalid { problems });
    }
    output
}

/// The problems with paths that an editor can open.
fn in_dir(dir: &Path, problems: &Problems) -> String {
    let (mut text, folder) = (String::new(), dir.join(""));
    for problem in problems.iter() {
        let _ = writeln!(text, "{}{problem}", folder.display());
    }
    // The last line says how many more there are, where there are too many to show.
    let all = problems.to_string();
    if let Some(more) = all.lines().last().filter(|line| line.starts_with("and ")) {
        let _ = writeln!(text, "{more}");
    }
    text
}
