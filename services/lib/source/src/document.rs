//! A TOML file: its tree and where each part of it stands.

use std::sync::Arc;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::{Code, Log, Place, Section};

/// Largest TOML file read, in octets.
pub const DOCUMENT_OCTETS_MAX: usize = 4 * 1_024 * 1_024;

/// A TOML file as written, with positions.
#[derive(Clone, Debug)]
pub struct Document<'t> {
    pub(crate) map: SourceMap,
    root: Spanned<DeTable<'t>>,
}

/// Where octet offsets are: lines of the file, and values that were set from outside.
#[derive(Clone, Debug)]
pub(crate) struct SourceMap {
    file: Arc<str>,
    line_starts: Vec<usize>,
    octets: usize,
    origins: Vec<Arc<str>>,
}

impl<'t> Document<'t> {
    /// Reads `text`, called `file` in problems. `None` = it is not TOML, and every syntax error is in `log`.
    pub fn parse(file: &str, text: &'t str, log: &Log) -> Option<Self> {
        let map = SourceMap::new(file, text);
        if text.len() > DOCUMENT_OCTETS_MAX {
            let what = format!("file has {} octets, the limit is {DOCUMENT_OCTETS_MAX}", text.len());
            log.error(
                Place::file(file).at(1),
                Code::RANGE,
                what,
                "",
                "remove what nothing needs",
            );
            return None;
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            let offset = error.span().map_or(text.len(), |span| span.start);
            log.error(
                map.place(offset),
                Code::SYNTAX,
                format!("not valid TOML: {}", error.message()),
                "",
                "",
            );
        }
        errors.is_empty().then_some(Self { map, root })
    }

    /// Sets the value at `path`, creating sections on the way; for overrides from outside the file. `text` is taken as a
    /// TOML value, or else as a string. Problems with it name `origin` in place of the file.
    ///
    /// A path through a value that is no section replaces that value.
    pub fn set(&mut self, path: &[&str], text: &'t str, origin: &str) {
        let Some((last, sections)) = path.split_last() else {
            return;
        };
        self.map.origins.push(origin.into());
        let offset = self.map.octets + self.map.origins.len();
        let value = match DeValue::parse(text) {
            Ok(value) => value.into_inner(),
            Err(_) => DeValue::String(text.into()),
        };
        let mut table = self.root.get_mut();
        for section in sections {
            let next = table
                .entry(Spanned::new(offset..offset, (*section).to_owned().into()))
                .or_insert_with(|| Spanned::new(offset..offset, DeValue::Table(DeTable::new())));
            if !next.get_ref().is_table() {
                *next = Spanned::new(offset..offset, DeValue::Table(DeTable::new()));
            }
            let DeValue::Table(inner) = next.get_mut() else { return };
            table = inner;
        }
        table.insert(
            Spanned::new(offset..offset, (*last).to_owned().into()),
            Spanned::new(offset..offset, value),
        );
    }

    /// The top of the file.
    pub fn root<'a>(&'a self, log: &'a Log) -> Section<'a> {
        Section::new(String::new(), self.root.get_ref(), self.map.place(0), &self.map, log)
    }
}

impl SourceMap {
    fn new(file: &str, text: &str) -> Self {
        let line_ends = text
            .bytes()
            .enumerate()
            .filter(|(_, octet)| *octet == b'\n')
            .map(|(offset, _)| offset + 1);
        let line_starts = std::iter::once(0).chain(line_ends).collect();
        Self {
            file: file.into(),
            line_starts,
            octets: text.len(),
            origins: Vec::new(),
        }
    }

    pub(crate) fn place(&self, offset: usize) -> Place {
        if offset > self.octets {
            let origin = &self.origins[(offset - self.octets - 1).min(self.origins.len() - 1)];
            return Place::file(Arc::clone(origin));
        }
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = line.checked_sub(1).map_or(0, |at| self.line_starts[at]);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Place {
            file: Arc::clone(&self.file),
            line: number(line),
            column: number(offset - start + 1),
        }
    }
}
