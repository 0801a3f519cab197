//! The report as one page that needs nothing beside itself.

use std::fmt::Write as _;

use anyhow::Result;

use super::{
    pipeline::Run,
    plots::{self, Line, Words},
    report::{Occasion, OnBus, Report},
    watch::Sample,
};
use crate::submit::Latency;

/// How it looks.
const STYLE: &str = "\
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1b1b1b; background: #fff }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd }
td.met { color: #176b2c } td.MISSED { color: #a3161a; font-weight: 600 }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto } .plots { display: flex; flex-wrap: wrap; gap: 1rem } svg { max-width: 100% }";
/// What of each distribution is drawn.
const MARKS: [&str; 4] = ["p50", "p95", "p99", "max"];

/// The whole page.
///
/// # Errors
/// A plot cannot be drawn.
pub(super) fn page(report: &Report) -> Result<String> {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Signalbox: numbers to reach</title>\n\
         <style>{STYLE}</style></head><body>\n<h1>Signalbox: numbers to reach</h1>\n<pre>{}</pre>\n",
        escaped(&report.setting.to_string())
    );
    page += "<table><tr><th>what</th><th>target</th><th>measured (lowest to highest run)</th><th>verdict</th></tr>\n";
    for row in &report.rows {
        let (verdict, cells) = (
            row.verdict(),
            [&row.what, &row.target(), &row.found()].map(|cell| escaped(cell)),
        );
        let [what, target, found] = cells;
        writeln!(
            page,
            "<tr><td>{what}</td><td>{target}</td><td>{found}</td><td class=\"{verdict}\">{verdict}</td></tr>"
        )?;
    }
    page += "</table>\n";
    for bus in &report.buses {
        write!(page, "<h2>{}</h2>\n<div class=\"plots\">\n", escaped(bus.word()))?;
        for plot in plots_of(bus)? {
            page += &plot;
        }
        page += "</div>\n";
    }
    write!(
        page,
        "<h2>In words</h2>\n<pre>{}</pre>\n</body></html>\n",
        escaped(&report.to_string())
    )?;
    Ok(page)
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
            .map(|hop| (hop.what.clone(), values(&hop.latency)))
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
        // Each count stands in the middle of its second.
        let points = (0..)
            .zip(ended)
            .map(|(second, count)| (f64::from(second) + 0.5, *count as f64));
        (format!("run {number}"), points.collect())
    };
    (1..).zip(runs).map(line).collect()
}

fn over_time(samples: &[Sample], figures: impl Fn(&Sample) -> &std::collections::BTreeMap<String, f64>) -> Vec<Line> {
    let mut names: Vec<&String> = samples.iter().flat_map(|sample| figures(sample).keys()).collect();
    names.sort_unstable();
    names.dedup();
    let line = |name: &String| {
        let points = samples
            .iter()
            .filter_map(|sample| Some((sample.at, *figures(sample).get(name)?)));
        (name.clone(), points.collect())
    };
    names.into_iter().map(line).collect()
}

fn latencies(run: &Run) -> Vec<(String, Vec<f64>)> {
    let mut lines = vec![
        ("due → OK".to_owned(), values(&run.load.latency)),
        ("accepted → carrier has it".to_owned(), values(&run.to_carrier)),
    ];
    lines.extend(run.load.receipts.iter().map(|receipts| {
        let latency = &receipts.latency_delivered;
        ("due → receipt".to_owned(), values(latency))
    }));
    lines
}

fn values(latency: &Latency) -> Vec<f64> {
    vec![latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms]
}

/// `text` without markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
