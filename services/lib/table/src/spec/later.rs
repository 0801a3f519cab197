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

/// Refuses files that would change decisions, and points out those that would not.
pub(super) fn refuse_files(files: &Files, log: &Log) {
    let what = "the file is not supported yet";
    let why = "this version does not act on it";
    for path in ["senders.csv", "quality.csv"]
        .into_iter()
        .filter(|path| files.get(path).is_some())
    {
        log.error(Place::file(path).at(1), code::LATER, what, why, "remove it");
    }
    for (_, path, _) in files.folder("sell") {
        log.error(Place::file(path).at(1), code::LATER, what, why, "remove it");
    }
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
