//! Names that are defined, and what to say of one that is not.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use source::nearest;

/// Different unknown names that are compared with every known one: beyond, the slip is not in single names.
const COMPARED_MAX: usize = 1_000;

/// Defined names, for many questions.
pub(crate) struct Known<'a> {
    names: BTreeSet<&'a str>,
    /// What was said of unknown names: a million rows may name one of them.
    helps: RefCell<BTreeMap<String, String>>,
}

impl<'a> Known<'a> {
    pub(crate) fn new(names: impl Iterator<Item = &'a str>) -> Self {
        Self {
            names: names.collect(),
            helps: RefCell::default(),
        }
    }

    /// Whether `name` is defined.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The name that differs in capital letters alone, or else in a few slips.
    fn nearest(&self, name: &str) -> Option<&'a str> {
        let mut names = self.names.iter().copied();
        let alike = names.find(|known| known.eq_ignore_ascii_case(name));
        alike.or_else(|| nearest(name, self.names.iter().copied()))
    }

    /// What helps whoever wrote `name`, which is not defined.
    pub(crate) fn help(&self, name: &str) -> String {
        let mut helps = self.helps.borrow_mut();
        if let Some(help) = helps.get(name) {
            return help.clone();
        }
        let is_compared = helps.len() < COMPARED_MAX;
        let meant = is_compared.then(|| self.nearest(name)).flatten();
        let help = match meant {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "define it there, or mend the name".to_owned(),
        };
        if is_compared {
            helps.insert(name.to_owned(), help.clone());
        }
        help
    }
}
