//! The value of one key, to be read as what it should be.

use std::{
    fmt::{Debug, Display},
    ops::RangeInclusive,
    time::Duration,
};

use toml::{Spanned, de::DeValue};

use crate::{Code, Log, Place, Secret, SecretSource, Section, document::SourceMap, duration, duration_text, nearest};

/// The value of one key. Every reading method answers `None` when the key is absent, and also, after logging why, when the
/// value is not what was asked for.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    path: String,
    value: Option<&'a Spanned<DeValue<'a>>>,
    place: Place,
    map: &'a SourceMap,
    log: &'a Log,
}

/// What a value is, for readers of values of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text in quotes.
    String,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Float,
    /// True or false.
    Boolean,
    /// A date, an instant or a time of day, without quotes.
    Datetime,
    /// A list.
    List,
    /// A table.
    Table,
}

impl<'a> Entry<'a> {
    pub(crate) fn present(path: String, value: &'a Spanned<DeValue<'a>>, map: &'a SourceMap, log: &'a Log) -> Self {
        Self {
            path,
            value: Some(value),
            place: map.place(value.span().start),
            map,
            log,
        }
    }

    pub(crate) fn absent(path: String, place: Place, map: &'a SourceMap, log: &'a Log) -> Self {
        Self {
            path,
            value: None,
            place,
            map,
            log,
        }
    }

    /// Logs an error if the key is absent.
    #[must_use]
    pub fn required(self) -> Self {
        if self.value.is_none() {
            let what = format!("\"{}\" is missing", self.path);
            let name = self.path.rsplit('.').next().unwrap_or_default();
            self.log
                .error(self.place.clone(), Code::MISSING, what, "", format!("add {name} = …"));
        }
        self
    }

    /// Whether the key is written.
    pub fn is_present(&self) -> bool {
        self.value.is_some()
    }

    /// Where the value stands; where its section begins, if it is absent.
    pub fn place(&self) -> Place {
        self.place.clone()
    }

    /// Dotted name of the key from the top of the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The log this value is reported to.
    pub fn log(&self) -> &'a Log {
        self.log
    }

    /// Logs an error at this value, beginning with its name.
    pub fn refuse(&self, number: u16, what: impl Display, why: impl Into<String>, help: impl Into<String>) {
        self.log
            .error(self.place(), number, format!("\"{}\" {what}", self.path), why, help);
    }

    /// A string of at most `chars_max` characters and not empty.
    pub fn string(&self, chars_max: usize) -> Option<String> {
        let text = self.str()?;
        let chars = text.chars().count();
        if chars == 0 || chars > chars_max {
            let what = format!("has {chars} characters, allowed are 1 to {chars_max}");
            self.refuse(Code::RANGE, what, "", "");
            return None;
        }
        Some(text.to_owned())
    }

    /// A string that `parse` accepts; its error completes a sentence that begins with the name of the key.
    pub fn parse<T, E: Display>(&self, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        let text = self.str()?;
        parse(text)
            .map_err(|error| self.refuse(Code::FORMAT, format_args!("is refused: {error}"), "", ""))
            .ok()
    }

    /// A whole number within `range`.
    pub fn integer<T>(&self, range: RangeInclusive<T>) -> Option<T>
    where
        T: TryFrom<i64> + PartialOrd + Display + Copy,
    {
        let value = self.value?.get_ref();
        let DeValue::Integer(number) = value else {
            return self.wrong_type("a whole number");
        };
        let found = i64::from_str_radix(number.as_str(), number.radix()).ok();
        let held = found
            .and_then(|found| T::try_from(found).ok())
            .filter(|found| range.contains(found));
        if held.is_none() {
            let what = format!("is {number}, allowed are {} to {}", range.start(), range.end());
            self.refuse(Code::RANGE, what, "", "");
        }
        held
    }

    /// A number, whole or not, within `range`.
    pub fn number(&self, range: RangeInclusive<f64>) -> Option<f64> {
        let found = match self.value?.get_ref() {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.to_string(),
            DeValue::Float(number) => number.as_str().to_owned(),
            _ => return self.wrong_type("a number"),
        };
        let held = found.parse::<f64>().ok().filter(|found| range.contains(found));
        if held.is_none() {
            let what = format!("is {found}, allowed are {} to {}", range.start(), range.end());
            self.refuse(Code::RANGE, what, "", "");
        }
        held
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        match self.value?.get_ref() {
            DeValue::Boolean(value) => Some(*value),
            _ => self.wrong_type("true or false"),
        }
    }

    /// A duration such as `"30s"` from `least` to `most`, both written the same way.
    ///
    /// # Panics
    /// If a bound is itself no duration.
    pub fn duration(&self, least: &str, most: &str) -> Option<Duration> {
        let bound = |text| duration(text).expect("bounds are durations written in code");
        let (least, most) = (bound(least), bound(most));
        let found = self.parse(duration)?;
        if (least..=most).contains(&found) {
            return Some(found);
        }
        let [found, least, most] = [found, least, most].map(duration_text);
        self.refuse(
            Code::RANGE,
            format!("is {found}, allowed are {least} to {most}"),
            "",
            "",
        );
        None
    }

    /// One of `words`, as what it stands for.
    pub fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let text = self.str()?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let help = nearest(text, known.iter().copied()).map(|word| format!("did you mean \"{word}\"?"));
            let shown: String = text.chars().take(64).collect();
            let what = format!("is \"{shown}\", allowed are {}", known.join(", "));
            self.refuse(Code::WORD, what, "", help.unwrap_or_default());
        }
        found
    }

    /// A list of at most `items_max`, each read by `item`; a scalar stands for a list of one. Items that fail are logged and
    /// left out.
    pub fn list<T>(&self, items_max: usize, item: impl Fn(Entry<'a>) -> Option<T>) -> Option<Vec<T>> {
        Some(self.items(items_max)?.into_iter().filter_map(item).collect())
    }

    /// The items of a list of at most `items_max`; a scalar stands for a list of one.
    pub fn items(&self, items_max: usize) -> Option<Vec<Entry<'a>>> {
        let DeValue::Array(array) = self.value?.get_ref() else {
            return Some(vec![self.clone()]);
        };
        if array.len() > items_max {
            self.refuse(
                Code::RANGE,
                format!("has {} entries, the limit is {items_max}", array.len()),
                "",
                "",
            );
            return None;
        }
        let entry = |item| Entry::present(self.path.clone(), item, self.map, self.log);
        Some(array.iter().map(entry).collect())
    }

    /// A table.
    pub fn section(&self) -> Option<Section<'a>> {
        match self.value?.get_ref() {
            DeValue::Table(table) => Some(Section::new(self.path.clone(), table, self.place(), self.map, self.log)),
            _ => self.wrong_type("a table"),
        }
    }

    /// An array of at most `sections_max` tables, or one table for an array of one; empty if absent.
    pub fn sections(&self, sections_max: usize) -> Vec<Section<'a>> {
        self.list(sections_max, |item| item.section()).unwrap_or_default()
    }

    /// A secret: a string, `{ env = "NAME" }` or `{ file = "PATH" }`.
    pub fn secret(&self) -> Option<SecretSource> {
        if let DeValue::String(text) = self.value?.get_ref() {
            return Some(SecretSource::Plain(Secret::new(&**text)));
        }
        if !self.value?.get_ref().is_table() {
            return self.wrong_type("a string, { env = \"NAME\" } or { file = \"PATH\" }");
        }
        let section = self.section()?;
        match (section.key("env").string(256), section.key("file").string(4_096)) {
            (Some(name), None) => Some(SecretSource::Env(name)),
            (None, Some(path)) => Some(SecretSource::File(path.into())),
            (found, _) => {
                let what = if found.is_some() {
                    "has both env and file"
                } else {
                    "has neither env nor file"
                };
                self.refuse(Code::FORMAT, what, "a secret comes from one place", "");
                None
            }
        }
    }

    /// The string as written, whatever its length. Another type is logged.
    pub fn str(&self) -> Option<&'a str> {
        match self.value?.get_ref() {
            DeValue::String(text) => Some(text),
            _ => self.wrong_type("a string in quotes"),
        }
    }

    /// A string, or a date or instant without quotes, as written.
    pub fn instant_text(&self) -> Option<String> {
        match self.value?.get_ref() {
            DeValue::Datetime(instant) => Some(instant.to_string()),
            _ => self.str().map(str::to_owned),
        }
    }

    /// What the value is; `None` = it is absent.
    pub fn shape(&self) -> Option<Shape> {
        Some(match self.value?.get_ref() {
            DeValue::String(_) => Shape::String,
            DeValue::Integer(_) => Shape::Integer,
            DeValue::Float(_) => Shape::Float,
            DeValue::Boolean(_) => Shape::Boolean,
            DeValue::Datetime(_) => Shape::Datetime,
            DeValue::Array(_) => Shape::List,
            DeValue::Table(_) => Shape::Table,
        })
    }

    /// Whether the value is a string.
    pub fn is_string(&self) -> bool {
        self.value.is_some_and(|value| value.get_ref().is_str())
    }

    /// Whether the value is a table, so that a reader may choose between forms.
    pub fn is_section(&self) -> bool {
        self.value.is_some_and(|value| value.get_ref().is_table())
    }

    fn wrong_type<T>(&self, wanted: &str) -> Option<T> {
        let found = self.value.map_or("nothing", |value| value.get_ref().type_str());
        self.refuse(Code::TYPE, format!("is of type {found}, wanted is {wanted}"), "", "");
        None
    }
}
