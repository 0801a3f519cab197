//! Reads `providers.toml`: every problem at once, with file and line.

mod enum_dns;
mod grpc;
mod http;
mod simulator;

use std::{collections::BTreeMap, path::Path};

use source::{Code, Document, Log, Problems, Section};
use table::Micros;
use web::keys::table;

use super::config::{
    BreakerConfig, CALLS_DEFAULT, CALLS_MAX, NUMBERS_DEFAULT, NUMBERS_MAX, PROVIDERS_MAX, ProviderConfig, ProviderKind,
    RATE_MAX, TIMEOUT_DEFAULT,
};

/// Longest name of a provider, in characters.
const NAME_CHARS_MAX: usize = 32;
/// Longest path, in characters.
const PATH_CHARS_MAX: usize = 4_096;
/// Failures in a row before a provider is left alone.
const FAILURES_MAX: u32 = 1_000;

#[derive(Clone, Copy, PartialEq)]
enum KindWord {
    Enum,
    Grpc,
    Http,
    Simulator,
}

const KINDS: &[(&str, KindWord)] = &[
    ("grpc", KindWord::Grpc),
    ("http", KindWord::Http),
    ("enum", KindWord::Enum),
    ("simulator", KindWord::Simulator),
];

/// Reads the providers written in `text`, called `file` in problems, in their order. Files that it names are looked up beside
/// it, under `base`.
///
/// # Errors
/// Everything that is wrong; warnings alone are no error and are not told.
pub fn read_providers(file: &str, text: &str, base: &Path) -> Result<Vec<ProviderConfig>, Problems> {
    let log = Log::new('P');
    let mut providers = Vec::new();
    if let Some(document) = Document::parse(file, text, &log) {
        let root = document.root(&log);
        let sections = root.key("provider").required().sections(PROVIDERS_MAX);
        let mut names = BTreeMap::new();
        for section in &sections {
            providers.extend(provider(section, base, &mut names));
        }
    }
    let problems = log.into_problems();
    if problems.has_errors() {
        Err(problems)
    } else {
        Ok(providers)
    }
}

/// One provider; `None` if it lacks what it cannot be without.
fn provider(section: &Section<'_>, base: &Path, names: &mut BTreeMap<String, u32>) -> Option<ProviderConfig> {
    let name = name(section, names);
    let price = section.key("price").required().parse(Micros::parse);
    let is_authoritative = section.key("authoritative").boolean().unwrap_or(false);
    let rate = section.key("rate").integer(1..=RATE_MAX);
    let calls_max = section.key("calls_max").integer(1..=CALLS_MAX);
    let timeout = section.key("timeout").duration("10ms", "60s");
    let breaker = breaker(section);
    let Some(word) = section.key("kind").required().word(KINDS) else {
        // Its own keys are no further problem.
        section.entries();
        return None;
    };
    let (kind, numbers_max) = match word {
        KindWord::Enum => (ProviderKind::Enum(Box::new(enum_dns::read(section)?)), 1),
        KindWord::Grpc => {
            let numbers_max = numbers_max(section);
            (ProviderKind::Grpc(Box::new(grpc::read(section, base)?)), numbers_max)
        }
        KindWord::Http => (ProviderKind::Http(Box::new(http::read(section, base)?)), 1),
        KindWord::Simulator => {
            let numbers_max = numbers_max(section);
            (ProviderKind::Simulator(Box::new(simulator::read(section))), numbers_max)
        }
    };
    Some(ProviderConfig {
        name: name?,
        price: price?,
        is_authoritative,
        numbers_max,
        rate,
        calls_max: calls_max.unwrap_or(CALLS_DEFAULT),
        timeout: timeout.unwrap_or(TIMEOUT_DEFAULT),
        breaker,
        kind,
    })
}

fn name(section: &Section<'_>, names: &mut BTreeMap<String, u32>) -> Option<String> {
    let entry = section.key("name").required();
    let name = entry.string(NAME_CHARS_MAX)?;
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(is_word) {
        let why = "allowed are small letters, digits, - _ and . since it labels metrics";
        entry.refuse(Code::FORMAT, format_args!("is \"{name}\""), why, "rename it");
        return None;
    }
    match names.insert(name.clone(), entry.place().line) {
        None => Some(name),
        Some(line) => {
            let what = format_args!("is \"{name}\" like the provider in line {line}");
            entry.refuse(Code::DUPLICATE, what, "", "rename one");
            None
        }
    }
}

/// Numbers of one call, of a kind that takes several.
fn numbers_max(section: &Section<'_>) -> usize {
    let found = section.key("numbers_max").integer(1..=NUMBERS_MAX);
    usize::try_from(found.unwrap_or(NUMBERS_DEFAULT)).expect("the limit fits")
}

fn breaker(section: &Section<'_>) -> BreakerConfig {
    let mut breaker = BreakerConfig::default();
    let Some(keys) = table(section, "breaker") else {
        return breaker;
    };
    breaker.failures = keys
        .key("failures")
        .integer(1..=FAILURES_MAX)
        .unwrap_or(breaker.failures);
    breaker.pause = keys.key("pause").duration("100ms", "1h").unwrap_or(breaker.pause);
    let longest = keys.key("pause_max");
    breaker.pause_max = longest
        .duration("100ms", "1h")
        .unwrap_or(breaker.pause_max.max(breaker.pause));
    if breaker.pause_max < breaker.pause {
        longest.refuse(Code::RANGE, "is shorter than pause", "", "");
    }
    breaker
}

/// The file at `name`, under `base`; `None` if it is not written.
fn file(section: &Section<'_>, name: &str, base: &Path) -> Option<std::path::PathBuf> {
    section.key(name).string(PATH_CHARS_MAX).map(|path| base.join(path))
}
