//! The keys of a provider that answers JSON over HTTP.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::{Method, header::HeaderName};
use source::{Code, Entry, Secret, Section};
use table::Fx;

use super::{address, entries, file, secret, table};
use crate::{
    Reach,
    provider::http::{Escape, HttpConfig, Meaning, NUMBER, Shape, Template},
};

const METHODS: &[(&str, IsPost)] = &[("GET", IsPost(false)), ("POST", IsPost(true))];
const STATUSES: &[(&str, Meaning)] = &[
    ("connected", Meaning::Reach(Reach::Connected)),
    ("absent", Meaning::Reach(Reach::Absent)),
    ("dead", Meaning::Reach(Reach::Dead)),
    ("unknown", Meaning::Unknown),
    ("retry", Meaning::Retry),
];
const ERRORS: &[(&str, Meaning)] = &[
    ("none", Meaning::Fine),
    ("dead", Meaning::Reach(Reach::Dead)),
    ("absent", Meaning::Reach(Reach::Absent)),
    ("unknown", Meaning::Unknown),
    ("retry", Meaning::Retry),
    ("busy", Meaning::Busy),
    ("refused", Meaning::Refused),
    ("away", Meaning::Away),
];

/// Longest template, in characters.
const TEMPLATE_CHARS_MAX: usize = 4_096;
/// Longest pointer, in characters.
const POINTER_CHARS_MAX: usize = 256;
/// The number that templates are tried with.
const TRIAL: &str = "447700900100";

#[derive(Clone, Copy, PartialEq)]
struct IsPost(bool);

/// Reads the keys; `None` if one is missing that the provider cannot be without.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<HttpConfig> {
    let secrets = secrets(section, base);
    let is_post = section.key("method").word(METHODS).is_some_and(|method| method.0);
    let url = url(section, &secrets);
    let body = body(section, is_post, &secrets);
    let headers = headers(section, base, &secrets, body.is_some());
    let answer = section.key("answer").required();
    let (shape, codes) = answer.section().map(|answer| shape(&answer))?;
    let ca = file(section, "ca", base);
    let url = url?;
    if !url.has_number() && !body.as_ref().is_some_and(Template::has_number) {
        let why = format!("{{{NUMBER}}} stands in neither url nor body");
        let help = "write {msisdn} where it goes";
        section
            .key("url")
            .refuse(Code::MISSING, "asks about no number", why, help);
    }
    let (headers, secrets) = headers;
    Some(HttpConfig {
        method: if is_post { Method::POST } else { Method::GET },
        url,
        headers,
        body,
        codes,
        shape,
        secrets,
        ca,
    })
}

/// The secrets that templates may name.
fn secrets(section: &Section<'_>, base: &Path) -> Vec<(String, Secret)> {
    let entries = entries(section, "secrets");
    let read = entries.into_iter().filter_map(|(name, entry)| {
        if name == NUMBER {
            entry.refuse(Code::DUPLICATE, "has the name of the number", "", "rename it");
        }
        Some((name.to_owned(), secret(&entry, base)?))
    });
    read.collect()
}

fn url(section: &Section<'_>, secrets: &[(String, Secret)]) -> Option<Template> {
    let entry = section.key("url").required();
    let url = template(&entry, secrets, Escape::Percent)?;
    // A host that depends on the number or holds a secret would be looked up in DNS for all to see.
    let written = entry.str()?;
    let host = written.split_once("://").map_or("", |(_, rest)| rest);
    if host.split(['/', '?', '#']).next().unwrap_or_default().contains('{') {
        let why = "numbers and secrets stand behind the host";
        entry.refuse(Code::FORMAT, "has a host that is not written out", why, "");
        return None;
    }
    address::check(
        section,
        &entry,
        &url.fill(TRIAL),
        "https://api.example.com/lookup/{msisdn}",
    )
    .then_some(url)
}

fn body(section: &Section<'_>, is_post: bool, secrets: &[(String, Secret)]) -> Option<Template> {
    let (entry, form) = (section.key("body"), section.key("form"));
    let (entry, escape) = match (entry.is_present(), form.is_present()) {
        (true, true) => {
            form.refuse(
                Code::DUPLICATE,
                "stands beside body",
                "a request has one of them",
                "remove one",
            );
            return None;
        }
        (false, true) => (form, Escape::Percent),
        _ => (entry, Escape::Json),
    };
    if entry.is_present() && !is_post {
        entry.refuse(
            Code::FORMAT,
            "is never sent",
            "only POST has a body",
            "write method = \"POST\"",
        );
    }
    let body = template(&entry, secrets, escape)?;
    if escape == Escape::Json && serde_json::from_str::<serde_json::Value>(&body.fill(TRIAL)).is_err() {
        entry.refuse(
            Code::FORMAT,
            "is no JSON once the number is in it",
            "",
            "what is a form is written as `form`",
        );
    }
    Some(body)
}

/// The headers, and everything that must not be repeated.
fn headers(
    section: &Section<'_>,
    base: &Path,
    secrets: &[(String, Secret)],
    has_body: bool,
) -> (Vec<(HeaderName, Template)>, Vec<Secret>) {
    let mut headers = Vec::new();
    let mut hidden: Vec<_> = secrets.iter().map(|(_, secret)| secret.clone()).collect();
    for (name, entry) in entries(section, "headers") {
        let Ok(name) = name.parse::<HeaderName>() else {
            entry.refuse(Code::FORMAT, "has no name of a header", "", "");
            continue;
        };
        let Some(value) = template(&entry, secrets, Escape::Plain) else {
            continue;
        };
        if value.fill(TRIAL).chars().any(char::is_control) {
            entry.refuse(Code::FORMAT, "has a control character", "a header is one line", "");
            continue;
        }
        headers.push((name, value));
    }
    if let Some(basic) = table(section, "basic") {
        let part = |name: &str| secret(&basic.key(name).required(), base);
        if let (Some(user), Some(password)) = (part("user"), part("password")) {
            let both = BASE64_STANDARD.encode(format!("{}:{}", user.reveal(), password.reveal()));
            let value = Template::parse(&format!("Basic {both}"), &[], Escape::Plain);
            headers.push((hyper::header::AUTHORIZATION, value.expect("base64 has no braces")));
            hidden.extend([user, password, Secret::new(both)]);
        }
    }
    let is_typed = headers.iter().any(|(name, _)| *name == hyper::header::CONTENT_TYPE);
    if has_body && !is_typed {
        let of_body = if section.has("form") {
            "application/x-www-form-urlencoded"
        } else {
            "application/json"
        };
        let value = Template::parse(of_body, &[], Escape::Plain).expect("it has no braces");
        headers.push((hyper::header::CONTENT_TYPE, value));
    }
    (headers, hidden)
}

/// Where things are in an answer, and what status codes mean.
fn shape(answer: &Section<'_>) -> (Shape, BTreeMap<u16, Meaning>) {
    let pointer = |name: &str| pointer(&answer.key(name));
    let shape = Shape {
        number: pointer("number"),
        mccmnc: pointer("mccmnc"),
        mcc: pointer("mcc"),
        mnc: pointer("mnc"),
        mnc_digits: answer
            .key("mnc_digits")
            .integer(2..=3_i64)
            .and_then(|digits| usize::try_from(digits).ok()),
        ported: pointer("ported"),
        roaming: pointer("roaming"),
        cost: pointer("cost"),
        cost_fx: answer.key("cost_fx").parse(Fx::parse),
        status: pointer("status"),
        statuses: words(answer, "statuses", STATUSES),
        error: pointer("error"),
        errors: words(answer, "errors", ERRORS),
    };
    check_pairs(answer, &shape);
    let codes = words(answer, "codes", ERRORS)
        .into_iter()
        .filter_map(|(code, meaning)| {
            let number = code.parse().ok().filter(|number| (100..=599).contains(number));
            if number.is_none() {
                let what = format_args!("names \"{}\"", code.chars().take(64).collect::<String>());
                answer
                    .key("codes")
                    .refuse(Code::FORMAT, what, "a status code is 100 to 599", "");
            }
            Some((number?, meaning))
        });
    let codes = codes.collect();
    (shape, codes)
}

/// Refuses what is of no use without its other half.
fn check_pairs(answer: &Section<'_>, shape: &Shape) {
    let pairs = [
        ("status", "statuses", shape.status.is_some(), !shape.statuses.is_empty()),
        ("error", "errors", shape.error.is_some(), !shape.errors.is_empty()),
        ("mcc", "mnc", shape.mcc.is_some(), shape.mnc.is_some()),
    ];
    for (one, other, has_one, has_other) in pairs {
        if has_one != has_other {
            let (there, absent) = if has_one { (one, other) } else { (other, one) };
            let what = format_args!("is of no use without {absent}");
            answer
                .key(there)
                .refuse(Code::MISSING, what, "", format!("add {absent}"));
        }
    }
    let named = shape.mccmnc.is_some() || shape.mcc.is_some() || shape.status.is_some();
    if !named {
        let entry = answer.key("mccmnc");
        entry.refuse(
            Code::MISSING,
            "is missing, and so are mcc and mnc, and status",
            "nothing would be learnt",
            "",
        );
    } else if shape.mccmnc.is_some() && shape.mcc.is_some() {
        answer
            .key("mccmnc")
            .refuse(Code::DUPLICATE, "stands beside mcc", "", "remove one");
    }
}

/// A JSON pointer (RFC 6901), in which the number may stand.
fn pointer(entry: &Entry<'_>) -> Option<Template> {
    let text = entry.string(POINTER_CHARS_MAX)?;
    if !text.starts_with('/') {
        entry.refuse(
            Code::FORMAT,
            format_args!("is \"{text}\""),
            "a JSON pointer begins with /",
            format!("write /{text}"),
        );
        return None;
    }
    entry.parse(|text| Template::parse(text, &[], Escape::Plain))
}

fn template(entry: &Entry<'_>, secrets: &[(String, Secret)], escape: Escape) -> Option<Template> {
    entry.string(TEMPLATE_CHARS_MAX)?;
    entry.parse(|text| Template::parse(text, secrets, escape))
}

fn words(section: &Section<'_>, name: &str, known: &[(&str, Meaning)]) -> BTreeMap<String, Meaning> {
    let read = entries(section, name)
        .into_iter()
        .filter_map(|(word, entry)| Some((word.to_owned(), entry.word(known)?)));
    read.collect()
}
