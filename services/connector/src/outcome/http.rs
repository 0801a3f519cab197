//! What each HTTP status, or the carrier's own word in the body of its answer, makes of an order unless a link says otherwise.

use std::{fmt, str::FromStr};

use super::{AnswerCode, HOLD, HOLD_ONCE, HOLD_TWICE, NEXT};
use crate::Action;

/// Longest word of a carrier that can be told from others, in octets.
const WORD_OCTETS_MAX: usize = 48;
/// Statuses of HTTP (RFC 9110 §15).
const STATUSES: std::ops::RangeInclusive<u32> = 100..=599;

/// What a carrier answered over HTTP.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HttpCode {
    /// The status of HTTP.
    Status(u16),
    /// A code in the body, in the carrier's spelling.
    Body(Word),
}

/// A short text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    /// Zeros behind the text.
    octets: [u8; WORD_OCTETS_MAX],
    length: u8,
}

/// A text that names no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpCodeError {
    /// It is neither.
    #[error("\"{0}\" is neither a status of HTTP (100 to 599) nor a code in the body, which is written \"body 21610\"")]
    Unknown(String),
    /// Its word is too long.
    #[error("a code in the body has 1 to {WORD_OCTETS_MAX} octets, \"{0}\" has others")]
    Length(String),
}

impl HttpCode {
    /// The carrier's own code `text`; absent = it is empty or longer than any that could be mapped.
    pub fn body(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut octets = [0; WORD_OCTETS_MAX];
        octets.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).ok().filter(|length| *length > 0)?;
        Some(Self::Body(Word { octets, length }))
    }
}

impl Word {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.octets[..usize::from(self.length)]).expect("it was made of a text")
    }
}

impl FromStr for HttpCode {
    type Err = HttpCodeError;

    fn from_str(text: &str) -> Result<Self, HttpCodeError> {
        let shown = || text.chars().take(64).collect();
        if let Some(word) = text.strip_prefix("body ") {
            return Self::body(word).ok_or_else(|| HttpCodeError::Length(shown()));
        }
        let number = text.parse().ok().and_then(Self::of_number);
        number.ok_or_else(|| HttpCodeError::Unknown(shown()))
    }
}

impl fmt::Debug for HttpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelled())
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AnswerCode for HttpCode {
    const DEFAULTS: &'static [(Self, Action, &'static str)] = DEFAULTS;

    /// A number that is no status is the carrier's own code.
    fn of_number(number: u32) -> Option<Self> {
        match u16::try_from(number) {
            Ok(status) if STATUSES.contains(&number) => Some(Self::Status(status)),
            _ => Self::body(&number.to_string()),
        }
    }

    fn spelled(self) -> String {
        match self {
            Self::Status(status) => format!("HTTP {status}"),
            Self::Body(word) => format!("body {}", word.as_str()),
        }
    }
}

const fn status(status: u16, action: Action, code: &'static str) -> (HttpCode, Action, &'static str) {
    (HttpCode::Status(status), action, code)
}

/// The default map over the statuses that IANA lists. What is not in it is [`UNMAPPED`](super::UNMAPPED), and so is a success
/// that the link does not take for one.
const DEFAULTS: &[(HttpCode, Action, &str)] = &[
    // Redirects are not followed: what is sent holds secrets, and where it would go nobody said.
    status(300, NEXT, "profile"),
    status(301, NEXT, "profile"),
    status(302, NEXT, "profile"),
    status(303, NEXT, "profile"),
    status(304, NEXT, "profile"),
    status(305, NEXT, "profile"),
    status(307, NEXT, "profile"),
    status(308, NEXT, "profile"),
    // Slow down: no fault of the message.
    status(429, HOLD, "throttled"),
    status(425, HOLD, "temporary"),
    // An earlier try under the same idempotency key is still being worked on.
    status(409, HOLD_TWICE, "temporary"),
    status(408, HOLD_ONCE, "temporary"),
    status(423, HOLD_ONCE, "temporary"),
    status(424, HOLD_ONCE, "temporary"),
    status(503, HOLD_TWICE, "queue_full"),
    status(500, HOLD_ONCE, "system_error"),
    status(502, HOLD_ONCE, "system_error"),
    status(507, HOLD_ONCE, "system_error"),
    // Who stands before the carrier did not hear from it, which says nothing of what it did.
    status(504, Action::Unanswered, "temporary"),
    // This carrier will not.
    status(400, NEXT, "refused"),
    status(422, NEXT, "refused"),
    status(451, NEXT, "not_permitted"),
    // What is asked does not fit this carrier: no blind retry here, and somebody has to look at the link.
    status(404, NEXT, "profile"),
    status(405, NEXT, "profile"),
    status(406, NEXT, "profile"),
    status(410, NEXT, "profile"),
    status(411, NEXT, "profile"),
    status(412, NEXT, "profile"),
    status(413, NEXT, "profile"),
    status(414, NEXT, "profile"),
    status(415, NEXT, "profile"),
    status(416, NEXT, "profile"),
    status(417, NEXT, "profile"),
    status(421, NEXT, "profile"),
    status(426, NEXT, "profile"),
    status(428, NEXT, "profile"),
    status(431, NEXT, "profile"),
    status(501, NEXT, "profile"),
    status(505, NEXT, "profile"),
    status(506, NEXT, "profile"),
    status(508, NEXT, "profile"),
    status(510, NEXT, "profile"),
    status(511, NEXT, "profile"),
    // The link's own fault: the message was not looked at.
    status(401, Action::LinkDown, "bind_refused"),
    status(403, Action::LinkDown, "bind_refused"),
    status(407, Action::LinkDown, "bind_refused"),
    status(402, Action::LinkDown, "no_credit"),
];
