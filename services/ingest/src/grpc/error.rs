//! Refusals as gRPC has them: a code, a sentence, and google.rpc details for machines. The one place that knows the codes.

use std::{collections::HashMap, time::Duration};

use signalbox_proto::pb::signalbox::ingest::v1 as pb;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, QuotaViolation, StatusExt};

use crate::{Refusal, Violation};

/// Domain of the reasons.
const DOMAIN: &str = "signalbox";
/// When to come back after a limit was reached.
const RETRY_EXHAUSTED: Duration = Duration::from_millis(100);
/// When to come back after something was away.
const RETRY_AWAY: Duration = Duration::from_secs(1);

/// The status for `refusal`. `at` goes before the names of fields: `message`, or `messages[3]`.
pub(super) fn status(refusal: &Refusal, at: &str) -> Status {
    Status::with_error_details(code(refusal), sentence(refusal, at), details(refusal, at))
}

/// The same inside a stream, for one message or frame.
pub(super) fn problem(refusal: &Refusal, at: &str) -> pb::Problem {
    let status = status(refusal, at);
    // The details travel as an encoded google.rpc.Status, which a Problem is field by field.
    signalbox_proto::ingest::problem(status.details()).unwrap_or_else(|| pb::Problem {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    })
}

const fn code(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Invalid(_) | Refusal::Frame { .. } => Code::InvalidArgument,
        Refusal::Unauthenticated(_) => Code::Unauthenticated,
        Refusal::Disabled(_) => Code::PermissionDenied,
        Refusal::Exhausted { .. } | Refusal::Busy(_) => Code::ResourceExhausted,
        Refusal::KeyReused(_) => Code::AlreadyExists,
        Refusal::NotFound(_) => Code::NotFound,
        Refusal::Publish(_) | Refusal::Consume(_) | Refusal::Store(_) | Refusal::ClockBehind(_) | Refusal::Draining => {
            Code::Unavailable
        }
        Refusal::Unreadable(_) => Code::Internal,
    }
}

fn sentence(refusal: &Refusal, at: &str) -> String {
    match refusal {
        Refusal::Invalid(violations) => {
            let all = violations
                .iter()
                .map(|violation| format!("{}: {}", path(at, violation.field), violation.what));
            all.collect::<Vec<_>>().join("; ")
        }
        _ => refusal.to_string(),
    }
}

fn details(refusal: &Refusal, at: &str) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    let mut metadata = HashMap::new();
    match refusal {
        Refusal::Invalid(violations) => {
            let violations = violations.iter().map(|violation| field_violation(at, violation));
            details.set_bad_request(violations.collect::<Vec<_>>());
        }
        Refusal::Frame { messages, limit } => {
            let what = format!("has {messages} entries, allowed are 1 to {limit}");
            details.add_bad_request_violation("messages", what);
            metadata.insert("limit".to_owned(), limit.to_string());
        }
        Refusal::Exhausted { account, what, limit } => {
            let mut violation = QuotaViolation::new(format!("account:{account}"), format!("{limit} {what} at a time"));
            violation.quota_value = i64::from(*limit);
            details.set_quota_failure(vec![violation]);
            details.set_retry_info(Some(RETRY_EXHAUSTED));
            metadata.insert("limit".to_owned(), limit.to_string());
        }
        Refusal::Busy(busy) => {
            details.set_retry_info(Some(busy.retry_after));
            metadata.insert("lane".to_owned(), busy.lane.to_string());
            metadata.insert("wait_seconds".to_owned(), busy.wait.as_secs().to_string());
            metadata.insert("limit_seconds".to_owned(), busy.limit.as_secs().to_string());
        }
        Refusal::KeyReused(id) => {
            details.add_bad_request_violation(path(at, "idempotency_key"), refusal.to_string());
            metadata.insert("message_id".to_owned(), id.to_string());
        }
        Refusal::Disabled(account) => {
            metadata.insert("account".to_owned(), account.to_string());
        }
        Refusal::NotFound(id) => {
            metadata.insert("message_id".to_owned(), id.to_string());
        }
        Refusal::Publish(_) | Refusal::Consume(_) | Refusal::Store(_) | Refusal::ClockBehind(_) | Refusal::Draining => {
            details.set_retry_info(Some(RETRY_AWAY));
        }
        Refusal::Unauthenticated(_) | Refusal::Unreadable(_) => {}
    }
    details.set_error_info(refusal.reason(), DOMAIN, metadata);
    details
}

fn field_violation(at: &str, violation: &Violation) -> FieldViolation {
    FieldViolation::new(path(at, violation.field), violation.what.clone())
}

fn path(at: &str, field: &str) -> String {
    match (at, field) {
        ("", _) => field.to_owned(),
        (_, "") => at.to_owned(),
        _ => format!("{at}.{field}"),
    }
}
