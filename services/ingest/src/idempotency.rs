//! Idempotency keys: a second submission under one key is the same message.
//!
//! The entry is written `pending` with the message's id and made durable before the message is published, and `final` once
//! the publish is durable. Whoever finds `pending` publishes again under the same id, so a crash between the two neither
//! loses a message nor makes a second one.

use std::{sync::Arc, time::Duration};

use service::time;
use signalbox_proto::record::{KeyEntry as Entry, KeyMark};
use sms::{AccountId, Content, MessageId};
use store::{Applied, Key, Op, Store, StoreError};

use crate::Draft;

/// How long a key is kept, from acceptance.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3_600);

/// Waits for a store that was lost while a message was published, and how often.
const PUT_BACK_AGAIN: Duration = Duration::from_millis(100);
const PUT_BACK_TRIES: u32 = 100;

/// A message with a key, about to be published as `id` unless the key is known.
pub(crate) struct Wanted {
    pub(crate) key: Key,
    pub(crate) id: MessageId,
    pub(crate) digest: Digest,
}

/// Hash of all that a customer says about a message.
pub(crate) type Digest = [u8; 32];

/// What a key says about a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Publish under this id: the one wanted, or that of a submission whose end is not known. With the version of what the
    /// key says now; `None` = nothing was found.
    Publish(MessageId, Option<u64>),
    /// Published for good as this id: answer so.
    Done(MessageId),
    /// The key belongs to this message, which says something else.
    Reused(MessageId),
    /// What is stored under the key cannot be read; the id is the one wanted.
    Unreadable(MessageId),
}

/// The store key of an account's idempotency key: its hash, since a key may contain anything.
pub(crate) fn store_key(account: &AccountId, key: &str) -> Key {
    signalbox_proto::keys::idempotency(account, &key_hash(key).to_hex())
}

/// What the log keeps of an idempotency key, so that it is known again should the store forget it.
pub(crate) fn mark(draft: &Draft) -> Option<KeyMark> {
    let key = &draft.idempotency_key;
    (!key.is_empty()).then(|| KeyMark {
        key_hash: *key_hash(key).as_bytes(),
        digest: digest(draft),
    })
}

fn key_hash(key: &str) -> blake3::Hash {
    blake3::hash(key.as_bytes())
}

/// Hash of all that `draft` says, its key aside.
pub(crate) fn digest(draft: &Draft) -> Digest {
    let mut hasher = blake3::Hasher::new();
    let mut field = |octets: &[u8]| {
        hasher.update(&(octets.len() as u64).to_be_bytes());
        hasher.update(octets);
    };
    field(draft.to.digits().as_bytes());
    field(draft.from.as_str().as_bytes());
    match &draft.content {
        Content::Text(text) => field(text.as_bytes()),
        Content::Binary { data, header } => {
            field(header.as_deref().unwrap_or_default());
            field(data);
        }
    }
    field(draft.encoding.as_str().as_bytes());
    field(draft.class.as_str().as_bytes());
    field(&draft.ttl.map_or([0; 16], |ttl| ttl.as_nanos().to_be_bytes()));
    field(&[u8::from(draft.receipt)]);
    field(draft.reference.as_bytes());
    *hasher.finalize().as_bytes()
}

/// Writes `wanted` as pending where the key is free, and says what each key means. Durable when it returns: what is
/// published next can be found again.
///
/// # Errors
/// The store is away; some entries may have been written, and a retry meets them as pending.
pub(crate) async fn reserve(store: &Arc<dyn Store>, wanted: &[Wanted]) -> Result<Vec<Verdict>, StoreError> {
    let ops = wanted.iter().map(|wanted| {
        let entry = Entry {
            is_final: false,
            id: wanted.id,
            digest: wanted.digest,
        };
        Op::Swap {
            key: wanted.key.clone(),
            expected: None,
            value: Some(entry.to_bytes()),
            expires_at_ms: (wanted.id.instant() + KEPT).0,
            due: None,
        }
    });
    let (applied, commit) = store.apply(ops.collect()).await?;
    let verdicts = wanted
        .iter()
        .zip(applied)
        .map(|(wanted, applied)| verdict(wanted, applied))
        .collect();
    commit.await?;
    Ok(verdicts)
}

fn verdict(wanted: &Wanted, applied: Applied) -> Verdict {
    let found = match applied {
        Applied::Conflict(Some(found)) => found,
        Applied::Written(version) => return Verdict::Publish(wanted.id, Some(version)),
        _ => return Verdict::Publish(wanted.id, None),
    };
    match Entry::from_bytes(&found.value) {
        None => Verdict::Unreadable(wanted.id),
        Some(entry) if entry.digest != wanted.digest => Verdict::Reused(entry.id),
        Some(entry) if entry.is_final => Verdict::Done(entry.id),
        Some(entry) => Verdict::Publish(entry.id, Some(found.version)),
    }
}

/// A key whose message is on the log for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Final {
    pub(crate) key: Key,
    pub(crate) id: MessageId,
    pub(crate) digest: Digest,
    /// Version under which the key was reserved; `None` = it was not there.
    pub(crate) reserved: Option<u64>,
}

impl Final {
    /// Makes the key final, unless it changed since it was reserved.
    fn put(&self) -> Op {
        self.swap(self.reserved)
    }

    /// Makes it final in a store that may have forgotten it.
    fn put_back(&self) -> Op {
        self.swap(None)
    }

    fn swap(&self, expected: Option<u64>) -> Op {
        Op::Swap {
            key: self.key.clone(),
            expected,
            value: Some(self.entry().to_bytes()),
            expires_at_ms: (self.id.instant() + KEPT).0,
            due: None,
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            is_final: true,
            id: self.id,
            digest: self.digest,
        }
    }
}

/// Makes keys final, and says which message each stands for: another than thought if the store was lost meanwhile and the
/// customer was faster.
///
/// # Errors
/// The store was lost and is not back in time. Whoever asks again under these keys may make other messages of them.
pub(crate) async fn finish(store: &Arc<dyn Store>, finals: &[Final]) -> Result<Vec<MessageId>, StoreError> {
    let ids = || finals.iter().map(|last| last.id).collect();
    match store.apply(finals.iter().map(Final::put).collect()).await {
        // One that is gone was reserved in an epoch that is lost, and is put back in the one that followed.
        Ok((applied, _)) if applied.contains(&Applied::Conflict(None)) => {}
        Ok((applied, _)) => return Ok(finals.iter().zip(applied).map(stands_for).collect()),
        Err(StoreError::Lost) => {}
        Err(error) => {
            // The keys stay pending: a retry publishes again under the same id, and routers drop the repeat.
            tracing::debug!(%error, "idempotency keys not made final");
            return Ok(ids());
        }
    }
    let put_back = || async {
        let (applied, commit) = store.apply(finals.iter().map(Final::put_back).collect()).await?;
        commit.await?;
        Ok(applied)
    };
    for _ in 0..PUT_BACK_TRIES {
        time::sleep(PUT_BACK_AGAIN).await;
        match put_back().await {
            Ok(applied) => return Ok(finals.iter().zip(applied).map(stands_for).collect()),
            Err(StoreError::Lost | StoreError::Away(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(StoreError::Lost)
}

fn stands_for((last, applied): (&Final, Applied)) -> MessageId {
    let there = match applied {
        Applied::Conflict(Some(there)) => Entry::from_bytes(&there.value),
        _ => None,
    };
    there.map_or(last.id, |there| there.id)
}

#[cfg(test)]
mod tests;
