//! Reads `links.toml`: every problem at once, with file and line.

mod dialect;
mod grpc;
mod http;
mod inbound;
mod maps;
pub(crate) mod reload;
mod simulator;
mod smpp;
mod tls;

use std::{collections::BTreeMap, path::Path};

use sms::CarrierName;
use source::{Code, Document, Log, Problems, Section};

use self::maps::Protocol;
use crate::{
    Concatenation,
    config::{
        CARRIERS_PER_LINK_MAX, LINKS_MAX, LinkConfig, LinkKind, RATE_MAX, WINDOW_SLOTS_DEFAULT, WINDOW_SLOTS_MAX,
    },
};

/// Longest name of a link, in characters.
const NAME_CHARS_MAX: usize = 32;

const CONCATENATIONS: &[(&str, Concatenation)] = &[
    ("udh8", Concatenation::Udh8),
    ("udh16", Concatenation::Udh16),
    ("sar", Concatenation::Sar),
    ("payload", Concatenation::Payload),
];

#[derive(Clone, Copy, PartialEq)]
enum KindWord {
    Smpp,
    Simulator,
    Grpc,
    Http,
}

const KINDS: &[(&str, KindWord)] = &[
    ("smpp", KindWord::Smpp),
    ("simulator", KindWord::Simulator),
    ("grpc", KindWord::Grpc),
    ("http", KindWord::Http),
];

/// Reads the links written in `text`, called `file` in problems. Secrets kept in files are looked up beside it, under
/// `base`.
///
/// # Errors
/// Everything that is wrong; warnings alone are no error and are not told.
pub fn read_links(file: &str, text: &str, base: &Path) -> Result<Vec<LinkConfig>, Problems> {
    let log = Log::new('L');
    let mut links = Vec::new();
    if let Some(document) = Document::parse(file, text, &log) {
        let root = document.root(&log);
        let mut shared = maps::shared(&root);
        let sections = root.key("link").required().sections(LINKS_MAX);
        let mut names = BTreeMap::new();
        let (mut served, mut rates, mut hooks) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for section in &sections {
            let link = link(section, base, &mut shared, &mut names, &mut served);
            link.iter().for_each(|link| one_rate(section, link, &mut rates));
            link.iter().for_each(|link| http::one_path(section, link, &mut hooks));
            links.extend(link);
        }
        shared.finish();
    }
    let problems = log.into_problems();
    if problems.has_errors() {
        Err(problems)
    } else {
        Ok(links)
    }
}

/// One link; `None` if it lacks what it cannot be without.
fn link(
    section: &Section<'_>,
    base: &Path,
    shared: &mut maps::Shared<'_>,
    names: &mut BTreeMap<String, u32>,
    served: &mut BTreeMap<CarrierName, String>,
) -> Option<LinkConfig> {
    let name = name(section, names);
    let carriers = carriers(section, section.key("name").str().unwrap_or("without a name"), served);
    let window = section
        .key("window")
        .integer(1..=WINDOW_SLOTS_MAX)
        .unwrap_or(WINDOW_SLOTS_DEFAULT);
    let rate = section.key("rate").integer(1..=RATE_MAX);
    let account = section.key("account").string(NAME_CHARS_MAX);
    let concatenation = section.key("concatenation").word(CONCATENATIONS).unwrap_or_default();
    let word = section.key("kind").required().word(KINDS);
    let protocol = match word {
        Some(KindWord::Grpc) => Protocol::Grpc,
        Some(KindWord::Http) => Protocol::Http,
        Some(KindWord::Smpp | KindWord::Simulator) | None => Protocol::Smpp,
    };
    let maps = maps::of_link(section, shared, protocol);
    let kind = match word? {
        KindWord::Smpp => LinkKind::Smpp(Box::new(smpp::read(section, base)?)),
        KindWord::Simulator => LinkKind::Simulator(simulator::read(section)),
        KindWord::Grpc => LinkKind::Grpc(Box::new(grpc::read(section, base)?)),
        KindWord::Http => LinkKind::Http(Box::new(http::read(section, base)?)),
    };
    Some(LinkConfig {
        name: name?,
        carriers: carriers?,
        window,
        rate,
        account,
        concatenation,
        outcomes: maps.outcomes,
        faults: maps.faults,
        kind,
    })
}

fn name(section: &Section<'_>, names: &mut BTreeMap<String, u32>) -> Option<String> {
    let entry = section.key("name").required();
    let name = entry.string(NAME_CHARS_MAX)?;
    match names.insert(name.clone(), entry.place().line) {
        None => Some(name),
        Some(line) => {
            entry.refuse(
                Code::DUPLICATE,
                format_args!("is \"{name}\" like the link in line {line}"),
                "",
                "rename one",
            );
            None
        }
    }
}

/// Refuses a link that gives its account another rate than an earlier one: which of them is kept by whom nobody could say.
fn one_rate(section: &Section<'_>, link: &LinkConfig, rates: &mut BTreeMap<String, (Option<u32>, String)>) {
    let account = link.account_in_effect();
    let (rate, other) = rates
        .entry(account.to_owned())
        .or_insert_with(|| (link.rate, link.name.clone()));
    if *rate != link.rate {
        let what = format_args!("is \"{account}\", to which link {other} gives another rate");
        let help = "give both the same `rate`, or each an account of its own";
        section
            .key("account")
            .refuse(Code::DUPLICATE, what, "an account has one rate", help);
    }
}

fn carriers(section: &Section<'_>, link: &str, served: &mut BTreeMap<CarrierName, String>) -> Option<Vec<CarrierName>> {
    let entry = section.key("carriers").required();
    let mut carriers = Vec::new();
    let items = entry.items(CARRIERS_PER_LINK_MAX)?;
    if items.is_empty() {
        entry.refuse(Code::RANGE, "names no carrier that this link could serve", "", "");
    }
    for item in items {
        let Some(carrier) = item.parse(CarrierName::new) else {
            continue;
        };
        if let Some(other) = served.get(&carrier) {
            let what = format_args!("names {carrier}, which link {other} serves");
            item.refuse(
                Code::DUPLICATE,
                what,
                "one link serves a carrier",
                "remove one of the two",
            );
            continue;
        }
        served.insert(carrier.clone(), link.to_owned());
        carriers.push(carrier);
    }
    (!carriers.is_empty()).then_some(carriers)
}

#[cfg(test)]
mod tests;
