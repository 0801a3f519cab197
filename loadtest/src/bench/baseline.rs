//! What was found on a quiet machine and committed, so that what gets slower is seen before it is merged. Only figures relative to the
//! floor of the same run are kept: those of another machine, or of one that is busy, say little by themselves.

use std::{fs, io::ErrorKind, path::Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::Report;
use crate::chaos::args::Bus;

/// A tenth more, or less, is a regression.
const TOLERANCE: f64 = 1.10;
/// What the committed file begins with.
const PREFACE: &str = "\
# What a message costs and how many of them pass in a second, as multiples of the floor of the same run (`signalbox-loadtest relay`),
# over the embedded log. Written by `signalbox-loadtest bench --quick --write-baseline FILE` on a quiet machine, never by hand:
# `make bench-quick` fails where one of them got worse by more than a tenth.

";

/// The committed figures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    /// The day.
    date: String,
    commit: String,
    machine: String,
    /// Processor time of a message ÷ that of the floor.
    processor_ratio: f64,
    /// Messages a second ÷ those of the floor.
    throughput_share: f64,
}

impl Baseline {
    /// What `report` found over its first log.
    ///
    /// # Errors
    /// There was no run.
    pub(super) fn of(report: &Report) -> anyhow::Result<Self> {
        let (processor_ratio, throughput_share) =
            figures(report).context("nothing was measured over the embedded log")?;
        Ok(Self {
            date: report.setting.date.clone(),
            commit: report.setting.commit.clone(),
            machine: report.setting.machine.to_string(),
            processor_ratio: hundredth(processor_ratio),
            throughput_share: hundredth(throughput_share),
        })
    }

    /// The committed figures at `path`; `None` = there are none.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub(super) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text)
                .map(Some)
                .with_context(|| path.display().to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    /// Writes them to `path`, in a folder that is made if it is not there.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = format!("{PREFACE}{}", toml::to_string(self)?);
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder
            .and_then(|()| fs::write(path, text))
            .with_context(|| path.display().to_string())
    }

    /// What `report` found that is worse by more than a tenth, in words.
    pub(super) fn compare(&self, report: &Report) -> Vec<String> {
        let Some((ratio, share)) = figures(report) else {
            return vec!["nothing was measured".to_owned()];
        };
        let of = format!("of {} ({})", self.date, self.commit);
        let mut findings = Vec::new();
        if ratio > self.processor_ratio * TOLERANCE {
            findings.push(format!(
                "a message takes {ratio:.2} times the processor time of the floor, beyond {:.2} {of} and a tenth",
                self.processor_ratio
            ));
        }
        if share < self.throughput_share / TOLERANCE {
            findings.push(format!(
                "{share:.2} of the floor's messages pass in a second, below {:.2} {of} less a tenth",
                self.throughput_share
            ));
        }
        findings
    }
}

/// Processor time and throughput over the embedded log, both relative to the floor.
fn figures(report: &Report) -> Option<(f64, f64)> {
    let bus = report.buses.iter().find(|on| on.bus == Bus::Embedded)?;
    Some((bus.ratio()?.median, bus.share()?.median))
}

/// Finer than that nothing is repeated.
fn hundredth(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests;
