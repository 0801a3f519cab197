//! What carriers' words mean: maps that links share under a name, and what a link says itself.

use std::{collections::BTreeMap, str::FromStr};

use sms::{ReceiptFault, ReceiptState};
use source::{Code, Entry, Section};

use crate::{
    OutcomeMap,
    action::{ActionError, WordedAction},
    maps::Maps,
    outcome::AnswerCode,
};

/// Entries of one map.
const ENTRIES_MAX: usize = 1_000;
/// Maps that links share.
const MAPS_MAX: usize = 256;
/// Longest name of a map or of a carrier's code, and longest word of a carrier, in characters.
const NAME_CHARS_MAX: usize = 32;

const FAULTS: &[(&str, ReceiptFault)] = &[
    ("handset", ReceiptFault::Handset),
    ("route", ReceiptFault::Route),
    ("number", ReceiptFault::Number),
    ("recipient", ReceiptFault::Recipient),
];

/// In whose words the answers of a map stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Smpp,
    Grpc,
    Http,
}

/// Maps by their names. Each is read in the words of the links that name it, once for each protocol.
pub(super) struct Shared<'a>(BTreeMap<String, Written<'a>>);

/// A map as it stands in the file, and as it was read so far.
struct Written<'a> {
    section: Section<'a>,
    read: Vec<(Protocol, Maps)>,
}

/// The maps of `[map.NAME]`.
pub(super) fn shared<'a>(root: &Section<'a>) -> Shared<'a> {
    let mut shared = Shared(BTreeMap::new());
    let entry = root.key("map");
    let Some(sections) = entry.is_present().then(|| entry.section()).flatten() else {
        return shared;
    };
    let named = sections.entries();
    limit(&entry, named.len(), MAPS_MAX);
    for (name, entry) in named {
        let Some(section) = entry.section() else { continue };
        if is_word(name) {
            let read = Vec::new();
            shared.0.insert(name.to_owned(), Written { section, read });
        } else {
            let what = format_args!("is no name of a map, one has 1 to {NAME_CHARS_MAX} letters, digits, - or _");
            entry.refuse(Code::FORMAT, what, "", "");
            // Its own keys are no further problem.
            section.entries();
        }
    }
    shared
}

impl Shared<'_> {
    /// The map called `name` in the words of `protocol`.
    fn get(&mut self, name: &str, protocol: Protocol) -> Option<Maps> {
        let written = self.0.get_mut(name)?;
        if let Some((_, maps)) = written.read.iter().find(|(known, _)| *known == protocol) {
            return Some(maps.clone());
        }
        let maps = own(&written.section, protocol, Maps::default());
        written.read.push((protocol, maps.clone()));
        Some(maps)
    }

    /// Reads what no link named, in the words of SMPP, so that what is wrong with it is told.
    pub(super) fn finish(mut self) {
        let unread = self.0.iter().filter(|(_, written)| written.read.is_empty());
        let unread: Vec<String> = unread.map(|(name, _)| name.clone()).collect();
        for name in unread {
            self.get(&name, Protocol::Smpp);
        }
    }
}

/// The maps of a link that speaks `protocol`: the one it names, with what it says itself on top.
pub(super) fn of_link(section: &Section<'_>, shared: &mut Shared<'_>, protocol: Protocol) -> Maps {
    let entry = section.key("map");
    let named = entry.is_present().then(|| entry.str()).flatten().and_then(|name| {
        let found = shared.get(name, protocol);
        if found.is_none() {
            let known: Vec<&str> = shared.0.keys().map(String::as_str).collect();
            let why = match known.is_empty() {
                true => "there is no [map.NAME] in this file".to_owned(),
                false => format!("maps of this file: {}", known.join(", ")),
            };
            entry.refuse(Code::WORD, "names a map that is not there", why, "");
        }
        found
    });
    own(section, protocol, named.unwrap_or_default())
}

/// What a section says itself, on top of `maps`.
fn own(section: &Section<'_>, protocol: Protocol, mut maps: Maps) -> Maps {
    match protocol {
        Protocol::Smpp => answers(section, &mut maps.outcomes.smpp),
        Protocol::Grpc => answers(section, &mut maps.outcomes.grpc),
        Protocol::Http => answers(section, &mut maps.outcomes.http),
    }
    for (word, entry) in entries(section, "receipt_states") {
        if word.is_empty() || word.chars().count() > NAME_CHARS_MAX {
            let what = format_args!("is no word of a state, one has 1 to {NAME_CHARS_MAX} characters");
            entry.refuse(Code::FORMAT, what, "", "");
        } else if let Some((state, fault)) = entry.parse(state_and_fault) {
            maps.faults.set_word(word, state, fault);
        }
    }
    for (error, entry) in entries(section, "receipt_errors") {
        if let Some(fault) = entry.word(FAULTS) {
            maps.faults.set(error, fault);
        }
    }
    maps
}

fn answers<C: AnswerCode>(section: &Section<'_>, map: &mut OutcomeMap<C>) {
    names(section, map);
    outcomes(section, map);
}

fn names<C: AnswerCode>(section: &Section<'_>, map: &mut OutcomeMap<C>) {
    for (name, entry) in entries(section, "codes") {
        let Some(code) = entry.integer(0..=u32::MAX) else {
            continue;
        };
        match C::of_number(code) {
            _ if !is_word(name) => {
                let what = format_args!("is no name of a code, one has 1 to {NAME_CHARS_MAX} letters, digits, - or _");
                entry.refuse(Code::FORMAT, what, "", "");
            }
            _ if name.parse::<C>().is_ok() => {
                entry.refuse(
                    Code::DUPLICATE,
                    "is a name of the protocol's own",
                    "",
                    "name it otherwise",
                );
            }
            Some(code) => map.call(code, name),
            None => entry.refuse(Code::RANGE, "is no code of this protocol", "", ""),
        }
    }
}

fn outcomes<C: AnswerCode>(section: &Section<'_>, map: &mut OutcomeMap<C>) {
    let success = C::of_number(0);
    for (written, entry) in entries(section, "outcomes") {
        match map.answer(written) {
            Ok(code) if Some(code) == success => {
                let why = "what was taken is never refused afterwards";
                entry.refuse(Code::WORD, "is success, which has no other meaning", why, "remove it");
            }
            Ok(code) => {
                if let Some(action) = entry.parse(worded) {
                    map.set_worded(code, action);
                }
            }
            Err(error) => entry.refuse(Code::FORMAT, format_args!("is refused: {error}"), "", ""),
        }
    }
}

fn worded(text: &str) -> Result<WordedAction, ActionError> {
    WordedAction::from_str(text)
}

/// `rejected`, or `rejected blames recipient`.
fn state_and_fault(text: &str) -> Result<(ReceiptState, Option<ReceiptFault>), String> {
    let (state, fault) = match text.split_once(" blames ") {
        Some((state, fault)) => (state, Some(fault)),
        None => (text, None),
    };
    let state = find(&ReceiptState::ALL.map(|state| (state.as_str(), state)), state)?;
    Ok((state, fault.map(|fault| find(FAULTS, fault)).transpose()?))
}

fn find<T: Copy>(words: &[(&str, T)], text: &str) -> Result<T, String> {
    let found = words.iter().find(|(word, _)| *word == text.trim());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let shown: String = text.chars().take(64).collect();
        format!("\"{shown}\" is none of {}", known.join(", "))
    })
}

/// The entries of a table of the section; none if it is absent.
fn entries<'a>(section: &Section<'a>, name: &str) -> Vec<(&'a str, Entry<'a>)> {
    let entry = section.key(name);
    if !entry.is_present() {
        return Vec::new();
    }
    let entries = entry.section().map(|map| map.entries()).unwrap_or_default();
    limit(&entry, entries.len(), ENTRIES_MAX);
    entries
}

fn limit(entry: &Entry<'_>, entries: usize, most: usize) {
    if entries > most {
        entry.refuse(
            Code::RANGE,
            format_args!("has {entries} entries, the limit is {most}"),
            "",
            "",
        );
    }
}

fn is_word(name: &str) -> bool {
    let is_letter = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.bytes().all(is_letter)
}
