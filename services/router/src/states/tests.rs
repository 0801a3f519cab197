//! A store that says something else now and then: what is damaged and what only came back so.

use std::{collections::VecDeque, sync::Mutex};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use journey::State;
use signalbox_proto::record;
use store::{Applied, Commit, DueEntry, Epoch, MemoryStore, Op, Rebuild, Versioned};

use super::*;

/// A store whose next values come back as these octets.
struct Fickle {
    inner: MemoryStore,
    wrong: Mutex<VecDeque<Bytes>>,
}

impl Fickle {
    /// Holds a state; the next reads of it say `wrong` instead, one after the other.
    async fn with(wrong: &[&'static [u8]]) -> (Self, Key) {
        let inner = MemoryStore::new(std::sync::Arc::new(|| 0));
        let key = Key::new("state", "m");
        let put = Op::Put {
            key: key.clone(),
            value: record::state_to_bytes(&State::default()),
            expires_at_ms: u64::MAX,
        };
        inner.apply(vec![put]).await.unwrap().1.await.unwrap();
        let wrong = wrong.iter().map(|octets| Bytes::from_static(octets)).collect();
        let wrong = Mutex::new(wrong);
        (Self { inner, wrong }, key)
    }
}

impl Store for Fickle {
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, Commit), StoreError>> {
        self.inner.apply(ops)
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            let mut found = self.inner.get(keys).await?;
            if let Some(octets) = self.wrong.lock().unwrap().pop_front() {
                found[0].as_mut().unwrap().value = octets;
            }
            Ok(found)
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        self.inner.due(partition, second, max)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.inner.scan(prefix, after, max)
    }

    fn epoch(&self) -> BoxFuture<'_, Result<Epoch, StoreError>> {
        self.inner.epoch()
    }

    fn adopt(&self, epoch: &Epoch) {
        self.inner.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn Rebuild>>, StoreError>> {
        self.inner.rebuild()
    }
}

async fn one(wrong: &[&'static [u8]]) -> Result<Loaded, StoreError> {
    let (store, key) = Fickle::with(wrong).await;
    Ok(read(&store, vec![key]).await?.remove(0).unwrap())
}

#[tokio::test]
async fn what_came_back_wrong_by_mistake_is_read_again_and_is_not_damaged() {
    for wrong in [
        &[&b"\xff"[..]][..],
        &[b"\xff", b"\xff"],
        &[b"\xff", b"", b"\xff", b"\xfd"],
    ] {
        let state = one(wrong).await.unwrap();
        assert_eq!(
            (state.state, state.invalid),
            (Some(State::default()), None),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn what_comes_back_alike_each_time_is_damaged() {
    let state = one(&[b"\xff", b"", b"\xfd", b"\xfd", b"\xfd"]).await.unwrap();
    assert_eq!((state.state, &state.octets[..]), (None, &b"\xfd"[..]));
    assert!(state.invalid.is_some());
}

#[tokio::test]
async fn a_store_that_says_something_else_each_time_is_away() {
    let wrong: Vec<&'static [u8]> = [&b"\xff"[..], b""].repeat(READS_MAX as usize);
    assert!(matches!(one(&wrong).await, Err(StoreError::Away(_))));
}
