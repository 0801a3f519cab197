//! A report as one page that needs nothing beside itself.

use std::collections::BTreeMap;

use crate::{plots::Line, row::Row, submit::Latency, watch::Sample};

/// How it looks.
const STYLE: &str = "\
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1b1b1b; background: #fff }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd }
td.met { color: #176b2c } td.MISSED { color: #a3161a; font-weight: 600 }
pre { background: #f5f5f5; padding: .8rem; overflow-x: auto } .plots { display: flex; flex-wrap: wrap; gap: 1rem } svg { max-width: 100% }";
/// What of each distribution is drawn.
pub(crate) const MARKS: [&str; 4] = ["p50", "p95", "p99", "max"];

/// A page that grows from top to bottom.
#[derive(Debug)]
pub(crate) struct Page(String);

impl Page {
    /// A page with that title, and `words` below it.
    pub(crate) fn new(title: &str, words: &str) -> Self {
        let (title, words) = (escaped(title), escaped(words));
        Self(format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <style>{STYLE}</style></head><body>\n<h1>{title}</h1>\n<pre>{words}</pre>\n"
        ))
    }

    /// Adds a table of numbers to reach; `measured` heads what was found.
    pub(crate) fn rows(&mut self, measured: &str, rows: &[Row]) {
        self.0 += &format!("<table><tr><th>what</th><th>target</th><th>{measured}</th><th>verdict</th></tr>\n");
        for row in rows {
            let verdict = row.verdict();
            let [what, target, found] = [&row.what, &row.target(), &row.found()].map(|cell| escaped(cell));
            self.0 += &format!(
                "<tr><td>{what}</td><td>{target}</td><td>{found}</td><td class=\"{verdict}\">{verdict}</td></tr>\n"
            );
        }
        self.0 += "</table>\n";
    }

    /// Adds pictures under a heading.
    pub(crate) fn plots(&mut self, heading: &str, plots: &[String]) {
        let (heading, plots) = (escaped(heading), plots.concat());
        self.0 += &format!("<h2>{heading}</h2>\n<div class=\"plots\">\n{plots}</div>\n");
    }

    /// Ends with everything in words.
    pub(crate) fn end(self, words: &str) -> String {
        let words = escaped(words);
        self.0 + &format!("<h2>In words</h2>\n<pre>{words}</pre>\n</body></html>\n")
    }
}

/// A line for each process, by one of the figures of samples.
pub(crate) fn over_time(samples: &[Sample], figures: impl Fn(&Sample) -> &BTreeMap<String, f64>) -> Vec<Line> {
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

/// A count for each second, which stands in its middle.
pub(crate) fn each_second(counts: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
    let counts = (0..).zip(counts);
    counts.map(|(second, count)| (f64::from(second) + 0.5, count)).collect()
}

/// A distribution at [`MARKS`].
pub(crate) fn at_marks(latency: &Latency) -> Vec<f64> {
    vec![latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms]
}

/// `text` without markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
