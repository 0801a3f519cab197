//! Rounds of messages of one kind each, and what each kind costs more than another.

use std::{collections::BTreeMap, time::Duration};

use anyhow::ensure;

use super::{
    ENCODED_MESSAGES,
    args::Args,
    costs::{Cost, Costs, StoreCosts, Taken, Work},
    letters::{Kind, Writer},
    rig::Rig,
};
use crate::machine::Machine;

/// How long processes are watched that have nothing to do.
const IDLE: Duration = Duration::from_secs(10);
/// Beyond the time that submitting takes, how long receipts are kept back: by then the log has come to rest.
const KEPT_BACK: Duration = Duration::from_secs(20);
/// Receipts of the busy round.
const BUSY_RECEIPTS: Duration = Duration::from_secs(1);
/// Messages that make every part warm first.
const WARM_MESSAGES: u32 = 2_000;

const PLAIN: Kind = Kind {
    segments: 1,
    receipt: true,
    key: false,
};
const LONG: Kind = Kind { segments: 3, ..PLAIN };

/// Octets for each message of a round.
struct Round {
    log: BTreeMap<String, f64>,
    /// While receipts are waited for; `None` = the round had none.
    waiting: Option<f64>,
    kept: f64,
}

/// Measures everything but what is `encoded`.
pub(super) async fn measure(rig: &mut Rig, args: &Args, encoded: BTreeMap<String, f64>) -> anyhow::Result<Costs> {
    let mut writer = Writer::new(args.seed)?;
    busy(rig, &mut writer, PLAIN, (WARM_MESSAGES, args.busy_rate)).await?;
    let processor_us = processor(rig, &mut writer, args).await?;
    let plain = round(rig, &mut writer, PLAIN, args).await?;
    let long = round(rig, &mut writer, LONG, args).await?;
    let silent = Kind {
        receipt: false,
        ..PLAIN
    };
    let silent = round(rig, &mut writer, silent, args).await?;
    let keyed = Kind { key: true, ..PLAIN };
    let keyed = round(rig, &mut writer, keyed, args).await?;
    let log = plain.log.iter().map(|(kind, octets)| {
        let of = |round: &Round| round.log.get(kind).copied().unwrap_or(0.0);
        let cost = Cost {
            first: tenth(*octets),
            further: further(of(&long), *octets),
            silent: tenth(of(&silent)),
            // An end is the same with a key: what else differs is how well it was compressed by chance.
            key: if kind == "accepted" {
                tenth(of(&keyed) - octets)
            } else {
                0.0
            },
        };
        (kind.clone(), cost)
    });
    let [waiting, waiting_long, waiting_keyed] = [&plain, &long, &keyed].map(|round| round.waiting.unwrap_or(0.0));
    let waiting = Cost {
        first: tenth(waiting),
        further: further(waiting_long, waiting),
        silent: 0.0,
        key: tenth(waiting_keyed - waiting),
    };
    let kept = Cost {
        first: tenth(plain.kept),
        further: further(long.kept, plain.kept),
        silent: tenth(silent.kept),
        key: tenth(keyed.kept - plain.kept),
    };
    Ok(Costs {
        taken: taken(rig, args)?,
        processor_us,
        log: log.collect(),
        store: StoreCosts { waiting, kept },
        encoded,
    })
}

/// Octets before compression, counted in the simulation.
pub fn encoded() -> BTreeMap<String, f64> {
    let budget = testkit::budget(ENCODED_MESSAGES);
    let octets = budget.octets.into_iter();
    octets.map(|(kind, octets)| (kind, tenth(octets))).collect()
}

/// Processor time of each role for a message, without what it takes when there is nothing to do.
async fn processor(rig: &mut Rig, writer: &mut Writer, args: &Args) -> anyhow::Result<BTreeMap<String, Work>> {
    let before = rig.snapshot()?;
    rig.listen(IDLE).await?;
    let idle = rig.snapshot()?;
    busy(rig, writer, PLAIN, (args.busy_messages, args.busy_rate)).await?;
    let plain = rig.snapshot()?;
    // As many segments, at as many a second.
    let long = (
        args.busy_messages / LONG.segments,
        args.busy_rate.div_ceil(LONG.segments),
    );
    busy(rig, writer, LONG, long).await?;
    let end = rig.snapshot()?;
    let each = end.processor.keys().map(|role| {
        let (idle_spent, idle_span) = idle.since(&before, role);
        let micros =
            |spent: f64, span: f64, messages: u32| (spent - idle_spent / idle_span * span) * 1e6 / f64::from(messages);
        let (spent, span) = plain.since(&idle, role);
        let first = micros(spent, span, args.busy_messages);
        let (spent, span) = end.since(&plain, role);
        let work = Work {
            first: tenth(first),
            further: further(micros(spent, span, long.0), first),
        };
        ((*role).to_owned(), work)
    });
    Ok(each.collect())
}

/// So many messages of `kind`, at so many a second, to their ends.
async fn busy(rig: &mut Rig, writer: &mut Writer, kind: Kind, (count, rate): (u32, u32)) -> anyhow::Result<()> {
    rig.delay_receipts(BUSY_RECEIPTS);
    let until = rig.ended + u64::from(count);
    let messages = writer.write(kind, count)?;
    rig.submit(messages, rate).await?;
    rig.wait_ended(until).await
}

async fn round(rig: &mut Rig, writer: &mut Writer, kind: Kind, args: &Args) -> anyhow::Result<Round> {
    let count = f64::from(args.messages);
    let submitting = Duration::from_secs_f64(count / f64::from(args.rate));
    rig.delay_receipts(submitting + KEPT_BACK);
    let messages = writer.write(kind, args.messages)?;
    let before = rig.rest().await?;
    let ended = rig.ended;
    rig.submit(messages, args.rate).await?;
    let waiting = if kind.receipt {
        let waiting = rig.rest().await?;
        let early = rig.ended - ended;
        ensure!(
            early == 0,
            "{early} messages ended before all were with the carrier: ask for fewer a second"
        );
        Some(waiting.store.saturating_sub(before.store) as f64 / count)
    } else {
        None
    };
    rig.wait_ended(ended + u64::from(args.messages)).await?;
    let after = rig.rest().await?;
    let log = after.log.iter().map(|(kind, octets)| {
        let before = before.log.get(kind).copied().unwrap_or(0);
        (kind.clone(), octets.saturating_sub(before) as f64 / count)
    });
    Ok(Round {
        log: log.filter(|(_, octets)| *octets > 0.0).collect(),
        waiting,
        kept: after.store.saturating_sub(before.store) as f64 / count,
    })
}

fn taken(rig: &Rig, args: &Args) -> anyhow::Result<Taken> {
    let Args {
        messages,
        rate,
        busy_messages,
        busy_rate,
        seed,
        ..
    } = args;
    Ok(Taken {
        command: format!(
            "signalbox-loadtest capacity --messages {messages} --rate {rate} --busy-messages {busy_messages} \
             --busy-rate {busy_rate} --seed {seed} --toml"
        ),
        machine: Machine::here()?.to_string(),
        kafka: format!("{}, lz4", backing::kafka_version()),
        redis: rig.redis_says("redis_version")?,
    })
}

/// What each further segment costs, where a long message costs `long` and one of a segment `plain`.
fn further(long: f64, plain: f64) -> f64 {
    tenth((long - plain).max(0.0) / f64::from(LONG.segments - 1))
}

/// Finer than that nothing is measured.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
