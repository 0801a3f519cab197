//! Why a question is not answered, as gRPC has it: a code, a sentence, and google.rpc details for machines.

use std::{collections::HashMap, time::Duration};

use signalbox_proto::record::DeadId;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, QuotaViolation, StatusExt as _};

use super::{CALLS_MAX, QUERIES_MAX, RESPONSE_OCTETS_MAX, dead::READ_MAX};

/// Domain of the reasons.
const DOMAIN: &str = "signalbox";
/// When to come back after too many calls.
const RETRY_EXHAUSTED: Duration = Duration::from_millis(100);
/// When to ask another router after this one went.
const RETRY_AWAY: Duration = Duration::from_secs(1);

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// Too many queries, or none.
    #[error("queries: has {0} entries, allowed are 1 to {QUERIES_MAX}")]
    Count(usize),
    /// Bad queries; each violation names its field.
    #[error("{}", sentence(.0))]
    Invalid(Vec<Violation>),
    /// Too many calls in flight.
    #[error("{CALLS_MAX} questions are worked on already, the limit")]
    Busy,
    /// The answers are too long for one response.
    #[error("the answer is over {RESPONSE_OCTETS_MAX} octets, ask fewer queries at a time")]
    Long,
    /// More was put aside than one call reads.
    #[error("over {READ_MAX} records stand within a minute of those asked for, ask for fewer at a time")]
    TooManyDead,
    /// No such dead record.
    #[error("no record {0} was put aside, or it is no longer kept")]
    NoSuchDead(DeadId),
    /// The log or the store is away.
    #[error("{0}")]
    Log(String),
    /// Nobody is there to be asked.
    #[error("this router looks no numbers up: its configuration has no [lookup] section")]
    NoLookUps,
    /// Tables are not published here.
    #[error(
        "this router reads its table from a directory: what is published goes to routers with [table] source = \"bus\""
    )]
    NoTables,
    /// Another version is in force than the caller stands on.
    #[error("{0}")]
    TableBase(String),
    /// There is nothing to confirm, or to go back to.
    #[error("{0}")]
    TableNothing(&'static str),
    /// No such version.
    #[error("{}", no_such_table(*.0))]
    NoSuchTable(u64),
    /// The files of a version are of no use.
    #[error("{0}")]
    TableUnusable(String),
    /// The router is going away.
    #[error("this router is going away")]
    Draining,
}

/// A field that is refused.
#[derive(Debug)]
pub(super) struct Violation {
    /// Path from the request: `queries[3].to`.
    pub(super) field: String,
    /// What is wrong, and what is allowed.
    pub(super) what: String,
}

impl Refusal {
    /// One field is wrong.
    pub(super) fn wrong(field: &str, what: String) -> Self {
        let field = field.to_owned();
        Self::Invalid(vec![Violation { field, what }])
    }

    /// Stable reason, for machines.
    const fn reason(&self) -> &'static str {
        match self {
            Self::Count(_) => "QUERY_COUNT",
            Self::Invalid(_) => "INVALID_FIELD",
            Self::Busy => "LIMIT_EXHAUSTED",
            Self::Long => "RESPONSE_SIZE",
            Self::TooManyDead => "DEAD_COUNT",
            Self::NoSuchDead(_) => "DEAD_NOT_FOUND",
            Self::NoLookUps => "NO_LOOKUPS",
            Self::NoTables => "TABLE_DIRECTORY",
            Self::TableBase(_) => "TABLE_BASE",
            Self::TableNothing(_) => "TABLE_NOTHING",
            Self::NoSuchTable(_) => "TABLE_NOT_FOUND",
            Self::TableUnusable(_) => "TABLE_UNUSABLE",
            Self::Log(_) => "LOG_UNAVAILABLE",
            Self::Draining => "DRAINING",
        }
    }

    /// Every word of [`Refusal::as_str`].
    pub(super) const WORDS: [&str; 9] = [
        "invalid",
        "busy",
        "long",
        "not_found",
        "no_lookups",
        "no_tables",
        "outdated",
        "log_away",
        "draining",
    ];

    /// The word in metrics.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Count(_) | Self::Invalid(_) | Self::TableUnusable(_) => "invalid",
            Self::Busy => "busy",
            Self::Long | Self::TooManyDead => "long",
            Self::NoSuchDead(_) | Self::NoSuchTable(_) | Self::TableNothing(_) => "not_found",
            Self::NoLookUps => "no_lookups",
            Self::NoTables => "no_tables",
            Self::TableBase(_) => "outdated",
            Self::Log(_) => "log_away",
            Self::Draining => "draining",
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal {
            Refusal::Count(_) | Refusal::Invalid(_) => Code::InvalidArgument,
            Refusal::Busy | Refusal::Long | Refusal::TooManyDead => Code::ResourceExhausted,
            Refusal::NoSuchDead(_) | Refusal::NoSuchTable(_) => Code::NotFound,
            Refusal::NoLookUps | Refusal::NoTables | Refusal::TableNothing(_) | Refusal::TableUnusable(_) => {
                Code::FailedPrecondition
            }
            Refusal::TableBase(_) => Code::Aborted,
            Refusal::Draining | Refusal::Log(_) => Code::Unavailable,
        };
        Self::with_error_details(code, refusal.to_string(), details(&refusal))
    }
}

fn details(refusal: &Refusal) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    let mut metadata = HashMap::new();
    let mut limit = |limit: usize| metadata.insert("limit".to_owned(), limit.to_string());
    match refusal {
        Refusal::Count(count) => {
            let what = format!("has {count} entries, allowed are 1 to {QUERIES_MAX}");
            details.add_bad_request_violation("queries", what);
            limit(QUERIES_MAX);
        }
        Refusal::Invalid(violations) => {
            let all = violations
                .iter()
                .map(|violation| FieldViolation::new(violation.field.as_str(), violation.what.as_str()));
            details.set_bad_request(all.collect::<Vec<_>>());
        }
        Refusal::Busy => {
            let violation = QuotaViolation::new("router", format!("{CALLS_MAX} questions at a time"));
            details.set_quota_failure(vec![violation]);
            details.set_retry_info(Some(RETRY_EXHAUSTED));
            limit(CALLS_MAX);
        }
        Refusal::Long => {
            limit(RESPONSE_OCTETS_MAX);
        }
        Refusal::TooManyDead => {
            limit(READ_MAX);
        }
        Refusal::NoSuchDead(_)
        | Refusal::NoLookUps
        | Refusal::NoTables
        | Refusal::TableBase(_)
        | Refusal::TableNothing(_)
        | Refusal::NoSuchTable(_)
        | Refusal::TableUnusable(_) => {}
        Refusal::Draining | Refusal::Log(_) => {
            details.set_retry_info(Some(RETRY_AWAY));
        }
    }
    details.set_error_info(refusal.reason(), DOMAIN, metadata);
    details
}

fn no_such_table(number: u64) -> String {
    match number {
        0 => "no version was published".to_owned(),
        number => format!("version {number} is not kept, `signalbox table history` lists those that are"),
    }
}

fn sentence(violations: &[Violation]) -> String {
    let all = violations
        .iter()
        .map(|violation| format!("{}: {}", violation.field, violation.what));
    all.collect::<Vec<_>>().join("; ")
}
