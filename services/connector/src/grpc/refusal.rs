//! Why an operator is refused, as gRPC has it: a code, a sentence, and google.rpc details for machines.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::CALLS_MAX;
use crate::control::Refusal;

/// Domain of the reasons.
const DOMAIN: &str = "signalbox";
/// When to come back.
const RETRY: Duration = Duration::from_secs(1);

/// Why an operator is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// What was asked cannot be done.
    #[error(transparent)]
    Control(#[from] Refusal),
    /// Too many calls in flight.
    #[error("{CALLS_MAX} calls are worked on already, the limit")]
    Busy,
}

impl Refused {
    /// Code, and stable reason for machines.
    const fn words(&self) -> (Code, &'static str) {
        match self {
            Self::Control(Refusal::NoSuchLink { .. }) => (Code::NotFound, "LINK_NOT_FOUND"),
            Self::Control(Refusal::Rate(_)) => (Code::InvalidArgument, "INVALID_FIELD"),
            Self::Control(Refusal::NoTest { .. }) => (Code::FailedPrecondition, "NO_TEST"),
            Self::Control(Refusal::Store(_)) => (Code::Unavailable, "STORE_UNAVAILABLE"),
            Self::Busy => (Code::ResourceExhausted, "LIMIT_EXHAUSTED"),
        }
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        let (code, reason) = refused.words();
        let mut details = ErrorDetails::new();
        details.set_error_info(reason, DOMAIN, HashMap::new());
        match &refused {
            Refused::Control(rate @ Refusal::Rate(_)) => {
                let text = rate.to_string();
                let what = text.split_once(": ").map_or(text.as_str(), |(_, what)| what);
                details.add_bad_request_violation("parts_per_second", what);
            }
            Refused::Control(Refusal::Store(_)) | Refused::Busy => _ = details.set_retry_info(Some(RETRY)),
            Refused::Control(_) => {}
        }
        Self::with_error_details(code, refused.to_string(), details)
    }
}
