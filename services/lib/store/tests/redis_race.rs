//! Many handles at once, each with a connection of its own: nobody wins what another has.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/fixture.rs"]
mod fixture;

use fixture::{OnRedis, durable};
use futures::future::join_all;
use store::{Applied, Key, Op, RedisStore, Store};

const KEYS: u64 = 1_000;
const HANDLES: u64 = 8;

fn key(id: u64) -> Key {
    Key::new("race", id.to_string())
}

async fn apply(store: &RedisStore, ops: Vec<Op>) -> Vec<Applied> {
    let (applied, commit) = store.apply(ops).await.unwrap();
    commit.await.unwrap();
    applied
}

/// Eight handles claim the same thousand keys, every other one backwards, so that calls meet: each key has one winner.
#[tokio::test(flavor = "multi_thread")]
async fn s1_a_claim_is_won_by_one_handle() {
    let on = OnRedis::new(durable()).await;
    let race = |owner: u64| {
        let store = on.handle();
        async move {
            let mut wins = 0;
            for start in (0..KEYS).step_by(20) {
                let ids = (start..start + 20).map(|id| if owner.is_multiple_of(2) { id } else { KEYS - 1 - id });
                let claim = |id| Op::Claim {
                    key: key(id),
                    owner: owner.to_string().into(),
                    expires_at_ms: u64::MAX,
                };
                let applied = apply(&store, ids.map(claim).collect()).await;
                wins += applied.iter().filter(|applied| **applied == Applied::Claimed).count() as u64;
            }
            wins
        }
    };
    let wins = join_all((0..HANDLES).map(race)).await;
    assert_eq!(wins.iter().sum::<u64>(), KEYS, "{wins:?}");
}

/// Eight handles add to the same ten counters by swaps until each has added a hundred times: no addition is lost.
#[tokio::test(flavor = "multi_thread")]
async fn s2_no_swap_undoes_another() {
    let on = OnRedis::new(durable()).await;
    let add = |_| {
        let store = on.handle();
        async move {
            let mut added = 0;
            while added < 100 {
                let keys: Vec<_> = (0..10).map(key).collect();
                let there = store.get(keys.clone()).await.unwrap();
                let ops = keys.into_iter().zip(there).map(|(key, there)| {
                    let count: u64 = there
                        .as_ref()
                        .map_or(0, |there| std::str::from_utf8(&there.value).unwrap().parse().unwrap());
                    Op::Swap {
                        key,
                        expected: there.map(|there| there.version),
                        value: Some((count + 1).to_string().into()),
                        expires_at_ms: u64::MAX,
                        due: None,
                    }
                });
                let applied = apply(&store, ops.collect()).await;
                added += applied
                    .iter()
                    .filter(|applied| matches!(applied, Applied::Written(_)))
                    .count();
            }
            added as u64
        }
    };
    let added: u64 = join_all((0..HANDLES).map(add)).await.into_iter().sum();
    let found = on.store.get((0..10).map(key).collect()).await.unwrap();
    let count = |there: store::Versioned| std::str::from_utf8(&there.value).unwrap().parse::<u64>().unwrap();
    assert_eq!(found.into_iter().flatten().map(count).sum::<u64>(), added);
}
