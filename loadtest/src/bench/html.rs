//! The report as one page that needs nothing beside itself.

use anyhow::Result;

use super::{
    pipeline::Run,
    report::{Occasion, OnBus, Report},
};
use crate::{
    page::{MARKS, Page, at_marks, each_second, over_time},
    plots::{self, Line, Words},
};

/// The whole page.
///
/// # Errors
/// A plot cannot be drawn.
pub(super) fn page(report: &Report) -> Result<String> {
    let mut page = Page::new("Signalbox: numbers to reach", &report.setting.to_string());
    page.rows("measured (lowest to highest run)", &report.rows);
    for bus in &report.buses {
        page.plots(bus.word(), &plots_of(bus)?);
    }
    Ok(page.end(&report.to_string()))
}

fn plots_of(bus: &OnBus) -> Result<Vec<String>> {
    let words = |title, y| Words {
        title,
        x: "seconds since the first message was due",
        y,
    };
    let mut drawn = vec![
        plots::bars(
            Words {
                title: "Processor time of a message at full load",
                x: "the floor moves the same octets and decides nothing",
                y: "µs of one core",
            },
            &costs(bus),
        )?,
        plots::lines(
            words("Receipts back, at full load", "messages/s"),
            &throughput(&bus.full),
        )?,
    ];
    if let Some(run) = bus.full.first() {
        let cores = over_time(&run.samples, |sample| &sample.cores);
        let memory = over_time(&run.samples, |sample| &sample.memory_mb);
        drawn.push(plots::lines(
            words("Processors at full load, first run", "cores"),
            &cores,
        )?);
        drawn.push(plots::lines(words("Memory at full load, first run", "MB"), &memory)?);
    }
    if let Some(run) = bus.steady(Occasion::HalfLoad).next() {
        let title = format!("Latencies at {} a second, first run", run.load.rate_asked);
        let words = |title| Words {
            title,
            x: "share of messages",
            y: "ms",
        };
        drawn.push(plots::percentiles(words(&title), &MARKS, &latencies(run))?);
        let hops: Vec<_> = run
            .hops
            .iter()
            .map(|hop| (hop.what.clone(), at_marks(&hop.latency)))
            .collect();
        drawn.push(plots::percentiles(
            words("Where messages were, in the same run"),
            &MARKS,
            &hops,
        )?);
    }
    if let Some(run) = bus.steady(Occasion::Soak).next() {
        let memory = over_time(&run.samples, |sample| &sample.memory_mb);
        drawn.push(plots::lines(words("Memory over a long time", "MB"), &memory)?);
    }
    Ok(drawn)
}

/// Each process, and the floor beside all of them.
fn costs(bus: &OnBus) -> Vec<(String, f64)> {
    let each = bus.processor_us().into_iter().map(|(name, cost)| (name, cost.median));
    let all = bus.processor_us_all().map(|cost| ("all".to_owned(), cost.median));
    let floor = ("the floor".to_owned(), bus.floor.processor_us_all.median);
    each.chain(all).chain([floor]).collect()
}

fn throughput(runs: &[Run]) -> Vec<Line> {
    let line = |(number, run): (usize, &Run)| {
        let ended = run
            .load
            .receipts
            .iter()
            .flat_map(|receipts| &receipts.ended_each_second);
        (format!("run {number}"), each_second(ended.map(|count| *count as f64)))
    };
    (1..).zip(runs).map(line).collect()
}

fn latencies(run: &Run) -> Vec<(String, Vec<f64>)> {
    let mut lines = vec![
        ("due → OK".to_owned(), at_marks(&run.load.latency)),
        ("accepted → carrier has it".to_owned(), at_marks(&run.to_carrier)),
    ];
    lines.extend(run.load.receipts.iter().map(|receipts| {
        let latency = &receipts.latency_delivered;
        ("due → receipt".to_owned(), at_marks(latency))
    }));
    lines
}
