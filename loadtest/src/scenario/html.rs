//! The report as one page that needs nothing beside itself.

use anyhow::Result;

use super::{
    measures::{ALL, Measured, Second},
    report::Report,
};
use crate::{
    page::{MARKS, Page, at_marks, each_second, over_time},
    plots::{self, Line, Words},
    submit::Latency,
};

/// The whole page.
///
/// # Errors
/// A plot cannot be drawn.
pub(super) fn page(report: &Report) -> Result<String> {
    let title = format!("Signalbox: {} over {}", report.scenario, report.bus.words());
    let head = [report.setting.to_string(), report.events.join("\n")].join("\n");
    let mut page = Page::new(&title, head.trim_end());
    page.rows("measured", &report.goals);
    page.plots("Messages", &of_messages(report)?);
    page.plots("Processes", &of_processes(report)?);
    Ok(page.end(&report.to_string()))
}

fn words<'a>(title: &'a str, y: &'a str) -> Words<'a> {
    Words {
        title,
        x: "seconds since the start",
        y,
    }
}

fn of_messages(report: &Report) -> Result<Vec<String>> {
    let mut drawn = Vec::new();
    if let Some(all) = report.classes.get(ALL) {
        drawn.push(plots::lines(words("Throughput", "messages/s"), &throughput(all))?);
    }
    let slowest: Vec<Line> = classes(report)
        .map(|(name, measured)| (name.clone(), slowest(measured)))
        .collect();
    drawn.push(plots::lines(
        words("Slowest of a hundred, by when they were due: to the carrier", "ms"),
        &slowest,
    )?);
    let share = |title| Words {
        title,
        x: "share of messages",
        y: "ms",
    };
    let latencies = |of: fn(&Measured) -> &Latency| -> Vec<_> {
        let each = classes(report);
        each.map(|(name, measured)| (name.clone(), at_marks(of(measured))))
            .collect()
    };
    drawn.push(plots::percentiles(
        share("Due → carrier has it"),
        &MARKS,
        &latencies(|measured| &measured.to_carrier),
    )?);
    drawn.push(plots::percentiles(
        share("Due → receipt"),
        &MARKS,
        &latencies(|measured| &measured.to_receipt),
    )?);
    let hops: Vec<_> = report
        .hops
        .iter()
        .map(|hop| (hop.what.clone(), at_marks(&hop.latency)))
        .collect();
    drawn.push(plots::percentiles(share("Where messages were"), &MARKS, &hops)?);
    Ok(drawn)
}

/// The classes, without all of them together.
fn classes(report: &Report) -> impl Iterator<Item = (&String, &Measured)> {
    report.classes.iter().filter(|(name, _)| *name != ALL)
}

fn throughput(all: &Measured) -> Vec<Line> {
    let line = |name: &str, of: fn(&Second) -> u64| {
        let counts = all.seconds.iter().map(|second| of(second) as f64);
        (name.to_owned(), each_second(counts))
    };
    vec![
        line("due", |second| second.due),
        line("accepted", |second| second.accepted),
        line("with carriers", |second| second.carried),
        line("receipt told to the customer", |second| second.delivered),
    ]
}

fn slowest(measured: &Measured) -> Vec<(f64, f64)> {
    let seconds = (0..).zip(&measured.seconds);
    seconds
        .filter_map(|(number, second)| Some((f64::from(number) + 0.5, second.p99_ms?)))
        .collect()
}

fn of_processes(report: &Report) -> Result<Vec<String>> {
    let costs: Vec<_> = report
        .processor_us
        .iter()
        .map(|(name, cost)| (name.clone(), *cost))
        .collect();
    let bars = Words {
        title: "Processor time of a message",
        x: "customer and carriers are the world around the router",
        y: "µs of one core",
    };
    Ok(vec![
        plots::lines(
            words("Processors", "cores"),
            &over_time(&report.samples, |sample| &sample.cores),
        )?,
        plots::lines(
            words("Memory", "MB"),
            &over_time(&report.samples, |sample| &sample.memory_mb),
        )?,
        plots::bars(bars, &costs)?,
    ])
}
