//! Numbers that another process found out: what it takes to read them from the shared store.

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use lookup::{Chain, Source};
use serde::Serialize;
use service::{Tasks, time};
use sms::Msisdn;
use store::Store;

use super::scene::{BATCH, Scene, number};
use crate::decide::clock::{median, now};

/// Batches that are read at a time, as partitions are routed side by side.
const AT_A_TIME: usize = 8;
/// Longest wait for all that was written to be there.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10);
const BUDGET: Duration = Duration::from_secs(30);

/// What reading numbers from a shared store takes.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Shared {
    /// What kind of store.
    pub(crate) store: &'static str,
    pub(crate) numbers: usize,
    /// Numbers of one read.
    pub(crate) batch: usize,
    pub(crate) per_second: f64,
}

/// Has one chain find out `numbers`, and others read them from `store`.
///
/// # Errors
/// What was written cannot be read.
pub(crate) async fn shared(
    scene: &Scene,
    kind: &'static str,
    store: Arc<dyn Store>,
    numbers: usize,
    rounds: usize,
) -> Result<Shared> {
    let batches: Arc<Vec<Vec<Msisdn>>> = Arc::new(batches(numbers));
    let writer = scene.chain(numbers, Duration::ZERO, Some(Arc::clone(&store)));
    for batch in &*batches {
        writer.look_up(batch, BUDGET).await;
    }
    wait_until_written(scene, &store, &batches).await?;
    let mut rates = Vec::new();
    for _ in 0..rounds {
        let reader = scene.chain_of_store(numbers, Arc::clone(&store));
        let begun = now();
        let read = read(&reader, &batches).await;
        rates.push(numbers as f64 / begun.elapsed().as_secs_f64());
        ensure!(read == numbers, "the store had {read} of {numbers} numbers");
    }
    Ok(Shared {
        store: kind,
        numbers,
        batch: BATCH,
        per_second: median(rates),
    })
}

fn batches(numbers: usize) -> Vec<Vec<Msisdn>> {
    let numbers: Vec<_> = (0..numbers).map(number).collect();
    numbers.chunks(BATCH).map(<[_]>::to_vec).collect()
}

/// Writes are made behind the answers.
async fn wait_until_written(scene: &Scene, store: &Arc<dyn Store>, batches: &[Vec<Msisdn>]) -> Result<()> {
    let until = time::now() + WRITTEN_WITHIN;
    let Some(last) = batches.last() else { return Ok(()) };
    loop {
        let reader = scene.chain_of_store(1, Arc::clone(store));
        let answers = reader.look_up(last, BUDGET).await;
        if answers.iter().all(|answer| answer.source == Source::Store) {
            return Ok(());
        }
        ensure!(time::now() < until, "what was found out is not in the store");
        time::sleep(Duration::from_millis(50)).await;
    }
}

/// Reads all, and says how many came from the store.
async fn read(reader: &Chain, batches: &Arc<Vec<Vec<Msisdn>>>) -> usize {
    let mut tasks = Tasks::new();
    for first in 0..AT_A_TIME {
        let (reader, batches) = (reader.clone(), Arc::clone(batches));
        tasks.spawn(async move {
            let mut read = 0;
            for batch in batches.iter().skip(first).step_by(AT_A_TIME) {
                let answers = reader.look_up(batch, BUDGET).await;
                read += answers.iter().filter(|answer| answer.source == Source::Store).count();
            }
            read
        });
    }
    let mut read = 0;
    while let Some(ended) = tasks.join_next().await {
        read += ended.unwrap_or(0);
    }
    read
}
