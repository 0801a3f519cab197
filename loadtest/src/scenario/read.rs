//! Reads scenarios, and refuses what makes no sense with file and line.

mod carriers;
mod events;
mod goals;

use std::{fs, path::Path, time::Duration};

use sms::Class;
use source::{Code, Document, Entry, Log, Place, Problems, Section};

use super::{
    plan::Plan,
    spec::{Arrivals, ENTRIES_MAX, Load, LookUp, MESSAGES_MAX, Manner, SEGMENTS_MAX, Scenario, Span},
};
use crate::{chaos::args::Bus, stage::land};

/// Words for what carries messages.
const BUSES: [(&str, Bus); 2] = [("embedded", Bus::Embedded), ("kafka", Bus::Kafka)];
/// How long a run may be.
const LENGTH: [&str; 2] = ["1s", "4h"];
/// Messages a second of one load.
const RATE_MAX: f64 = 100_000.0;
/// Words for how messages fall due.
const ARRIVALS: [(&str, ArrivalsWord); 3] = [
    ("even", ArrivalsWord::Even),
    ("poisson", ArrivalsWord::Poisson),
    ("bursts", ArrivalsWord::Bursts),
];
/// Longest text, in characters.
const TEXT_CHARS_MAX: usize = 1_530;

#[derive(Clone, Copy, PartialEq)]
enum ArrivalsWord {
    Even,
    Poisson,
    Bursts,
}

/// Reads the scenario of the file at `path`.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(path: &Path) -> Result<Scenario, Problems> {
    let file = path.display().to_string();
    let log = Log::new('S');
    match fs::read_to_string(path) {
        Ok(text) => {
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            parse(&file, &name.unwrap_or_default(), &text)
        }
        Err(error) => {
            let help = "give a file such as loadtest/scenarios/mixed-day.toml";
            log.error(
                Place::file(file),
                Code::FILE,
                format!("cannot be read: {error}"),
                "",
                help,
            );
            Err(log.into_problems())
        }
    }
}

/// Reads the scenario called `name` from `text`, which problems call `file`.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn parse(file: &str, name: &str, text: &str) -> Result<Scenario, Problems> {
    let log = Log::new('S');
    let scenario = Document::parse(file, text, &log).map(|document| {
        let root = document.root(&log);
        scenario(&root, name)
    });
    let problems = log.into_problems();
    match scenario {
        Some(scenario) if !problems.has_errors() => Ok(scenario),
        _ => Err(problems),
    }
}

fn scenario(root: &Section<'_>, name: &str) -> Scenario {
    let length = root.key("length").required().duration(LENGTH[0], LENGTH[1]);
    let length = length.unwrap_or(Duration::from_secs(1));
    let warm_up = root.key("warm_up");
    let before = warm_up.duration("0s", LENGTH[1]).unwrap_or(Duration::ZERO);
    if before >= length {
        warm_up.refuse(Code::RANGE, "leaves nothing of the length", "", "make it shorter");
    }
    let carriers = carriers::read(root);
    let lookup = root.key("lookup").section().map(|section| lookup(&section));
    let loads = root.key("load").required();
    let sections = loads.sections(ENTRIES_MAX);
    let sent: Vec<_> = sections.iter().map(|section| load(section, length)).collect();
    let scenario = Scenario {
        name: name.to_owned(),
        bus: root.key("bus").word(&BUSES).unwrap_or(Bus::Embedded),
        length,
        warm_up: before,
        seed: root.key("seed").integer(0..=i64::MAX).map_or(1, i64::unsigned_abs),
        defaults: defaults(root, lookup.is_some()),
        events: events::read(root, length, &carriers, lookup.as_ref()),
        goals: goals::read(root, &sent),
        loads: sent,
        carriers,
        lookup,
    };
    let messages = Plan::messages(&scenario.loads);
    if !(1.0..=MESSAGES_MAX as f64).contains(&messages) {
        let what = format!("makes {messages:.0} messages, allowed are 1 to {MESSAGES_MAX}");
        loads.refuse(
            Code::RANGE,
            what,
            "what is known of each is kept until the end",
            "change rate or length",
        );
    }
    scenario
}

/// `from` and `until`, which are the whole `length` where nobody says.
fn span(section: &Section<'_>, length: Duration) -> Span {
    let at = |name: &str| section.key(name).duration("0s", LENGTH[1]);
    let (from, until) = (at("from").unwrap_or(Duration::ZERO), at("until").unwrap_or(length));
    if from >= until || until > length {
        let [from, until, length] = [from, until, length].map(source::duration_text);
        let what = format_args!("is {until}, from is {from} and the length {length}");
        let why = "a time begins before it ends, and ends with the length at the latest";
        section.key("until").refuse(Code::RANGE, what, why, "");
    }
    Span { from, until }
}

fn class(entry: &Entry<'_>) -> Option<Class> {
    entry.word(&Class::ALL.map(|class| (class.as_str(), class)))
}

fn load(section: &Section<'_>, length: Duration) -> Load {
    let text = section.key("text").string(TEXT_CHARS_MAX);
    let segments = section.key("segments");
    if let (Some(_), true) = (&text, segments.is_present()) {
        segments.refuse(
            Code::FORMAT,
            "stands beside text",
            "a text has the parts that it has",
            "remove one",
        );
    }
    let segments = segments.list(ENTRIES_MAX, |item| item.integer(1..=SEGMENTS_MAX));
    Load {
        span: span(section, length),
        class: class(&section.key("class").required()).unwrap_or_default(),
        rate: rate(&section.key("rate").required()),
        arrivals: arrivals(section),
        segments: segments
            .filter(|segments| !segments.is_empty())
            .unwrap_or_else(|| vec![1]),
        text,
        ttl: section.key("ttl").duration("1s", "1d").unwrap_or(land::TTL),
    }
}

/// One number, or two: at the beginning and at the end.
fn rate(entry: &Entry<'_>) -> [f64; 2] {
    let rates = entry
        .list(ENTRIES_MAX, |item| item.number(0.0..=RATE_MAX))
        .unwrap_or_default();
    match rates[..] {
        [rate] => [rate; 2],
        [first, last] => [first, last],
        _ if !entry.is_present() => [1.0; 2],
        _ => {
            let what = format_args!("has {} numbers", rates.len());
            entry.refuse(
                Code::FORMAT,
                what,
                "",
                "write 200, or [200, 3000] for a rate that rises",
            );
            [1.0; 2]
        }
    }
}

fn arrivals(section: &Section<'_>) -> Arrivals {
    let (entry, burst) = (section.key("arrivals"), section.key("burst"));
    let word = entry.word(&ARRIVALS).unwrap_or(ArrivalsWord::Poisson);
    if word != ArrivalsWord::Bursts && burst.is_present() {
        burst.refuse(Code::FORMAT, "is for bursts alone", "", "add arrivals = \"bursts\"");
    }
    match word {
        ArrivalsWord::Even => Arrivals::Even,
        ArrivalsWord::Poisson => Arrivals::Poisson,
        ArrivalsWord::Bursts => Arrivals::Bursts(burst.required().integer(2..=100_000).unwrap_or(2)),
    }
}

/// The defaults of the routing table.
fn defaults(root: &Section<'_>, looks_up: bool) -> String {
    let section = root.key("table").section();
    let key = |name: &str| section.as_ref().map(|section| section.key(name));
    let word = |name: &str, words: &[(&'static str, &'static str)], default: &'static str| {
        let found = key(name).and_then(|entry| entry.word(words)).unwrap_or(default);
        format!("{name} = \"{found}\"\n")
    };
    let strategies = ["least_cost", "priority", "best_value", "fastest"].map(|word| (word, word));
    let lookups = ["never", "when_it_matters", "always"].map(|word| (word, word));
    let attempts = key("attempts").and_then(|entry| entry.integer(1..=10_u32)).unwrap_or(3);
    let spill = key("spill_after").and_then(|entry| entry.duration("100ms", "1h"));
    let spill = spill.map_or_else(String::new, |spill| {
        format!("spill_after = \"{}\"\n", source::duration_text(spill))
    });
    let lookup = if looks_up { "when_it_matters" } else { "never" };
    [
        word("strategy", &strategies, "least_cost"),
        word("lookup", &lookups, lookup),
        format!("attempts = {attempts}\n"),
        spill,
    ]
    .concat()
}

fn lookup(section: &Section<'_>) -> LookUp {
    let usual = Manner {
        answer: Duration::from_millis(20),
        errors: 0.0,
    };
    LookUp {
        ported: section.key("ported").number(0.0..=1.0).unwrap_or(0.0),
        manner: manner(section, &usual),
    }
}

/// How `section` says that the provider answers; where it says nothing, as `usual`.
fn manner(section: &Section<'_>, usual: &Manner) -> Manner {
    Manner {
        answer: section.key("answer").duration("0s", "60s").unwrap_or(usual.answer),
        errors: section.key("errors").number(0.0..=1.0).unwrap_or(usual.errors),
    }
}

#[cfg(test)]
mod tests;
