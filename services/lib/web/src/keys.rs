//! The keys of a configuration that say how to ask somebody over HTTP.

use std::path::Path;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use source::{Code, Entry, Secret, Section};

use crate::{Escape, Template, check_address};

/// Longest template, in characters.
pub const TEMPLATE_CHARS_MAX: usize = 4_096;
/// Longest pointer, in characters.
const POINTER_CHARS_MAX: usize = 256;
/// Entries of one map.
const ENTRIES_MAX: usize = 1_000;

/// What templates may name, and what they are tried with.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The names, by index.
    pub names: &'a [&'a str],
    /// A value for each.
    pub trial: &'a [&'a str],
    /// An address as it might be.
    pub example: &'a str,
}

/// Headers, and everything that must not be repeated.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// Each with its value.
    pub headers: Vec<(HeaderName, Template)>,
    /// Secrets in any spelling.
    pub secrets: Vec<Secret>,
}

/// The `secrets` that templates may name.
pub fn secrets(section: &Section<'_>, base: &Path, places: Places<'_>) -> Vec<(String, Secret)> {
    let read = entries(section, "secrets").into_iter().filter_map(|(name, entry)| {
        if places.names.contains(&name) {
            let what = format_args!("has the name that stands for the {name} of what is asked");
            entry.refuse(Code::DUPLICATE, what, "", "rename it");
        }
        Some((name.to_owned(), secret(&entry, base)?))
    });
    read.collect()
}

/// The secret at `entry`, fetched from wherever it is kept.
pub fn secret(entry: &Entry<'_>, base: &Path) -> Option<Secret> {
    let secret = entry.secret()?.read(base);
    let refused = |error| entry.refuse(Code::FILE, format_args!("cannot be had: {error}"), "", "");
    let secret = secret.map_err(refused).ok()?;
    if secret.reveal().is_empty() {
        let why = "a secret that is left out in silence is looked for long";
        entry.refuse(Code::RANGE, "is empty", why, "");
        return None;
    }
    Some(secret)
}

/// The address at `url`, and `plaintext` beside it.
pub fn url(section: &Section<'_>, places: Places<'_>, secrets: &[(String, Secret)]) -> Option<Template> {
    let entry = section.key("url").required();
    let url = template(&entry, places, secrets, Escape::Percent)?;
    // A host that depends on a value or holds a secret would be looked up in DNS for all to see.
    let written = entry.str()?;
    let host = written.split_once("://").map_or("", |(_, rest)| rest);
    if host.split(['/', '?', '#']).next().unwrap_or_default().contains('{') {
        let why = "numbers and secrets stand behind the host";
        entry.refuse(Code::FORMAT, "has a host that is not written out", why, "");
        return None;
    }
    check_address(section, &entry, &url.fill(places.trial), places.example).then_some(url)
}

/// The `headers`, `basic` among them; one that says what the body is, `content_type`, is added where they do not.
pub fn headers(
    section: &Section<'_>,
    base: &Path,
    places: Places<'_>,
    secrets: &[(String, Secret)],
    content_type: Option<&str>,
) -> Headers {
    let mut found = Headers {
        headers: Vec::new(),
        secrets: secrets.iter().map(|(_, secret)| secret.clone()).collect(),
    };
    for (name, entry) in entries(section, "headers") {
        let Ok(name) = name.parse::<HeaderName>() else {
            entry.refuse(Code::FORMAT, "has no name of a header", "", "");
            continue;
        };
        let Some(value) = template(&entry, places, secrets, Escape::Plain) else {
            continue;
        };
        if value.fill(places.trial).chars().any(char::is_control) {
            entry.refuse(Code::FORMAT, "has a control character", "a header is one line", "");
            continue;
        }
        found.headers.push((name, value));
    }
    if let Some(basic) = table(section, "basic") {
        let part = |name: &str| secret(&basic.key(name).required(), base);
        if let (Some(user), Some(password)) = (part("user"), part("password")) {
            let both = BASE64_STANDARD.encode(format!("{}:{}", user.reveal(), password.reveal()));
            found.headers.push((AUTHORIZATION, fixed(&format!("Basic {both}"))));
            found.secrets.extend([user, password, Secret::new(both)]);
        }
    }
    let is_typed = found.headers.iter().any(|(name, _)| *name == CONTENT_TYPE);
    if let Some(content_type) = content_type.filter(|_| !is_typed) {
        found.headers.push((CONTENT_TYPE, fixed(content_type)));
    }
    found
}

fn fixed(text: &str) -> Template {
    Template::parse(text, &[], &[], Escape::Plain).expect("it has no braces")
}

/// A JSON pointer (RFC 6901), in which `places` may stand.
pub fn pointer(entry: &Entry<'_>, places: &[&str]) -> Option<Template> {
    let text = entry.string(POINTER_CHARS_MAX)?;
    if !text.starts_with('/') {
        let help = format!("write /{text}");
        entry.refuse(
            Code::FORMAT,
            format_args!("is \"{text}\""),
            "a JSON pointer begins with /",
            help,
        );
        return None;
    }
    entry.parse(|text| Template::parse(text, places, &[], Escape::Plain))
}

/// A text with places in it.
pub fn template(
    entry: &Entry<'_>,
    places: Places<'_>,
    secrets: &[(String, Secret)],
    escape: Escape,
) -> Option<Template> {
    entry.string(TEMPLATE_CHARS_MAX)?;
    entry.parse(|text| Template::parse(text, places.names, secrets, escape))
}

/// The table `name`; `None` if it is not written.
pub fn table<'a>(section: &Section<'a>, name: &str) -> Option<Section<'a>> {
    let entry = section.key(name);
    if entry.is_present() { entry.section() } else { None }
}

/// The entries of the table `name`; none if it is absent.
pub fn entries<'a>(section: &Section<'a>, name: &str) -> Vec<(&'a str, Entry<'a>)> {
    let Some(map) = table(section, name) else {
        return Vec::new();
    };
    let entries = map.entries();
    if entries.len() > ENTRIES_MAX {
        let what = format_args!("has {} entries, the limit is {ENTRIES_MAX}", entries.len());
        section.key(name).refuse(Code::RANGE, what, "", "");
    }
    entries
}
