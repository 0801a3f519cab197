//! `match` and `except`: what must hold of a message.

use std::fmt;

use sms::{Class, Encoding, SenderKind};
use source::{Code, Entry, Section};

use super::{
    carriers::{ENCODINGS, SENDER_KINDS, words},
    hours::{self, Hours},
    pattern::Pattern,
    sets::{Sets, refuse_empty},
};
use crate::{
    digits::Digits,
    glob::Globs,
    network::{Country, Network},
};

/// Longest glob, in characters.
const GLOB_CHARS_MAX: usize = 128;
/// Longest regular expression, in characters.
const TEXT_CHARS_MAX: usize = 1_000;
/// Regular expressions of one condition: each may grow to `TEXT_OCTETS_MAX`, or twice that if it asks for words.
const TEXTS_MAX: usize = 16;
/// Largest compiled regular expression, in octets.
const TEXT_OCTETS_MAX: usize = 1 << 20;
/// Most regular expressions of a table: bounds the time and the memory that it takes to compile them.
pub(super) const TEXTS_OF_TABLE_MAX: u32 = 500;

/// Conditions that must all hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conditions(pub(crate) Vec<Test>);

/// One condition: a list of which any may fit, or a bound.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Class(Vec<Class>),
    Encoding(Vec<Encoding>),
    SegmentsOver(u8),
    Ported(bool),
    SenderKind(Vec<SenderKind>),
    /// Sorted.
    Country(Vec<Country>),
    /// Sorted.
    Network(Vec<Network>),
    Prefix(Vec<Digits>),
    Account(Globs),
    Sender(Globs),
    /// Sorted.
    Tag(Vec<String>),
    Hours(Hours),
    Text(Vec<Pattern>),
}

/// Words for classes.
const CLASSES: [(&str, Class); 3] = [
    ("otp", Class::Otp),
    ("transactional", Class::Transactional),
    ("promotional", Class::Promotional),
];

/// Reads one table of conditions. The cheapest come first, so that a policy that does not apply costs little.
pub(super) fn read(section: &Section<'_>, sets: &Sets) -> Conditions {
    let key = |name: &str| section.key(name);
    let tests = [
        words(&key("class"), &CLASSES).map(Test::Class),
        words(&key("encoding"), &ENCODINGS).map(Test::Encoding),
        key("segments_over").integer(0..=254).map(Test::SegmentsOver),
        key("ported").boolean().map(Test::Ported),
        words(&key("sender_kind"), &SENDER_KINDS).map(Test::SenderKind),
        sorted(sets.values(&key("country"), Country::parse)).map(Test::Country),
        sorted(sets.values(&key("network"), Network::parse_together)).map(Test::Network),
        sorted(sets.values(&key("prefix"), prefix)).map(Test::Prefix),
        sets.values(&key("account"), pattern)
            .map(|list| Test::Account(Globs::new(&list))),
        sets.values(&key("sender"), pattern)
            .map(|list| Test::Sender(Globs::new(&list))),
        sorted(filled(&key("tag"), super::LIST_MAX, |item| {
            item.string(super::NAME_CHARS_MAX)
        }))
        .map(Test::Tag),
        hours::read(section).map(Test::Hours),
        filled(&key("text"), TEXTS_MAX, |item| regex(&item, sets)).map(Test::Text),
    ];
    Conditions(tests.into_iter().flatten().collect())
}

fn sorted<T: Ord>(list: Option<Vec<T>>) -> Option<Vec<T>> {
    list.map(|mut list| {
        list.sort_unstable();
        list.dedup();
        list
    })
}

fn prefix(text: &str) -> Result<Digits, &'static str> {
    Digits::parse(text).ok_or("a prefix has 1 to 15 digits, without a plus")
}

fn pattern(text: &str) -> Result<String, String> {
    let chars = text.chars().count();
    if (1..=GLOB_CHARS_MAX).contains(&chars) {
        Ok(text.to_owned())
    } else {
        Err(format!("it has {chars} characters, allowed are 1 to {GLOB_CHARS_MAX}"))
    }
}

/// A list that is not empty.
fn filled<'a, T>(entry: &Entry<'a>, items_max: usize, read: impl Fn(Entry<'a>) -> Option<T>) -> Option<Vec<T>> {
    let items = entry.items(items_max)?;
    if items.is_empty() {
        refuse_empty(entry);
    }
    Some(items.into_iter().filter_map(read).collect())
}

fn regex(entry: &Entry<'_>, sets: &Sets) -> Option<Pattern> {
    let pattern = entry.string(TEXT_CHARS_MAX)?;
    if !sets.spend_text() {
        let what = format!("is more than the {TEXTS_OF_TABLE_MAX} regular expressions that a table may have");
        entry.refuse(Code::RANGE, what, "", "join some with |");
        return None;
    }
    match Pattern::new(&pattern, TEXT_OCTETS_MAX) {
        Ok(pattern) => Some(pattern),
        Err(regex::Error::CompiledTooBig(limit)) => {
            let what = format!("is a regular expression that takes more than {limit} octets");
            let why = "a repetition multiplies what it repeats, and one inside another does so twice";
            entry.refuse(Code::RANGE, what, why, "repeat less");
            None
        }
        Err(error) => {
            entry.refuse(Code::FORMAT, "is no regular expression", error.to_string(), "");
            None
        }
    }
}

impl Test {
    /// The key it was written under, `hours` for those of the local day.
    pub(crate) const fn key(&self) -> &'static str {
        match self {
            Self::Class(_) => "class",
            Self::Encoding(_) => "encoding",
            Self::SegmentsOver(_) => "segments_over",
            Self::Ported(_) => "ported",
            Self::SenderKind(_) => "sender_kind",
            Self::Country(_) => "country",
            Self::Network(_) => "network",
            Self::Prefix(_) => "prefix",
            Self::Account(_) => "account",
            Self::Sender(_) => "sender",
            Self::Tag(_) => "tag",
            Self::Hours(_) => "hours",
            Self::Text(_) => "text",
        }
    }
}

/// The condition as people write it, such as `country FR or BE`.
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.key())?;
        match self {
            Self::Class(list) => any(f, list),
            Self::Encoding(list) => any(f, list),
            Self::SegmentsOver(bound) => write!(f, "{bound}"),
            Self::Ported(wanted) => write!(f, "{wanted}"),
            Self::SenderKind(list) => any(f, &list.iter().map(|kind| kind.as_str()).collect::<Vec<_>>()),
            Self::Country(list) => any(f, list),
            Self::Network(list) => any(f, list),
            Self::Prefix(list) => any(f, list),
            Self::Account(globs) | Self::Sender(globs) => any(f, &globs.written()),
            Self::Tag(list) => any(f, list),
            Self::Hours(hours) => hours.fmt(f),
            Self::Text(list) => any(f, list),
        }
    }
}

fn any<T: fmt::Display>(f: &mut fmt::Formatter<'_>, list: &[T]) -> fmt::Result {
    const SHOWN: usize = 5;
    for (index, item) in list.iter().take(SHOWN).enumerate() {
        write!(f, "{}{item}", if index == 0 { "" } else { " or " })?;
    }
    if list.len() > SHOWN {
        write!(f, " or {} more", list.len() - SHOWN)
    } else {
        Ok(())
    }
}
