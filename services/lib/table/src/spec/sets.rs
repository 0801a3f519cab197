//! `sets/<name>.txt`: lists kept in files of their own, named `"@name"` wherever a list of values may stand.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use source::{Code, Entry, Log, Place, nearest};

use super::{LIST_MAX, conditions::TEXTS_OF_TABLE_MAX, octets};
use crate::{code, files::Files};

/// Most entries of one set.
const ENTRIES_MAX: usize = 2_000_000;
/// Longest entry, in octets.
const ENTRY_OCTETS_MAX: usize = 256;
/// Most entries of all lists together, a set counted wherever it stands: bounds what a table costs to read and to hold.
const EXPANDED_MAX: usize = 4_000_000;
const _: () = assert!(ENTRIES_MAX <= EXPANDED_MAX, "the largest set may be named");

/// Every set by name. An entry keeps its line.
#[derive(Debug, Default)]
pub(super) struct Sets {
    sets: BTreeMap<String, Set>,
    used: RefCell<BTreeSet<String>>,
    /// Entries that sets brought into lists so far.
    expanded: Cell<usize>,
    /// Regular expressions read so far.
    texts: Cell<u32>,
}

#[derive(Debug)]
struct Set {
    file: Place,
    entries: Vec<(u32, String)>,
}

impl Sets {
    /// Reads every set: one entry a line, blanks around it and blank lines dropped.
    pub(super) fn read(files: &Files, log: &Log) -> Self {
        let sets = files.folder("sets").map(|(name, path, content)| {
            let file = Place::file(path).at(1);
            (
                name.to_owned(),
                Set {
                    entries: read_entries(&file, content, log),
                    file,
                },
            )
        });
        Self {
            sets: sets.collect(),
            ..Self::default()
        }
    }

    /// Counts a regular expression; no = there are too many.
    pub(super) fn spend_text(&self) -> bool {
        self.texts.set(self.texts.get() + 1);
        self.texts.get() <= TEXTS_OF_TABLE_MAX
    }

    /// Where the sets stand that no list names, with their names.
    pub(super) fn unused(&self) -> Vec<(String, Place)> {
        let used = self.used.borrow();
        let unused = self.sets.iter().filter(|(name, _)| !used.contains(*name));
        unused.map(|(name, set)| (name.clone(), set.file.clone())).collect()
    }

    /// The values of a list that is not empty: each item read by `parse`, a set standing for its entries. `None` = absent or
    /// no list.
    pub(super) fn values<T, E: Display>(
        &self,
        entry: &Entry<'_>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let placed = self.placed(entry, parse)?;
        Some(placed.into_iter().map(|(value, _)| value).collect())
    }

    /// As [`Sets::values`], with the place of each.
    pub(super) fn placed<T, E: Display>(
        &self,
        entry: &Entry<'_>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<(T, Place)>> {
        let items = entry.items(LIST_MAX)?;
        if items.is_empty() {
            refuse_empty(entry);
        }
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let Some(text) = item.str() else { continue };
            match text.strip_prefix('@') {
                Some(name) => self.expand(name, &item, &parse, &mut values),
                None => values.extend(item.parse(&parse).map(|value| (value, item.place()))),
            }
        }
        Some(values)
    }

    fn expand<T, E: Display>(
        &self,
        name: &str,
        item: &Entry<'_>,
        parse: impl Fn(&str) -> Result<T, E>,
        values: &mut Vec<(T, Place)>,
    ) {
        let Some(set) = self.sets.get(name) else {
            let help = match nearest(name, self.sets.keys().map(String::as_str)) {
                Some(meant) => format!("did you mean \"@{meant}\"?"),
                None => format!("add sets/{name}.txt"),
            };
            item.refuse(
                Code::UNDEFINED,
                format_args!("names the set \"@{name}\", which is not there"),
                "",
                help,
            );
            return;
        };
        self.used.borrow_mut().insert(name.to_owned());
        let expanded = self.expanded.get() + set.entries.len();
        self.expanded.set(expanded);
        if expanded > EXPANDED_MAX {
            let what = format!("brings more than {EXPANDED_MAX} entries of sets into the lists of this table");
            item.refuse(
                Code::RANGE,
                what,
                "a set counts wherever it stands",
                "name it once, and tag what it fits",
            );
            return;
        }
        values.reserve(set.entries.len());
        for (line, text) in &set.entries {
            match parse(text) {
                Ok(value) => values.push((value, set.file.at(*line))),
                Err(error) => {
                    let what = format!("\"{text}\" is refused: {error}");
                    let why = format!("the set stands in \"{}\"", item.path());
                    item.log().error(set.file.at(*line), Code::FORMAT, what, why, "");
                }
            }
        }
    }
}

/// Logs that a list is empty.
pub(super) fn refuse_empty(entry: &Entry<'_>) {
    entry.refuse(
        code::EMPTY,
        "is an empty list",
        "nothing is any of nothing",
        "remove the key, or fill the list",
    );
}

fn read_entries(file: &Place, content: &[u8], log: &Log) -> Vec<(u32, String)> {
    let mut entries = Vec::new();
    let Some(content) = octets(content, file, log) else {
        return entries;
    };
    for (line, octets) in (1..).zip(content.split(|octet| *octet == b'\n')) {
        match std::str::from_utf8(octets).map(str::trim) {
            Ok("") => {}
            Ok(text) if text.len() > ENTRY_OCTETS_MAX => {
                let what = format!("entry has {} octets, the limit is {ENTRY_OCTETS_MAX}", text.len());
                log.error(file.at(line), Code::RANGE, what, "", "");
            }
            Ok(text) => entries.push((line, text.to_owned())),
            Err(_) => log.error(
                file.at(line),
                Code::SYNTAX,
                "not valid UTF-8",
                "",
                "save the file as UTF-8",
            ),
        }
        if entries.len() > ENTRIES_MAX {
            log.error(
                file.at(line),
                Code::RANGE,
                format!("more than {ENTRIES_MAX} entries"),
                "",
                "split the set, and name both parts where it is named",
            );
            break;
        }
    }
    if entries.is_empty() {
        log.warning(
            file.clone(),
            code::EMPTY,
            "the set is empty",
            "nothing is any of nothing",
            "",
        );
    }
    entries
}
