//! Why a call or a message was refused: a closed set, mapped once to each protocol.

use std::time::Duration;

use bus::{ConsumeError, PublishError};
use sms::{AccountId, MessageId};
use store::StoreError;

use crate::{Busy, BusyWhat, Violation};

/// Why a call or a message was refused. Nothing was accepted, unless a variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Fields of the message or the call.
    #[error("{} of the request {} refused", fields(.0), if .0.len() == 1 { "is" } else { "are" })]
    Invalid(Vec<Violation>),
    /// More messages than a frame may have, or none.
    #[error("frame has {messages} messages, allowed are 1 to {limit}")]
    Frame {
        /// Messages as sent.
        messages: usize,
        /// Most allowed.
        limit: usize,
    },
    /// No key, or one that no account has.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The account is switched off.
    #[error("account {0} is disabled")]
    Disabled(AccountId),
    /// The account has its fill of something: come back when some of it is done.
    #[error("account {account} has its {limit} {what} at a time already")]
    Exhausted {
        /// Whose limit it is.
        account: AccountId,
        /// What is limited, such as `messages in flight`.
        what: &'static str,
        /// The limit.
        limit: u32,
    },
    /// The message would wait for too long, or routers are too far behind: come back later.
    #[error("{}", busy(.0))]
    Busy(Busy),
    /// The idempotency key belongs to a message that says something else.
    #[error("idempotency_key was used within 24 h for message {0}, which is another message")]
    KeyReused(MessageId),
    /// No such message, or one of another account.
    #[error("this account has no message {0}")]
    NotFound(MessageId),
    /// The log is away. A message may have been taken all the same; its sender was not told so.
    #[error("{0}")]
    Publish(PublishError),
    /// The log cannot be read.
    #[error("{0}")]
    Consume(ConsumeError),
    /// The store is away.
    #[error("{0}")]
    Store(StoreError),
    /// What is stored cannot be read: a newer version wrote it, or it is damaged.
    #[error("the stored state of message {0} cannot be read")]
    Unreadable(MessageId),
    /// The machine's clock is behind the log's by so much: messages would be stamped with an instant that is past, and be
    /// overdue at once. Another server may do.
    #[error("this server's clock is {} s behind the log's: it accepts nothing until it is set", .0.as_secs())]
    ClockBehind(Duration),
    /// The service is going away: go on with another one.
    #[error("this server is going away")]
    Draining,
}

impl Refusal {
    /// Every reason there is.
    pub const REASONS: [&str; 14] = [
        "INVALID_FIELD",
        "FRAME_SIZE",
        "UNAUTHENTICATED",
        "ACCOUNT_DISABLED",
        "LIMIT_EXHAUSTED",
        BusyWhat::REASONS[0],
        BusyWhat::REASONS[1],
        "IDEMPOTENCY_KEY_REUSED",
        "MESSAGE_NOT_FOUND",
        "LOG_UNAVAILABLE",
        "STORE_UNAVAILABLE",
        "STATE_UNREADABLE",
        "CLOCK_BEHIND",
        "DRAINING",
    ];

    /// Stable reason, for machines and metrics.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_FIELD",
            Self::Frame { .. } => "FRAME_SIZE",
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Disabled(_) => "ACCOUNT_DISABLED",
            Self::Exhausted { .. } => "LIMIT_EXHAUSTED",
            Self::Busy(busy) => busy.what.reason(),
            Self::KeyReused(_) => "IDEMPOTENCY_KEY_REUSED",
            Self::NotFound(_) => "MESSAGE_NOT_FOUND",
            Self::Publish(_) | Self::Consume(_) => "LOG_UNAVAILABLE",
            Self::Store(_) => "STORE_UNAVAILABLE",
            Self::Unreadable(_) => "STATE_UNREADABLE",
            Self::ClockBehind(_) => "CLOCK_BEHIND",
            Self::Draining => "DRAINING",
        }
    }
}

impl BusyWhat {
    /// Every reason there is.
    pub(crate) const REASONS: [&str; 2] = ["ROUTERS_BEHIND", "DESTINATION_BUSY"];

    /// Stable reason, for machines and metrics.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Routers => "ROUTERS_BEHIND",
            Self::Destination(_) => "DESTINATION_BUSY",
        }
    }
}

fn busy(busy: &Busy) -> String {
    let Busy { lane, .. } = busy;
    let (wait, limit) = (busy.wait.as_secs(), busy.limit.as_secs());
    let away = busy.retry_after.as_secs_f64().ceil();
    match busy.what {
        BusyWhat::Routers => {
            format!("routers are {wait} s behind in lane {lane}, the limit is {limit} s: come back in {away} s")
        }
        BusyWhat::Destination(head) => format!(
            "messages to numbers that begin with {head} would wait for {wait} s in lane {lane}, the limit is {limit} s: come \
             back in {away} s"
        ),
    }
}

impl From<Violation> for Refusal {
    fn from(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }
}

fn fields(violations: &[Violation]) -> String {
    let names: Vec<&str> = violations.iter().map(|violation| violation.field).collect();
    names.join(", ")
}
