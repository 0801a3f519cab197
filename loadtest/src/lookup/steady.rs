//! Messages at a steady rate, most of them to numbers in memory, and a provider that takes its time for the others.

use std::{sync::Arc, time::Duration};

use hdrhistogram::Histogram;
use lookup::{Chain, Source};
use serde::Serialize;
use service::{Tasks, time};
use sms::Msisdn;
use store::Store;

use super::{
    args::Args,
    scene::{BATCH, Scene, number},
};
use crate::{
    decide::{Heap, clock::now},
    world::Draws,
};

/// Numbers in memory before the messages come.
const KNOWN: usize = 100_000;
/// How often messages come, all that are due by then.
const TICK: Duration = Duration::from_millis(10);
/// What a message waits for an answer at the longest.
const BUDGET: Duration = Duration::from_secs(2);
/// Room for numbers in memory: what comes while this runs does not fill it, and is written where there was room before.
const ROOM: usize = 1 << 20;
/// Longest wait that is told apart, in microseconds.
const WAIT_US_MAX: u64 = 60_000_000;

/// What became of the messages.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Steady {
    pub(crate) messages: u64,
    pub(crate) seconds: f64,
    pub(crate) per_second: f64,
    /// Of a hundred, those that memory knew.
    pub(crate) hits: f64,
    /// Messages by who answered: provider, store, and the plan where nobody did in time.
    pub(crate) provider: u64,
    pub(crate) store: u64,
    pub(crate) plan: u64,
    /// What those waited that memory did not know, in milliseconds.
    pub(crate) wait_ms_p50: f64,
    pub(crate) wait_ms_p99: f64,
    /// Octets that live, each second.
    pub(crate) live: Vec<usize>,
    /// The most of the last third of the run over the most of the one before; in the first what was measured before is freed.
    pub(crate) growth_octets: f64,
}

/// What one batch of numbers came to that memory did not know.
struct Answered {
    sources: Vec<Source>,
    took: Duration,
}

/// Counts of a run.
struct Tally {
    messages: u64,
    hits: u64,
    by: [u64; Source::ALL.len()],
    waits: Histogram<u64>,
}

/// Sends messages for as long as `args` say.
pub(crate) async fn steady(scene: &Scene, args: &Args, store: Option<Arc<dyn Store>>, heap: &dyn Heap) -> Steady {
    let known: Vec<_> = (0..KNOWN).map(number).collect();
    let latency = Duration::from_millis(args.latency);
    let chain = scene.chain(ROOM, latency, store);
    let mut warming = Tasks::new();
    for batch in known.chunks(BATCH) {
        let (chain, batch) = (chain.clone(), batch.to_vec());
        warming.spawn(async move { drop(chain.look_up(&batch, BUDGET).await) });
    }
    warming.join_all().await;
    let mut tally = Tally {
        messages: 0,
        hits: 0,
        by: Default::default(),
        waits: Histogram::new_with_max(WAIT_US_MAX, 3).expect("three digits up to a minute fit"),
    };
    let begun = now();
    let live = send(scene, args, &chain, &known, heap, &mut tally).await;
    let seconds = begun.elapsed().as_secs_f64();
    let wait_ms = |quantile| tally.waits.value_at_quantile(quantile) as f64 / 1e3;
    Steady {
        messages: tally.messages,
        seconds,
        per_second: tally.messages as f64 / seconds,
        hits: 100.0 * tally.hits as f64 / tally.messages.max(1) as f64,
        provider: tally.by[Source::Provider as usize],
        store: tally.by[Source::Store as usize],
        plan: tally.by[Source::Plan as usize],
        wait_ms_p50: wait_ms(0.5),
        wait_ms_p99: wait_ms(0.99),
        growth_octets: growth(&live),
        live,
    }
}

/// Sends, and returns how much lived each second.
async fn send(
    scene: &Scene,
    args: &Args,
    chain: &Chain,
    known: &[Msisdn],
    heap: &dyn Heap,
    tally: &mut Tally,
) -> Vec<usize> {
    let (mut tasks, mut tick) = (Tasks::new(), time::every(TICK));
    let mut live = Vec::with_capacity(args.seconds as usize + 1);
    let (mut draws, mut fresh) = (Draws::new(1), KNOWN);
    let (begun, whole) = (time::now(), args.rate * args.seconds);
    while tally.messages < whole {
        tokio::select! {
            biased;
            Some(ended) = tasks.join_next(), if !tasks.is_empty() => tally.answered(ended.ok()),
            _ = tick.tick() => {
                let elapsed = begun.elapsed();
                let due = (elapsed.as_micros() as u64 * args.rate / 1_000_000).min(whole) - tally.messages;
                let missing = batch(scene, args, chain, known, due, (&mut draws, &mut fresh), tally);
                if !missing.is_empty() {
                    let chain = chain.clone();
                    tasks.spawn(async move { ask(&chain, &missing).await });
                }
                if elapsed.as_secs() as usize > live.len() {
                    live.push(heap.live());
                }
            }
        }
    }
    while let Some(ended) = tasks.join_next().await {
        tally.answered(ended.ok());
    }
    live
}

/// `due` messages at once; returns the numbers that memory does not know.
fn batch(
    scene: &Scene,
    args: &Args,
    chain: &Chain,
    known: &[Msisdn],
    due: u64,
    (draws, fresh): (&mut Draws, &mut usize),
    tally: &mut Tally,
) -> Vec<Msisdn> {
    let now = scene.clock().now();
    let mut missing = Vec::new();
    for _ in 0..due {
        let is_known = draws.below(100) < args.hits;
        let number = if is_known {
            draws.one_of(known).clone()
        } else {
            *fresh += 1;
            number(*fresh)
        };
        match chain.known_at(&number, now) {
            Some(_) => tally.hits += 1,
            None => missing.push(number),
        }
    }
    tally.messages += due;
    missing
}

async fn ask(chain: &Chain, missing: &[Msisdn]) -> Answered {
    let begun = time::now();
    let answers = chain.look_up(missing, BUDGET).await;
    Answered {
        sources: answers.iter().map(|answer| answer.source).collect(),
        took: begun.elapsed(),
    }
}

impl Tally {
    fn answered(&mut self, answered: Option<Answered>) {
        let Some(answered) = answered else { return };
        let waited = answered.took.as_micros() as u64;
        self.waits.saturating_record_n(waited, answered.sources.len() as u64);
        for source in answered.sources {
            self.by[source as usize] += 1;
        }
    }
}

/// What lives comes and goes with the messages under way; a leak shows in the most of it.
fn growth(live: &[usize]) -> f64 {
    let third = live.len() / 3;
    let most = |part: &[usize]| part.iter().max().map_or(0.0, |most| *most as f64);
    let (before, last) = live[third..].split_at(live.len() - 2 * third);
    most(last) - most(before)
}
