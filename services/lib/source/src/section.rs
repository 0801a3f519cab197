//! One table of a TOML file, read key by key.

use std::{cell::RefCell, collections::BTreeSet};

use toml::de::DeTable;

use crate::{Code, Entry, Log, Place, document::SourceMap, nearest};

/// Unknown keys of one table that are refused one by one: guessing what was meant takes its time.
const UNKNOWN_KEYS_MAX: usize = 1_000;

/// One table of a TOML file. Every key asked for is remembered; dropping the section refuses the rest as unknown.
#[derive(Debug)]
pub struct Section<'a> {
    path: String,
    table: &'a DeTable<'a>,
    place: Place,
    map: &'a SourceMap,
    log: &'a Log,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Section<'a> {
    pub(crate) fn new(path: String, table: &'a DeTable<'a>, place: Place, map: &'a SourceMap, log: &'a Log) -> Self {
        Self {
            path,
            table,
            place,
            map,
            log,
            asked: RefCell::default(),
        }
    }

    /// The value of `name`, present or not.
    pub fn key(&self, name: &str) -> Entry<'a> {
        self.asked.borrow_mut().insert(name.to_owned());
        let path = self.path_of(name);
        match self.table.get_key_value(name) {
            Some((_, value)) => Entry::present(path, value, self.map, self.log),
            None => Entry::absent(path, self.place.clone(), self.map, self.log),
        }
    }

    /// Every key with its value, for tables whose keys are names; in text order. None of them counts as unknown.
    pub fn entries(&self) -> Vec<(&'a str, Entry<'a>)> {
        let mut asked = self.asked.borrow_mut();
        let entries = self.table.iter().map(|(key, value)| {
            let name: &'a str = key.get_ref();
            asked.insert(name.to_owned());
            (name, Entry::present(self.path_of(name), value, self.map, self.log))
        });
        entries.collect()
    }

    /// Where the section begins.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// Where `name` stands, or the section if it is not there.
    pub fn place_of(&self, name: &str) -> Place {
        self.table
            .get_key_value(name)
            .map_or_else(|| self.place(), |(key, _)| self.map.place(key.span().start))
    }

    /// Whether `name` is written.
    pub fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The log this section writes to.
    pub fn log(&self) -> &'a Log {
        self.log
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        let asked = self.asked.borrow();
        let known: Vec<&str> = asked.iter().map(String::as_str).collect();
        let why = format!("keys known here: {}", known.join(", "));
        let unknown = self.table.keys().filter(|key| !asked.contains(&**key.get_ref()));
        for key in unknown.take(UNKNOWN_KEYS_MAX) {
            let name: &str = key.get_ref();
            let what = format!("unknown key \"{}\"", self.path_of(name));
            let why = why.clone();
            let help = match nearest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "remove it".to_owned(),
            };
            self.log
                .error(self.map.place(key.span().start), Code::UNKNOWN_KEY, what, why, help);
        }
    }
}
