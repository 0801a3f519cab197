//! Who calls: the account behind the key in the metadata.

use std::sync::Arc;

use service::trace::{self, Call, TRACEPARENT};
use tonic::metadata::MetadataMap;

use crate::{
    Account, Directory, Refusal,
    account::{KEY_OCTETS_MAX, KeyHash},
};

/// An account that showed its key.
pub(super) struct Caller {
    pub(super) directory: Arc<Directory>,
    hash: KeyHash,
    /// The account as it stood when the call began.
    pub(super) account: Arc<Account>,
}

impl Caller {
    /// The caller with these metadata.
    pub(super) fn of(directory: &Arc<Directory>, metadata: &MetadataMap) -> Result<Self, Refusal> {
        let key = bearer(metadata)?;
        let (hash, account) = directory.find(key)?;
        Ok(Self {
            directory: Arc::clone(directory),
            hash,
            account,
        })
    }

    /// The account as it stands now: a long call notices when its key is withdrawn or its limits change.
    pub(super) fn now(&self) -> Result<Arc<Account>, Refusal> {
        self.directory.find_again(&self.hash)
    }
}

/// The call of `method` with these metadata, as traces are told of it.
pub(super) fn call(method: &'static str, metadata: &MetadataMap) -> Call {
    let traceparent = metadata.get(TRACEPARENT).map(|value| value.as_bytes());
    Call {
        method,
        asked: traceparent.and_then(trace::asked),
    }
}

fn bearer(metadata: &MetadataMap) -> Result<&str, Refusal> {
    let value = metadata.get("authorization");
    let value = value.ok_or(Refusal::Unauthenticated(
        "metadata has no \"authorization: Bearer <key>\"",
    ))?;
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && (1..=KEY_OCTETS_MAX).contains(&key.len()) => {
            Ok(key)
        }
        _ => Err(Refusal::Unauthenticated(
            "metadata \"authorization\" is not \"Bearer <key>\"",
        )),
    }
}
