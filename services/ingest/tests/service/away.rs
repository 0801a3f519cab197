//! A store that is away: nothing that needs it starts, and the rest goes on.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures::{FutureExt, future::BoxFuture};
use signalbox_proto::pb::signalbox::ingest::v1 as pb;
use store::{Applied, Commit, DueEntry, Key, MemoryStore, Op, Store, StoreError, Versioned};
use tonic::Code;

use crate::rig::{ACME, Rig, details, request, submission};

/// A memory store that can be away.
pub(crate) struct Fragile {
    pub(crate) store: MemoryStore,
    pub(crate) is_away: Arc<AtomicBool>,
}

impl Fragile {
    fn check(&self) -> Result<(), StoreError> {
        match self.is_away.load(Ordering::Relaxed) {
            true => Err(StoreError::Away("connection refused".to_owned())),
            false => Ok(()),
        }
    }
}

impl Store for Fragile {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        async move {
            self.check()?;
            self.store.apply(ops).await
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            self.check()?;
            self.store.get(keys).await
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        self.store.due(partition, second, max)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.store.scan(prefix, after, max)
    }

    fn epoch(&self) -> BoxFuture<'_, Result<store::Epoch, StoreError>> {
        self.store.epoch()
    }

    fn adopt(&self, epoch: &store::Epoch) {
        self.store.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn store::Rebuild>>, StoreError>> {
        self.store.rebuild()
    }
}

#[tokio::test]
async fn without_the_store_only_messages_without_a_key_are_taken() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    rig.store_away.store(true, Ordering::Relaxed);
    client.submit(request(submission())).await.unwrap();
    let keyed = request(pb::Submission {
        idempotency_key: "k".to_owned(),
        ..submission()
    });
    let status = client.submit(keyed.clone()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        details(&status, "STORE_UNAVAILABLE")
            .retry_info()
            .unwrap()
            .retry_delay
            .is_some()
    );
    assert_eq!(rig.accepted(1).await.len(), 1);
    let id = rig.accepted(1).await[0].id.to_string();
    let status = client
        .get_message(pb::GetMessageRequest { message_id: id })
        .await
        .unwrap_err();
    details(&status, "STORE_UNAVAILABLE");

    rig.store_away.store(false, Ordering::Relaxed);
    client.submit(keyed).await.unwrap();
    assert_eq!(rig.accepted(2).await.len(), 2);
}

/// The frame's messages without a key are taken; those with one get an error each.
#[tokio::test]
async fn a_mixed_frame_is_taken_as_far_as_it_can_be() {
    let rig = Rig::start().await;
    rig.store_away.store(true, Ordering::Relaxed);
    let keyed = pb::Submission {
        idempotency_key: "k".to_owned(),
        ..submission()
    };
    let frame = pb::SubmitStreamRequest {
        sequence: 1,
        messages: vec![keyed.clone(), submission(), keyed],
    };
    let frames = futures::stream::iter([frame]);
    let mut answers = rig.client(ACME).await.submit_stream(frames).await.unwrap().into_inner();
    let answers = answers.message().await.unwrap().unwrap().answers;
    let is_ok: Vec<_> = answers
        .iter()
        .map(|answer| matches!(answer.result, Some(pb::answer::Result::Accepted(_))))
        .collect();
    assert_eq!(is_ok, [false, true, false]);
}
