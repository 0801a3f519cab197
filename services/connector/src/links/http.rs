//! The keys of an HTTP link.

mod body;
mod webhook;

use std::{collections::BTreeMap, net::SocketAddr, path::Path};

use serde_json::Value;
use source::{Code, Secret, Section};
use web::{
    HeaderName, Method,
    keys::{self, Places, table},
    roots,
};

use super::smpp::reconnect;
use crate::{
    LinkConfig, LinkKind,
    http_link::{AnswerShape, Body, HookConfig, HttpConfig, PLACES},
};

const METHODS: &[(&str, IsPost)] = &[("GET", IsPost(false)), ("POST", IsPost(true))];
const IDEMPOTENCY_HEADER: &str = "idempotency-key";
const NAME_CHARS_MAX: usize = 64;
const PATH_CHARS_MAX: usize = 4_096;
/// Words for one thing.
const WORDS_MAX: usize = 32;

/// What templates may name, with values that fit into any header.
pub(super) const OF_MESSAGE: Places<'static> = Places {
    names: &PLACES,
    trial: &[
        "447700900100",
        "ACME",
        "ACME",
        "text",
        "018f0000-0000-7000-8000-000000000000",
        "018f0000-0000-7000-8000-000000000000-1",
        "600",
        "10",
        "600000",
        "2026-01-01T00:00:00Z",
        "true",
        "https://example.com",
        "gsm7",
        "1",
        "otp",
    ],
    example: "https://api.example.com/messages",
};

#[derive(Clone, Copy, PartialEq)]
struct IsPost(bool);

/// Reads the keys; `None` if one is missing that the link cannot be without.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<HttpConfig> {
    let secrets = keys::secrets(section, base, OF_MESSAGE);
    let is_post = section.key("method").word(METHODS).is_none_or(|method| method.0);
    let url = keys::url(section, OF_MESSAGE, &secrets);
    let (body, content_type) = body::read(section, is_post, &secrets);
    let headers = keys::headers(section, base, OF_MESSAGE, &secrets, content_type);
    let answer = answer(section);
    let hook = webhook::read(section, base, &secrets, answer.as_ref());
    let ca = section.key("ca").string(PATH_CHARS_MAX).map(|path| base.join(path));
    let day = std::time::Duration::from_secs(86_400);
    let config = HttpConfig {
        method: if is_post { Method::POST } else { Method::GET },
        url: url?,
        headers: headers.headers,
        body,
        idempotency: idempotency(section),
        receipt_words: words(
            section,
            "receipt_words",
            ["wanted", "unwanted"],
            [true.into(), false.into()],
        ),
        encoding_words: words(
            section,
            "encoding_words",
            ["gsm7", "ucs2"],
            ["gsm7".into(), "ucs2".into()],
        ),
        validity_max: section.key("validity_max").duration("1m", "744h").unwrap_or(day * 31),
        answer: answer.unwrap_or_default(),
        secrets: all_secrets(headers.secrets, hook.as_ref()),
        ca,
        reconnect: reconnect(section),
        credentials_pause: section
            .key("credentials_pause")
            .duration("1s", "1h")
            .unwrap_or(std::time::Duration::from_secs(300)),
        hook,
    };
    check(section, &config);
    Some(config)
}

/// Refuses a webhook at the path of an earlier link: which of them is meant nobody could say.
pub(super) fn one_path(section: &Section<'_>, link: &LinkConfig, hooks: &mut BTreeMap<(SocketAddr, String), String>) {
    let LinkKind::Http(http) = &link.kind else { return };
    let Some(hook) = &http.hook else { return };
    let place = (hook.listen, hook.path().to_owned());
    if let Some(other) = hooks.insert(place, link.name.clone()) {
        let what = format_args!("is called at the same address and path as that of link {other}");
        let help = "give each a path of its own";
        section.key("webhook").refuse(Code::DUPLICATE, what, "", help);
    }
}

fn all_secrets(mut secrets: Vec<Secret>, hook: Option<&HookConfig>) -> Vec<Secret> {
    secrets.extend(hook.into_iter().flat_map(HookConfig::secrets));
    secrets
}

/// Refuses what could never work.
fn check(section: &Section<'_>, config: &HttpConfig) {
    let has = |place: &str| {
        let index = PLACES.iter().position(|known| *known == place);
        index.is_some_and(|index| config.url.has(index) || config.body.has(index))
    };
    for (place, what) in [("to", "a recipient"), ("text", "a text")] {
        if !has(place) {
            let why = format!("{{{place}}} stands in neither url nor json nor form");
            let help = format!("write {{{place}}} where it goes");
            section.key("url").refuse(
                Code::MISSING,
                format_args!("is given no message with {what}"),
                why,
                help,
            );
        }
    }
    if has("receipt_url") && config.hook.is_none() {
        let why = "{receipt_url} is the url of the link's webhook";
        section
            .key("webhook")
            .refuse(Code::MISSING, "is missing", why, "add [link.webhook]");
    }
    if !config.host().starts_with("http:")
        && let Err(why) = roots(config.ca.as_deref())
    {
        section
            .key("ca")
            .refuse(Code::FILE, format_args!("cannot be used: {why}"), "", "");
    }
}

/// The header that the attempt's id goes in; `""` = none.
fn idempotency(section: &Section<'_>) -> Option<HeaderName> {
    let entry = section.key("idempotency_header");
    if !entry.is_present() {
        return Some(HeaderName::from_static(IDEMPOTENCY_HEADER));
    }
    match entry.str()? {
        "" => None,
        _ => entry.parse(|name| name.parse::<HeaderName>().map_err(|_| "it is no name of a header")),
    }
}

/// Two words of the carrier's for one thing, of any type.
fn words(section: &Section<'_>, name: &str, keys: [&str; 2], defaults: [Value; 2]) -> [Value; 2] {
    let Some(table) = table(section, name) else {
        return defaults;
    };
    let mut index = 0;
    keys.map(|key| {
        let default = &defaults[index];
        index += 1;
        let entry = table.key(key);
        body::fixed(&entry).unwrap_or_else(|| default.clone())
    })
}

/// Where things are in an answer.
fn answer(section: &Section<'_>) -> Option<AnswerShape> {
    let answer = table(section, "answer")?;
    let pointer = |name: &str| keys::pointer(&answer.key(name), &[]).map(|pointer| pointer.fill(&[]));
    let success = answer.key("success");
    let success = success
        .is_present()
        .then(|| success.list(WORDS_MAX, |item| item.integer(200..=599_u16)));
    let ok = table(&answer, "ok").and_then(|ok| {
        let at = keys::pointer(&ok.key("at").required(), &[]);
        let is = ok
            .key("is")
            .required()
            .list(WORDS_MAX, |item| item.string(NAME_CHARS_MAX));
        Some((at?.fill(&[]), is?))
    });
    Some(AnswerShape {
        success: success.flatten().unwrap_or_default(),
        ok,
        id: pointer("id"),
        code: pointer("code"),
        detail: pointer("detail"),
    })
}

impl Body {
    /// Whether the value of index `place` stands in it.
    fn has(&self, place: usize) -> bool {
        match self {
            Self::Nothing => false,
            Self::Json(node) => body::has(node, place),
            Self::Form(fields) => fields.iter().any(|(_, value)| value.has(place)),
        }
    }
}
