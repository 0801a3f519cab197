//! Idempotency keys: a second submission under one key is the same message.
//!
//! The entry is written `pending` with the message's id and made durable before the message is published, and `final` once
//! the publish is durable. Whoever finds `pending` publishes again under the same id, so a crash between the two neither
//! loses a message nor makes a second one.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use sms::{AccountId, Content, MessageId};
use store::{Applied, Key, Op, Store, StoreError};

use crate::Draft;

/// How long a key is kept, from acceptance.
pub(crate) const KEPT: Duration = Duration::from_secs(24 * 3_600);

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
    /// Publish under this id: the one wanted, or that of a submission whose end is not known.
    Publish(MessageId),
    /// Published for good as this id: answer so.
    Done(MessageId),
    /// The key belongs to this message, which says something else.
    Reused(MessageId),
    /// What is stored under the key cannot be read; the id is the one wanted.
    Unreadable(MessageId),
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    is_final: bool,
    id: MessageId,
    digest: Digest,
}

const FORMAT: u8 = 1;

impl Entry {
    /// Format, state, 16 octets of id, 32 of digest. Only ever extended by another format number.
    fn to_bytes(&self) -> Bytes {
        let mut octets = Vec::with_capacity(50);
        octets.extend([FORMAT, u8::from(self.is_final)]);
        octets.extend_from_slice(self.id.0.as_bytes());
        octets.extend_from_slice(&self.digest);
        octets.into()
    }

    fn from_bytes(octets: &[u8]) -> Option<Self> {
        let ([FORMAT, state], rest) = octets.split_first_chunk::<2>()? else {
            return None;
        };
        let (id, digest) = rest.split_first_chunk::<16>()?;
        let id = MessageId(uuid::Uuid::from_bytes(*id));
        Some(Self {
            is_final: *state == 1,
            id,
            digest: digest.try_into().ok()?,
        })
    }
}

/// The store key of an account's idempotency key: its hash, since a key may contain anything.
pub(crate) fn store_key(account: &AccountId, key: &str) -> Key {
    signalbox_proto::keys::idempotency(account, &blake3::hash(key.as_bytes()).to_hex())
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
    let Applied::Conflict(Some(found)) = applied else {
        return Verdict::Publish(wanted.id);
    };
    match Entry::from_bytes(&found.value) {
        None => Verdict::Unreadable(wanted.id),
        Some(entry) if entry.digest != wanted.digest => Verdict::Reused(entry.id),
        Some(entry) if entry.is_final => Verdict::Done(entry.id),
        Some(entry) => Verdict::Publish(entry.id),
    }
}

/// The operation that makes a key final.
pub(crate) fn finalize(key: Key, id: MessageId, digest: Digest) -> Op {
    let entry = Entry {
        is_final: true,
        id,
        digest,
    };
    Op::Put {
        key,
        value: entry.to_bytes(),
        expires_at_ms: (id.instant() + KEPT).0,
    }
}

#[cfg(test)]
mod tests;
