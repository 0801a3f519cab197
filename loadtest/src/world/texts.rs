//! Message texts: one-time passwords, parcel notices, appointment reminders and promotions in 20 languages.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sms::Class;

use super::Draws;

const TEXTS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../deploy/examples/world/texts.toml"
));
/// The language of countries that no language names.
const LANGUAGE_DEFAULT: &str = "en";

/// The texts, by language.
#[derive(Clone, Debug)]
pub struct Texts {
    languages: BTreeMap<String, Language>,
    language_of: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    countries: Vec<String>,
    otp: Vec<String>,
    parcel: Vec<String>,
    appointment: Vec<String>,
    promotion: Vec<String>,
}

impl Texts {
    /// The texts built into this crate.
    ///
    /// # Errors
    /// The data in the repository was edited and no longer holds together.
    pub fn load() -> Result<Self> {
        let languages: BTreeMap<String, Language> = toml::from_str(TEXTS).context("texts.toml")?;
        ensure!(
            languages.contains_key(LANGUAGE_DEFAULT),
            "texts.toml: no [{LANGUAGE_DEFAULT}]"
        );
        let mut language_of = BTreeMap::new();
        for (name, language) in &languages {
            for kind in [
                &language.otp,
                &language.parcel,
                &language.appointment,
                &language.promotion,
            ] {
                ensure!(!kind.is_empty(), "texts.toml: [{name}] has a kind without texts");
            }
            for country in &language.countries {
                let twin = language_of.insert(country.clone(), name.clone());
                ensure!(twin.is_none(), "texts.toml: country {country} stands in two languages");
            }
        }
        Ok(Self { languages, language_of })
    }

    /// Names of the languages, ISO 639-1.
    pub fn languages(&self) -> impl Iterator<Item = &str> {
        self.languages.keys().map(String::as_str)
    }

    /// The language of texts to `country`.
    pub fn language(&self, country: &str) -> &str {
        self.language_of.get(country).map_or(LANGUAGE_DEFAULT, String::as_str)
    }

    /// A text of `class` in the language of `country`, with a fresh six-digit code where it is a password.
    pub fn draw(&self, class: Class, country: &str, draws: &mut Draws) -> String {
        self.draw_in(self.language(country), class, draws)
    }

    /// A text of `class` in `language`, one of [`Texts::languages`].
    pub(crate) fn draw_in(&self, language: &str, class: Class, draws: &mut Draws) -> String {
        let language = &self.languages[language];
        let kind = match class {
            Class::Otp => &language.otp,
            Class::Transactional if draws.below(2) == 0 => &language.parcel,
            Class::Transactional => &language.appointment,
            Class::Promotional => &language.promotion,
        };
        filled(draws.one_of::<String>(kind), draws)
    }
}

/// What the placeholders of one text stand for; one that stands there twice stands for the same.
struct Filling {
    code: u64,
    parcel: u64,
    hour: u64,
    quarter: u64,
    percent: u64,
}

fn filled(text: &str, draws: &mut Draws) -> String {
    let filling = Filling {
        code: draws.below(1_000_000),
        parcel: draws.below(100_000_000),
        hour: 8 + draws.below(9),
        quarter: draws.below(4),
        percent: 10 + draws.below(9) * 5,
    };
    let mut filled = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some((before, (name, after))) = rest
        .split_once('{')
        .and_then(|(before, after)| Some((before, after.split_once('}')?)))
    {
        filled.push_str(before);
        filling
            .write(name, &mut filled)
            .expect("writing to a string does not fail");
        rest = after;
    }
    filled.push_str(rest);
    filled
}

impl Filling {
    fn write(&self, name: &str, text: &mut String) -> fmt::Result {
        match name {
            "code" => write!(text, "{:06}", self.code),
            "parcel" => write!(text, "SB{:08}", self.parcel),
            "time" => write!(text, "{:02}:{:02}", self.hour, self.quarter * 15),
            "percent" => write!(text, "{}", self.percent),
            unknown => write!(text, "{{{unknown}}}"),
        }
    }
}
