//! How one carrier is asked over HTTP, and how its answers are read, as values.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

use serde_json::Value;
use source::Secret;
use web::{HeaderName, Method, Template};

use super::hook::HookConfig;

/// What templates may name, by index.
pub(crate) const PLACES: [&str; 15] = [
    "to",
    "from",
    "from_e164",
    "text",
    "id",
    "attempt",
    "validity",
    "validity_minutes",
    "validity_ms",
    "deadline",
    "receipt",
    "receipt_url",
    "encoding",
    "segments",
    "class",
];
/// Index of the address for receipts: what names it is left out where no receipt is wanted.
pub(crate) const RECEIPT_URL: usize = 11;

/// How to ask, and how to read the answer. Shows no secret in Debug.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpConfig {
    pub(crate) method: Method,
    pub(crate) url: Template,
    pub(crate) headers: Vec<(HeaderName, Template)>,
    pub(crate) body: Body,
    /// The header that the attempt's id goes in; absent = none.
    pub(crate) idempotency: Option<HeaderName>,
    /// What `{receipt}` is where one is wanted, and where none is.
    pub(crate) receipt_words: [Value; 2],
    /// What `{encoding}` is for text of the GSM alphabet, and for any other.
    pub(crate) encoding_words: [Value; 2],
    /// Longest validity the carrier takes.
    pub(crate) validity_max: Duration,
    pub(crate) answer: AnswerShape,
    /// Everything that must not be repeated.
    pub(crate) secrets: Vec<Secret>,
    /// File of the authorities that the carrier's certificate may come from; absent = those of the machine.
    pub(crate) ca: Option<PathBuf>,
    /// Ceilings of the first and of the longest wait before an unreachable carrier is knocked at again.
    pub(crate) reconnect: RangeInclusive<Duration>,
    /// Wait after credentials were refused.
    pub(crate) credentials_pause: Duration,
    /// How receipts and inbound messages come; absent = they do not.
    pub(crate) hook: Option<HookConfig>,
}

/// What follows the headers of a request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Nothing,
    Json(Node),
    Form(Vec<(String, Template)>),
}

/// A value of JSON with places in it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Fixed(Value),
    Text(Template),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Where things are in an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AnswerShape {
    /// Statuses that say that the message was taken; none = every 2xx.
    pub(crate) success: Vec<u16>,
    /// What has to stand where in the body for it to be taken; absent = the status alone says so.
    pub(crate) ok: Option<(String, Vec<String>)>,
    /// The carrier's id of the message; absent = it gives none.
    pub(crate) id: Option<String>,
    /// The carrier's own code.
    pub(crate) code: Option<String>,
    /// What it says about that, for people.
    pub(crate) detail: Option<String>,
}

impl HttpConfig {
    /// The address without what is behind the host, for knocking; values do not stand before that.
    pub(crate) fn host(&self) -> String {
        let url = self.url.fill(&[""; PLACES.len()]);
        let scheme = url.find("://").map_or(0, |at| at + 3);
        let end = url[scheme..].find(['/', '?', '#']).map_or(url.len(), |at| scheme + at);
        format!("{}/", &url[..end])
    }
}
