//! The keys of a provider that answers JSON over HTTP.

use std::{collections::BTreeMap, path::Path};

use source::{Code, Secret, Section};
use table::Fx;
use web::{
    Escape, Method, Template,
    keys::{self, Places, entries},
};

use super::file;
use crate::{
    Reach,
    provider::http::{HttpConfig, Meaning, NUMBER, Shape},
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

/// What stands for the number, and the number that templates are tried with.
const PLACES: Places<'static> = Places {
    names: &[NUMBER],
    trial: &["447700900100"],
    example: "https://api.example.com/lookup/{msisdn}",
};

#[derive(Clone, Copy, PartialEq)]
struct IsPost(bool);

/// Reads the keys; `None` if one is missing that the provider cannot be without.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<HttpConfig> {
    let secrets = keys::secrets(section, base, PLACES);
    let is_post = section.key("method").word(METHODS).is_some_and(|method| method.0);
    let url = keys::url(section, PLACES, &secrets);
    let body = body(section, is_post, &secrets);
    let content_type = body.is_some().then_some(match section.has("form") {
        true => "application/x-www-form-urlencoded",
        false => "application/json",
    });
    let headers = keys::headers(section, base, PLACES, &secrets, content_type);
    let answer = section.key("answer").required();
    let (shape, codes) = answer.section().map(|answer| shape(&answer))?;
    let ca = file(section, "ca", base);
    let url = url?;
    if !url.has(0) && !body.as_ref().is_some_and(|body| body.has(0)) {
        let why = format!("{{{NUMBER}}} stands in neither url nor body");
        let help = "write {msisdn} where it goes";
        section
            .key("url")
            .refuse(Code::MISSING, "asks about no number", why, help);
    }
    Some(HttpConfig {
        method: if is_post { Method::POST } else { Method::GET },
        url,
        headers: headers.headers,
        body,
        codes,
        shape,
        secrets: headers.secrets,
        ca,
    })
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
    let body = keys::template(&entry, PLACES, secrets, escape)?;
    if escape == Escape::Json && serde_json::from_str::<serde_json::Value>(&body.fill(PLACES.trial)).is_err() {
        entry.refuse(
            Code::FORMAT,
            "is no JSON once the number is in it",
            "",
            "what is a form is written as `form`",
        );
    }
    Some(body)
}

/// Where things are in an answer, and what status codes mean.
fn shape(answer: &Section<'_>) -> (Shape, BTreeMap<u16, Meaning>) {
    let pointer = |name: &str| keys::pointer(&answer.key(name), PLACES.names);
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

fn words(section: &Section<'_>, name: &str, known: &[(&str, Meaning)]) -> BTreeMap<String, Meaning> {
    let read = entries(section, name)
        .into_iter()
        .filter_map(|(word, entry)| Some((word.to_owned(), entry.word(known)?)));
    read.collect()
}
