//! A result to test with, without a measurement.

use std::collections::BTreeMap;

use super::{
    pipeline::Run,
    report::{Occasion, OnBus, Report, Steady},
    rows,
};
use crate::{
    chaos::args::Bus,
    machine::Machine,
    relay::Floor,
    setting::Setting,
    spread::Spread,
    submit::{Latency, ReceiptsReport},
    watch::Sample,
};

const LATENCY: Latency = Latency {
    p50_ms: 2.0,
    p95_ms: 6.0,
    p99_ms: 9.0,
    max_ms: 40.0,
};

fn costs(costs: &[(&str, f64)]) -> BTreeMap<String, f64> {
    costs.iter().map(|(name, cost)| ((*name).to_owned(), *cost)).collect()
}

fn sample(at: u32, memory_mb: f64) -> Sample {
    Sample {
        at: f64::from(at),
        cores: costs(&[("standalone", 1.0)]),
        memory_mb: costs(&[("standalone", memory_mb), ("load", 900.0)]),
    }
}

/// A run of 40,000 messages whose memory grows a little.
pub(super) fn run(processor_us: f64, per_second: f64) -> Run {
    let receipts = ReceiptsReport {
        seconds: 2.0,
        ended_each_second: vec![10_000, 30_000],
        ended: 40_000,
        missing: 0,
        states: BTreeMap::new(),
        late: 0,
        repeated: 0,
        latency_delivered: LATENCY,
    };
    Run {
        per_second,
        seconds: 2.0,
        undelivered: 0,
        doubled: 0,
        load: crate::submit::Report {
            target: "http://127.0.0.1:7070".to_owned(),
            rate_asked: 10_000,
            rate_accepted: per_second,
            seconds: 2.0,
            accepted_each_second: vec![20_000, 20_000],
            connections: 2,
            sent: 40_000,
            accepted: 40_000,
            segments: 40_000,
            unanswered: 0,
            held_back: 0,
            unsent: 0,
            refused: BTreeMap::new(),
            latency: LATENCY,
            lag_ms_max: 0.0,
            receipts: Some(receipts),
            faults: Vec::new(),
            accepted_ids: Vec::new(),
        },
        to_carrier: LATENCY,
        hops: Vec::new(),
        processor_us: costs(&[
            ("standalone", processor_us),
            ("load", 70.0),
            ("carriers", 30.0),
            ("bench", 1.0),
        ]),
        memory_mb_max: costs(&[("standalone", 250.0), ("load", 900.0)]),
        samples: (0..20).map(|at| sample(at, 200.0 + f64::from(at))).collect(),
    }
}

/// A run at full load and one at half, above a floor of 10 µs and 100,000 messages a second.
pub(crate) fn report(processor_us: f64, per_second: f64) -> Report {
    let floor = Floor {
        over: "the embedded log and store".to_owned(),
        messages: 40_000,
        records: 5,
        octets: 1_000.0,
        per_second: Spread::of([100_000.0]).unwrap(),
        processor_us: Spread::by_name([costs(&[("relay", 10.0)])].iter()),
        processor_us_all: Spread::of([10.0]).unwrap(),
    };
    let bus = OnBus {
        bus: Bus::Embedded,
        full: vec![run(processor_us, per_second)],
        steady: vec![Steady {
            what: Occasion::HalfLoad,
            run: run(processor_us, 10_000.0),
        }],
        floor,
    };
    let args = args();
    let buses = vec![bus];
    Report {
        setting: Setting {
            machine: Machine {
                cores: 2,
                processor: "a processor".to_owned(),
                memory_mb: 8_000,
                kernel: "6.1".to_owned(),
            },
            load_average: Some(0.1),
            date: "2026-11-23".to_owned(),
            commit: "abcdef0".to_owned(),
            signalbox: "signalbox 0.1.0".to_owned(),
            is_optimized: true,
            kafka: "4.3.1".to_owned(),
            redis: "7.0.15".to_owned(),
        },
        rows: rows::rows(&buses, Vec::new(), &args),
        buses,
    }
}

fn args() -> crate::bench::Args {
    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: crate::bench::Args,
    }
    <Cli as clap::Parser>::parse_from(["bench"]).args
}
