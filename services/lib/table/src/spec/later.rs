//! What belongs to the format but not to this version: refused by name, so that nothing is ever ignored in silence.

use source::{Entry, Log, Place, Section};

use crate::{code, files::Files};

/// Refuses each of `keys` that is written.
pub(super) fn refuse_keys(section: &Section<'_>, keys: &[&str]) {
    for entry in keys.iter().map(|key| section.key(key)).filter(Entry::is_present) {
        refuse(&entry);
    }
}

/// Refuses the value of `entry`.
pub(super) fn refuse(entry: &Entry<'_>) {
    entry.refuse(
        code::LATER,
        "is not supported yet",
        "this version does not act on it",
        "remove it",
    );
}

/// Points out files that this version does not act on; none of them changes a decision.
pub(super) fn warn_files(files: &Files, log: &Log) {
    if files.get("cases.toml").is_some() {
        log.warning(
            Place::file("cases.toml").at(1),
            code::LATER,
            "cases are not run yet",
            "",
            "",
        );
    }
}
