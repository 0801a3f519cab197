//! The keys of `webhook`: where a carrier calls, how it proves who it is, and where things stand in its calls.

use std::{net::SocketAddr, path::Path, time::Duration};

use smpp::{IdFormat, IdFormats};
use source::{Code, Entry, Secret, Section};
use web::{
    Escape, HeaderName, Template,
    keys::{self, table},
};

use crate::{
    http_link::{
        ANSWER_WITHIN_DEFAULT, AnswerShape, Field, Format, Hash, HashEncoding, HookConfig, InboundShape, KeyedHash,
        Only, Over, Proof, ReceiptShape, TimeFormat, exact_ids,
    },
    inbound::RULES_DEFAULT,
};

const FORMATS: &[(&str, Format)] = &[
    ("any", Format::Any),
    ("json", Format::Json),
    ("form", Format::Form),
    ("query", Format::Query),
];
const HASHES: &[(&str, Hash)] = &[("sha1", Hash::Sha1), ("sha256", Hash::Sha256), ("sha512", Hash::Sha512)];
const ENCODINGS: &[(&str, HashEncoding)] = &[("base64", HashEncoding::Base64), ("hex", HashEncoding::Hex)];
const ID_FORMATS: &[(&str, IdFormat)] = &[("exact", IdFormat::Exact), ("opaque", IdFormat::Opaque)];
const URL_CHARS_MAX: usize = 1_024;
const NAME_CHARS_MAX: usize = 256;
const WORDS_MAX: usize = 32;
/// Pieces of what is hashed, and proofs of one call.
const PIECES_MAX: usize = 8;
const PROOFS_MAX: usize = 4;

/// Reads them; `None` = the link has no webhook, or lacks what it cannot be without.
pub(super) fn read(
    section: &Section<'_>,
    base: &Path,
    secrets: &[(String, Secret)],
    answer: Option<&AnswerShape>,
) -> Option<HookConfig> {
    let hook = table(section, "webhook")?;
    let listen = hook.key("listen").required().parse(|text| {
        let refused = |_| "it is no address and port, write 127.0.0.1:8090".to_owned();
        text.parse::<SocketAddr>().map_err(refused)
    });
    let url = url(&hook, secrets);
    let path = path(&hook, secrets);
    let answer_within = hook.key("answer_within").duration("100ms", "60s");
    let proofs = proofs(&hook, base);
    let receipts = table(&hook, "receipts").map(|keys| receipts(&keys));
    let inbound = table(&hook, "inbound").map(|keys| inbound(&keys));
    if receipts.is_none() && inbound.is_none() {
        let help = "add [link.webhook.receipts] or [link.webhook.inbound]";
        hook.key("receipts").refuse(
            Code::MISSING,
            "is missing, and so is inbound",
            "nothing would be heard",
            help,
        );
    }
    if receipts.is_some() && answer.is_none_or(|answer| answer.id.is_none()) {
        let why = "a receipt tells its message by the id of the answer";
        let help = "add answer = { id = \"/…\" }";
        section
            .key("webhook")
            .refuse(Code::MISSING, "has receipts, and the answer has no id", why, help);
    }
    let is_unproved = hook.key("unproved").boolean().unwrap_or(false);
    if proofs.is_empty() && !is_unproved && !is_secret(url.as_ref(), path.as_ref(), secrets) {
        let why = "whoever knows the address could end messages";
        let help = "add proof = { … }, or a secret to the path of url, or unproved = true where nobody else can call";
        hook.key("proof").refuse(Code::MISSING, "is missing", why, help);
    }
    Some(HookConfig {
        listen: listen?,
        url: url?,
        path,
        proofs,
        answer_within: answer_within.unwrap_or(ANSWER_WITHIN_DEFAULT),
        receipts: receipts.flatten(),
        inbound: inbound.flatten(),
    })
}

/// Whether one of the link's secrets stands in the path.
fn is_secret(url: Option<&Secret>, path: Option<&Secret>, secrets: &[(String, Secret)]) -> bool {
    let path = path
        .or(url)
        .map_or("", |path| path.reveal().split('?').next().unwrap_or_default());
    secrets
        .iter()
        .any(|(_, secret)| path.contains(&Escape::Percent.write(secret.reveal())))
}

fn url(hook: &Section<'_>, secrets: &[(String, Secret)]) -> Option<Secret> {
    let entry = hook.key("url").required();
    let url = filled(&entry, secrets)?;
    let is_right = url.parse::<web::Uri>().is_ok_and(|uri| {
        let is_http = matches!(uri.scheme_str(), Some("https" | "http"));
        is_http
            && uri.host().is_some()
            && uri
                .authority()
                .is_some_and(|authority| !authority.as_str().contains('@'))
    });
    if !is_right || url.contains('#') {
        let why = "it is what the carrier is told to call";
        entry.refuse(
            Code::FORMAT,
            "is no address",
            why,
            "write it like https://sms.example.com/receipts",
        );
        return None;
    }
    Some(Secret::new(url))
}

fn path(hook: &Section<'_>, secrets: &[(String, Secret)]) -> Option<Secret> {
    let entry = hook.key("path");
    let path = filled(&entry, secrets)?;
    if !path.starts_with('/') || path.contains(['?', '#']) {
        entry.refuse(Code::FORMAT, "is no path", "", "write it like /receipts");
        return None;
    }
    Some(Secret::new(path))
}

/// The text with secrets in it.
fn filled(entry: &Entry<'_>, secrets: &[(String, Secret)]) -> Option<String> {
    entry.string(URL_CHARS_MAX)?;
    let template = entry.parse(|text| Template::parse(text, &[], secrets, Escape::Percent));
    template.map(|template| template.fill(&[]))
}

fn proofs(hook: &Section<'_>, base: &Path) -> Vec<Proof> {
    let sections = hook.key("proof").sections(PROOFS_MAX);
    sections.iter().filter_map(|section| proof(section, base)).collect()
}

fn proof(section: &Section<'_>, base: &Path) -> Option<Proof> {
    let secret = |name: &str| keys::secret(&section.key(name).required(), base);
    let header = |name: &str| section.key(name).required().parse(header_name);
    if section.has("hmac") {
        let hash = section.key("hmac").word(HASHES);
        let key = secret("key");
        let over = section.key("over").required().list(PIECES_MAX, |item| item.parse(over));
        let header = header("header");
        let prefix = section.key("prefix").string(NAME_CHARS_MAX).unwrap_or_default();
        let encoding = section.key("encoding").required().word(ENCODINGS);
        return Some(Proof::Hash(Box::new(KeyedHash {
            hash: hash?,
            key: key?,
            over: over?,
            header: header?,
            prefix,
            encoding: encoding?,
        })));
    }
    if section.has("header") {
        let (header, value) = (header("header"), secret("value"));
        return Some(Proof::Header(header?, value?));
    }
    if section.has("user") {
        let (user, password) = (secret("user"), secret("password"));
        return Some(Proof::Basic(user?, password?));
    }
    let what = "names no proof";
    let help = "write { hmac = … }, { header = …, value = … } or { user = …, password = … }";
    let log = section.log();
    log.error(section.place(), Code::FORMAT, what, "", help);
    section.entries();
    None
}

fn header_name(text: &str) -> Result<HeaderName, String> {
    text.parse().map_err(|_| "it is no name of a header".to_owned())
}

fn over(text: &str) -> Result<Over, String> {
    if let Some(name) = text.strip_prefix("header ") {
        return header_name(name.trim()).map(Over::Header);
    }
    if let Some(text) = text.strip_prefix('=') {
        return Ok(Over::Text(text.to_owned()));
    }
    match text {
        "url" => Ok(Over::Url),
        "bare_url" => Ok(Over::BareUrl),
        "body" => Ok(Over::Body),
        "form" => Ok(Over::Form),
        _ => Err("allowed are url, bare_url, body, form, \"header NAME\" and \"=TEXT\"".to_owned()),
    }
}

fn receipts(keys: &Section<'_>) -> Option<ReceiptShape> {
    let (format, each, only) = whole(keys);
    let id = field(&keys.key("id").required());
    let status = field(&keys.key("status").required());
    let (error, done_at) = (field(&keys.key("error")), field(&keys.key("done_at")));
    let times = keys.key("times").parse(times).unwrap_or_default();
    let ids = keys.key("id_format").word(ID_FORMATS);
    let ids = ids.map_or_else(exact_ids, |format| IdFormats {
        response: format,
        receipt: format,
    });
    Some(ReceiptShape {
        format,
        each,
        only,
        id: id?,
        status: status?,
        error: error.unwrap_or_default(),
        done_at: done_at.unwrap_or_default(),
        times,
        ids,
    })
}

fn inbound(keys: &Section<'_>) -> Option<InboundShape> {
    let (format, each, only) = whole(keys);
    let required = |name: &str| field(&keys.key(name).required());
    let (from, to, text) = (required("from"), required("to"), required("text"));
    let id = field(&keys.key("id")).unwrap_or_default();
    let repeats = keys.key("repeats").duration("0s", "24h");
    let mut rules = RULES_DEFAULT;
    rules.gather.repeats = repeats.unwrap_or(rules.gather.repeats);
    Some(InboundShape {
        format,
        each,
        only,
        from: from?,
        to: to?,
        text: text?,
        id,
        rules,
    })
}

/// What receipts and messages have in common.
fn whole(keys: &Section<'_>) -> (Format, Option<String>, Only) {
    let format = keys.key("format").word(FORMATS).unwrap_or_default();
    let each = self::keys::pointer(&keys.key("each"), &[]).map(|pointer| pointer.fill(&[]));
    let only = table(keys, "only").and_then(|only| {
        let at = field(&only.key("at").required());
        let is = only
            .key("is")
            .required()
            .list(WORDS_MAX, |item| item.string(NAME_CHARS_MAX));
        Some(Only { field: at?, words: is? })
    });
    (format, each, only.unwrap_or_default())
}

/// A pointer where it begins with a slash, else a name.
fn field(entry: &Entry<'_>) -> Option<Field> {
    let text = entry.string(NAME_CHARS_MAX)?;
    Some(match text.starts_with('/') {
        true => Field::Pointer(text),
        false => Field::Name(text),
    })
}

fn times(text: &str) -> Result<TimeFormat, String> {
    match text {
        "any" => Ok(TimeFormat::Any),
        "unix" => Ok(TimeFormat::Unix),
        "unix_ms" => Ok(TimeFormat::UnixMs),
        pattern if pattern.contains('%') => Ok(TimeFormat::Pattern(pattern.to_owned())),
        _ => Err("allowed are any, unix, unix_ms and patterns such as %y%m%d%H%M".to_owned()),
    }
}

impl HookConfig {
    /// Everything in it that must not be repeated.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let of_proof = |proof: &Proof| match proof {
            Proof::Hash(keyed) => vec![keyed.key.clone()],
            Proof::Header(_, value) => vec![value.clone()],
            Proof::Basic(user, password) => vec![user.clone(), password.clone()],
        };
        self.proofs.iter().flat_map(of_proof).collect()
    }
}

/// How long a call may be waited for at the most.
const _: () = assert!(ANSWER_WITHIN_DEFAULT.as_millis() <= Duration::from_secs(60).as_millis());
