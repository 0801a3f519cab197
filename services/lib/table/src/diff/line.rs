//! The difference in one line, as a log tells it: how many of what and the first names, and no values, which may hold the
//! numbers and texts of people.

use super::{Change, Diff, SheetChange, text};

/// Names told of each group; the others are counted.
const NAMES_TOLD: usize = 3;

impl Diff {
    /// The difference in one bounded line.
    pub fn line(&self) -> String {
        let mut parts = Vec::new();
        if !self.settings.is_empty() {
            let keys = self.settings.iter().map(|field| &*field.key);
            parts.push(format!("settings {}", names(keys, self.settings.len())));
        }
        let named = [
            ("carriers", &self.carriers),
            ("policies", &self.policies),
            ("sets", &self.sets),
        ];
        for (group, changes) in named.iter().filter(|(_, changes)| !changes.is_empty()) {
            let told = names(changes.iter().map(|change| &*change.name), changes.len());
            parts.push(format!("{group} {} ({told})", text::counts(changes)));
        }
        // What these are called says nothing in a log, and a ported number is somebody's.
        let counted: [(&str, &[Change]); 4] = [
            ("senders", &self.senders),
            ("quality", &self.quality),
            ("numbering", &self.numbering),
            ("ported numbers", &self.ported),
        ];
        for (group, changes) in counted.iter().filter(|(_, changes)| !changes.is_empty()) {
            parts.push(format!("{group} {}", text::counts(changes)));
        }
        parts.extend(sheets("rates", &self.rates));
        parts.extend(sheets("sell prices", &self.sell));
        if parts.is_empty() {
            return "no difference".to_owned();
        }
        parts.join("; ")
    }
}

/// The first `NAMES_TOLD` of `count` names.
fn names<'a>(names: impl Iterator<Item = &'a str>, count: usize) -> String {
    let told: Vec<&str> = names.take(NAMES_TOLD).collect();
    match count - told.len() {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

/// What is said of one kind of sheets; `None` = none differs.
fn sheets(kind: &str, sheets: &[SheetChange]) -> Option<String> {
    if sheets.is_empty() {
        return None;
    }
    let told = sheets.iter().take(NAMES_TOLD);
    let told: Vec<String> = told
        .map(|sheet| format!("{} ({})", sheet.owner, text::sheet_counts(sheet)))
        .collect();
    let names = names(told.iter().map(String::as_str), sheets.len());
    Some(format!("{kind} of {names}"))
}

#[cfg(test)]
mod tests;
