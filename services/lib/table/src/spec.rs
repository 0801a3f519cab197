//! The table as written: every file read into values, with positions where a later check may have to speak of them.

mod carriers;
pub(crate) mod cases;
mod conditions;
mod csv;
mod hours;
mod known;
mod numbering;
mod pattern;
mod policies;
mod ported;
mod quality;
mod rates;
mod route;
mod senders;
mod sets;
mod settings;

use source::{Code, DOCUMENT_OCTETS_MAX, Document, Log, Place};

use self::sets::Sets;
pub(crate) use self::{
    carriers::{CARRIERS_MAX, CarrierSpec, EncodingSet, SenderKindSet},
    cases::{Aspect, CaseSpec, DEFAULTS, Expectation, UNKNOWN},
    conditions::{Conditions, Test},
    known::Known,
    numbering::PlanRow,
    policies::{End, PolicySpec},
    quality::QualityRow,
    rates::{RateKey, RateRow, Sheet},
    route::{Named, RouteSpec},
    senders::SenderRow,
    settings::Settings,
};
pub use self::{
    carriers::{Charged, RouteType},
    route::{Lookup, OnUnknown, Strategy},
};
use crate::{digits::Digits, files::Files, network::Network};

/// Longest name of anything, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 64;
/// Most items in one list.
pub(crate) const LIST_MAX: usize = 10_000;

/// A table as written. Parts that could not be read are left out, and the log tells.
#[derive(Debug, Default)]
pub(crate) struct Spec {
    pub(crate) version: String,
    pub(crate) settings: Settings,
    /// `None` = the file could not be read, so nothing is known about names.
    pub(crate) carriers: Option<Vec<CarrierSpec>>,
    pub(crate) policies: Vec<PolicySpec>,
    pub(crate) plan: Vec<PlanRow>,
    pub(crate) sheets: Vec<Sheet>,
    /// What customers pay.
    pub(crate) sell: Vec<Sheet>,
    pub(crate) senders: Vec<SenderRow>,
    pub(crate) quality: Vec<QualityRow>,
    /// In order of the numbers.
    pub(crate) ported: Vec<(Digits, Network)>,
    /// Sets that no list names: name and place.
    pub(crate) unused_sets: Vec<(String, Place)>,
    pub(crate) cases: Vec<CaseSpec>,
}

impl Spec {
    /// Reads every file; what is wrong with any of them is logged.
    pub(crate) fn read(files: &Files, log: &Log) -> Self {
        let sets = Sets::read(files, log);
        let spec = Self {
            version: files.version(),
            settings: toml(files, "table.toml", log, settings::read).unwrap_or_default(),
            carriers: toml(files, "carriers.toml", log, |root| carriers::read(root, &sets)),
            policies: toml(files, "policies.toml", log, |root| policies::read(root, &sets)).unwrap_or_default(),
            plan: numbering::read(files, log),
            sheets: rates::read("rates", files, log),
            sell: rates::read("sell", files, log),
            ported: ported::read(files, log),
            senders: senders::read(files, log),
            quality: quality::read(files, log),
            cases: cases(files, log),
            unused_sets: Vec::new(),
        };
        Self {
            unused_sets: sets.unused(),
            ..spec
        }
    }
}

/// The cases; none, if the file is not there.
fn cases(files: &Files, log: &Log) -> Vec<CaseSpec> {
    files
        .get(cases::PATH)
        .and_then(|_| toml(files, cases::PATH, log, cases::read))
        .unwrap_or_default()
}

/// Reads one TOML file with `read`. `None` = not there or not TOML.
fn toml<T>(files: &Files, path: &str, log: &Log, read: impl FnOnce(&source::Section<'_>) -> T) -> Option<T> {
    let text = text(files, path, log)?;
    if text.len() > DOCUMENT_OCTETS_MAX {
        let what = format!("file has {} octets, the limit is {DOCUMENT_OCTETS_MAX}", text.len());
        let help = "move long lists into files of their own under sets/, and name them \"@name\"";
        log.error(Place::file(path).at(1), Code::RANGE, what, "", help);
        return None;
    }
    let document = Document::parse(path, text, log)?;
    Some(read(&document.root(log)))
}

/// A file that must be there, as text.
fn text<'a>(files: &'a Files, path: &str, log: &Log) -> Option<&'a str> {
    let Some(content) = files.get(path) else {
        log.error(
            Place::file(path).at(1),
            Code::MISSING,
            "the file is missing",
            "a table is not whole without it",
            "",
        );
        return None;
    };
    let content = octets(content, &Place::file(path), log)?;
    match std::str::from_utf8(content) {
        Ok(text) => Some(text),
        Err(error) => {
            let line = 1 + content[..error.valid_up_to()]
                .iter()
                .filter(|octet| **octet == b'\n')
                .count();
            let place = Place::file(path).at(u32::try_from(line).unwrap_or(u32::MAX));
            log.error(place, Code::SYNTAX, "not valid UTF-8", "", "save the file as UTF-8");
            None
        }
    }
}

/// A file without its byte order mark. `None` = it is UTF-16, of which every line would be wrong in a way of its own.
fn octets<'a>(content: &'a [u8], file: &Place, log: &Log) -> Option<&'a [u8]> {
    // Every file of a table begins with ASCII, of which UTF-16 makes a NUL and the character.
    let is_utf_16 = matches!(
        content,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0xff, ..] | [1..=0xff, 0, ..]
    );
    if is_utf_16 {
        log.error(file.at(1), Code::SYNTAX, "the file is UTF-16", "", "save it as UTF-8");
        return None;
    }
    Some(content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content))
}
