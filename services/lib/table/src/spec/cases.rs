//! `cases.toml`: messages, and what the table is to decide of each.

mod expected;

use std::collections::BTreeMap;

use source::{Code, Log, Section};

pub(crate) use self::expected::{Aspect, DEFAULTS, Expectation, UNKNOWN};
use super::{Known, NAME_CHARS_MAX, Spec};
use crate::{
    code,
    instant::unix_ms,
    request::{Asked, Request},
};
use source::Place;

/// Name of the file.
pub(super) const PATH: &str = "cases.toml";
/// Most cases.
const CASES_MAX: usize = 20_000;

/// One `[[case]]` as written.
#[derive(Clone, Debug)]
pub(crate) struct CaseSpec {
    pub(crate) place: Place,
    pub(crate) name: String,
    /// The message.
    pub(crate) asked: Asked,
    /// What is expected, in the order of the format.
    pub(crate) expected: Vec<Expectation>,
}

/// What a case does not say itself.
#[derive(Default)]
struct Defaults {
    from: Option<String>,
    account: Option<String>,
    class: Option<String>,
    at: Option<String>,
}

pub(super) fn read(root: &Section<'_>) -> Vec<CaseSpec> {
    let defaults = root
        .key("defaults")
        .section()
        .map(|section| read_defaults(&section))
        .unwrap_or_default();
    let mut lines: BTreeMap<String, u32> = BTreeMap::new();
    let mut cases = Vec::new();
    for section in root.key("case").sections(CASES_MAX) {
        let name = section
            .key("name")
            .required()
            .string(2 * NAME_CHARS_MAX)
            .unwrap_or_default();
        if let Some(first) = lines.get(&name).filter(|_| !name.is_empty()) {
            let what = format!("case \"{name}\" is defined twice, first in line {first}");
            let place = section.place_of("name");
            section
                .log()
                .error(place, Code::DUPLICATE, what, "", "rename one of them");
        }
        lines.entry(name.clone()).or_insert(section.place().line);
        let asked = read_asked(&section, &defaults);
        let expected = expected::read(&section);
        let place = section.place();
        cases.extend(asked.map(|asked| CaseSpec {
            place,
            name,
            asked,
            expected,
        }));
    }
    cases
}

fn read_defaults(section: &Section<'_>) -> Defaults {
    let text = |key: &str| section.key(key).str().map(str::to_owned);
    let at = section.key("at");
    let defaults = Defaults {
        from: text("from"),
        account: text("account"),
        class: text("class"),
        at: at.instant_text(),
    };
    if let Some(Err(error)) = defaults.at.as_deref().map(unix_ms) {
        at.refuse(Code::FORMAT, format_args!("is refused: {error}"), "", "");
    }
    defaults
}

/// The message of a case. `None` = it is no query, which was logged.
fn read_asked(section: &Section<'_>, defaults: &Defaults) -> Option<Asked> {
    let text = |key: &str| section.key(key).str().map(str::to_owned);
    let or = |found: Option<String>, default: &Option<String>| found.or_else(|| default.clone());
    let request = Request {
        to: section.key("to").required().str().unwrap_or_default().to_owned(),
        from: or(text("from"), &defaults.from),
        account: or(text("account"), &defaults.account),
        class: or(text("class"), &defaults.class),
        text: text("text"),
        segments: section.key("segments").integer(0..=u64::MAX),
        encoding: text("encoding"),
        at: or(section.key("at").instant_text(), &defaults.at),
        network: text("network"),
        ported: section.key("ported").boolean(),
        roll: section.key("roll").integer(0..=u64::MAX),
    };
    // A table without dates today has prices with dates tomorrow, and a case must not change its meaning with the clock.
    let Some(at) = request.at.clone() else {
        let help = "add at = \"2026-11-21T12:00:00Z\" to [defaults]";
        let why = "a case is decided for one instant, whenever it is run";
        section
            .log()
            .error(section.place(), code::CASE, "the case has no instant", why, help);
        return None;
    };
    if !section.has("at") && unix_ms(&at).is_err() {
        // Said of the defaults already.
        return None;
    }
    if request.to.is_empty() && (!section.has("to") || !section.key("to").is_string()) {
        return None;
    }
    let now = unix_ms(&at).unwrap_or_default();
    request
        .resolve(now)
        .map_err(|error| {
            let place = section.place_of(error.field());
            section.log().error(place, Code::FORMAT, error.to_string(), "", "");
        })
        .ok()
}

/// Logs every name of a case that the table does not define.
pub(crate) fn check(spec: &Spec, log: &Log) {
    let carriers = Known::new(spec.carriers.iter().flatten().map(|one| one.name.as_str()));
    let policies = Known::new(spec.policies.iter().map(|one| one.name.as_str()));
    for expectation in spec.cases.iter().flat_map(|case| &case.expected) {
        let (kind, file, known) = match expectation.aspect {
            Aspect::Carrier | Aspect::Carriers => ("carrier", "carriers.toml", &carriers),
            Aspect::Policy | Aspect::Policies => ("policy", "policies.toml", &policies),
            Aspect::Refused(_) | Aspect::Cost(Some(_)) => {
                refuse_unknown(
                    "carrier",
                    "carriers.toml",
                    &carriers,
                    expectation.subject(),
                    expectation,
                    log,
                );
                continue;
            }
            _ => continue,
        };
        for name in &expectation.values {
            if !(matches!(expectation.aspect, Aspect::Policy) && name == DEFAULTS) {
                refuse_unknown(kind, file, known, name, expectation, log);
            }
        }
    }
}

fn refuse_unknown(kind: &str, file: &str, known: &Known<'_>, name: &str, expectation: &Expectation, log: &Log) {
    if known.has(name) {
        return;
    }
    let help = known.help(name);
    let what = format!("the case expects {kind} \"{name}\", which {file} does not define");
    log.error(expectation.place.clone(), Code::UNDEFINED, what, "", help);
}
