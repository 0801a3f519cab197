//! A query as people and programs write it: the flags of `table explain`, or one JSON object.

use serde::Deserialize;
use sms::{Class, Content, Encoding, Msisdn, TEXT_OCTETS_MAX, UnixMs};

use crate::{
    instant::{InstantError, unix_ms},
    network::NetworkError,
    query::{Query, Served, Source},
};

/// Longest sender or account in a query, in octets.
pub const QUERY_FIELD_OCTETS_MAX: usize = 256;

/// A query as written. Absent fields have the defaults of the format.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Recipient.
    pub to: String,
    /// Sender; absent = empty.
    pub from: Option<String>,
    /// Account; absent = empty.
    pub account: Option<String>,
    /// Class; absent = transactional.
    pub class: Option<String>,
    /// Text, from which encoding and segments follow.
    pub text: Option<String>,
    /// Segments, without a text; absent = 1.
    pub segments: Option<u64>,
    /// Encoding, without a text; absent = `gsm7`.
    pub encoding: Option<String>,
    /// Instant; absent = now.
    pub at: Option<String>,
    /// MCC and MNC together, or an MCC alone; absent = not named.
    pub network: Option<String>,
    /// Whether the number was ported; absent = follows.
    pub ported: Option<bool>,
    /// The die; absent = 0.
    pub roll: Option<u64>,
}

/// A sound query that owns its text.
#[derive(Clone, Debug)]
pub struct Asked {
    to: String,
    from: String,
    account: String,
    class: Class,
    encoding: Encoding,
    segments: u8,
    text: Option<String>,
    at: UnixMs,
    network: Option<Served>,
    ported: Option<bool>,
    roll: u64,
}

/// Why a query was refused, naming the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The recipient is no number.
    #[error("to: {0}")]
    To(#[from] sms::AddressError),
    /// Not a class.
    #[error("{0}")]
    Class(String),
    /// Not an encoding.
    #[error("encoding is \"{0}\", known are gsm7, ucs2 and binary")]
    Encoding(String),
    /// Out of range.
    #[error("segments is {0}, allowed are 1 to 255")]
    Segments(u64),
    /// Both given.
    #[error("text stands beside {0}, which follows from the text: give one of them")]
    TextAndSize(&'static str),
    /// Too long.
    #[error("{field} has {octets} octets, the limit is {limit}")]
    Long {
        /// Name of the field.
        field: &'static str,
        /// As given.
        octets: usize,
        /// Longest allowed.
        limit: usize,
    },
    /// Not an instant.
    #[error("at: {0}")]
    At(#[from] InstantError),
    /// Not a network.
    #[error("network: {0}")]
    Network(#[from] NetworkError),
}

impl Request {
    /// Checks every field and fills in defaults; `now` stands for an absent `at`.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn resolve(self, now: UnixMs) -> Result<Asked, RequestError> {
        Msisdn::new(&self.to)?;
        self.resolve_for_any(now)
    }

    /// The same for a quote, which may be asked of a network alone: then the recipient may be empty.
    ///
    /// # Errors
    /// The first field that is refused.
    pub fn resolve_quote(self, now: UnixMs) -> Result<Asked, RequestError> {
        if self.to.is_empty() && self.network.is_some() {
            self.resolve_for_any(now)
        } else {
            self.resolve(now)
        }
    }

    /// Everything but the recipient.
    fn resolve_for_any(self, now: UnixMs) -> Result<Asked, RequestError> {
        let (encoding, segments) = self.size()?;
        let from = bounded("from", self.from.unwrap_or_default(), QUERY_FIELD_OCTETS_MAX)?;
        let account = bounded("account", self.account.unwrap_or_default(), QUERY_FIELD_OCTETS_MAX)?;
        let class = self
            .class
            .as_deref()
            .map_or(Ok(Class::default()), str::parse)
            .map_err(RequestError::Class)?;
        let at = self.at.as_deref().map_or(Ok(now), unix_ms)?;
        let network = self.network.as_deref().map(str::parse).transpose()?;
        Ok(Asked {
            to: self.to,
            from,
            account,
            class,
            encoding,
            segments,
            text: self.text,
            at,
            network: network.map(|network| Served {
                network,
                source: Source::Query,
            }),
            ported: self.ported,
            roll: self.roll.unwrap_or(0),
        })
    }

    fn size(&self) -> Result<(Encoding, u8), RequestError> {
        if let Some(text) = &self.text {
            if self.segments.is_some() || self.encoding.is_some() {
                let other = if self.segments.is_some() {
                    "segments"
                } else {
                    "encoding"
                };
                return Err(RequestError::TextAndSize(other));
            }
            let text = bounded("text", text.clone(), TEXT_OCTETS_MAX)?;
            let size = sms::count(&Content::Text(text));
            return Ok((size.encoding, size.segments));
        }
        let encoding = match self.encoding.as_deref() {
            None | Some("gsm7") => Encoding::Gsm7,
            Some("ucs2") => Encoding::Ucs2,
            Some("binary") => Encoding::Binary,
            Some(other) => return Err(RequestError::Encoding(other.chars().take(40).collect())),
        };
        let segments = self.segments.unwrap_or(1);
        let held = u8::try_from(segments).ok().filter(|segments| *segments > 0);
        held.map(|segments| (encoding, segments))
            .ok_or(RequestError::Segments(segments))
    }
}

impl RequestError {
    /// Name of the refused field.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::To(_) => "to",
            Self::Class(_) => "class",
            Self::Encoding(_) => "encoding",
            Self::Segments(_) => "segments",
            Self::TextAndSize(_) => "text",
            Self::Long { field, .. } => field,
            Self::At(_) => "at",
            Self::Network(_) => "network",
        }
    }
}

impl Asked {
    /// The query to decide.
    pub fn query(&self) -> Query<'_> {
        Query {
            from: &self.from,
            account: &self.account,
            class: self.class,
            encoding: self.encoding,
            segments: self.segments,
            text: self.text.as_deref(),
            network: self.network,
            ported: self.ported,
            roll: self.roll,
            ..Query::new(&self.to, self.at)
        }
    }
}

fn bounded(field: &'static str, value: String, limit: usize) -> Result<String, RequestError> {
    if value.len() > limit {
        Err(RequestError::Long {
            field,
            octets: value.len(),
            limit,
        })
    } else {
        Ok(value)
    }
}
