//! The answer of a carrier, as a value.

use std::time::Duration;

use sms::UnixMs;

/// Why a carrier did not take a message: a stable word and the carrier's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Stable word from the connector's map, such as `throttled` or `bad_number`.
    pub code: String,
    /// What the carrier said, such as `ESME_RINVDSTADR`; empty = nothing.
    pub detail: String,
}

/// What became of one order. Everything a carrier can do is in here; it is never an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The carrier took all segments.
    Accepted {
        /// The carrier's id of each segment, in segment order. Empty = the carrier gives none.
        remote_ids: Vec<String>,
    },
    /// Slow down: the same carrier later. Spends no attempt.
    Hold {
        /// Earliest next try, from the answer.
        retry_after: Duration,
        /// What the carrier said.
        cause: Cause,
    },
    /// This carrier will not; another may.
    Next {
        /// Why.
        cause: Cause,
    },
    /// No carrier will.
    Fail {
        /// Why.
        cause: Cause,
    },
    /// Never sent: the link is gone. Spends no attempt.
    LinkDown {
        /// Why.
        cause: Cause,
    },
    /// Sent, and no answer came; or a part was taken and the rest was not.
    Unknown {
        /// When the last byte was written.
        since: UnixMs,
    },
}

impl Cause {
    /// A cause with the carrier's own word.
    pub fn new(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            detail: detail.into(),
        }
    }
}

impl Outcome {
    /// Every word of [`Outcome::as_str`].
    pub const WORDS: [&str; 6] = ["accepted", "hold", "next", "fail", "link_down", "unknown"];

    /// The word used in metrics, traces and events.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Hold { .. } => "hold",
            Self::Next { .. } => "next",
            Self::Fail { .. } => "fail",
            Self::LinkDown { .. } => "link_down",
            Self::Unknown { .. } => "unknown",
        }
    }
}
