//! On what and with what something was measured.

use std::{fmt, path::Path, process::Command};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use service::Clock;

use crate::{decide::clock::load_average, machine::Machine, stage};

/// Everything that a figure depends on beside the code.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Setting {
    /// The machine.
    pub machine: Machine,
    /// Programs that ran or waited for a core before the first run, over a minute; absent = not known. Above a half others were
    /// at work, and figures are too low.
    pub load_average: Option<f64>,
    /// The day, in UTC.
    pub date: String,
    /// The commit of the source; "unknown" outside of a checkout. Changes that are not committed are told.
    pub commit: String,
    /// What the measured binary calls itself.
    pub signalbox: String,
    /// Whether this program was built to be fast; what it measures is beside it, and built alike.
    pub is_optimized: bool,
    /// Version of Apache Kafka, where it is started.
    pub kafka: String,
    /// Version of Redis; "unknown" = there is none.
    pub redis: String,
}

impl Setting {
    /// This machine, now, with the binary of that name; `None` = the one beside this program.
    ///
    /// # Errors
    /// The binary to measure is not there or does not start.
    pub(crate) fn here(signalbox: Option<&Path>) -> anyhow::Result<Self> {
        let program = stage::program(signalbox)?;
        let said = Command::new(&program).arg("--version").output();
        let said = said.with_context(|| format!("{} does not start", program.display()))?;
        ensure!(
            said.status.success(),
            "{} --version: {}",
            program.display(),
            said.status
        );
        let now = jiff::Timestamp::from_millisecond(i64::try_from(Clock::wall().now().0)?)?;
        Ok(Self {
            machine: Machine::here()?,
            load_average: load_average(),
            date: now.strftime("%Y-%m-%d").to_string(),
            commit: commit(),
            signalbox: String::from_utf8_lossy(&said.stdout).trim().to_owned(),
            is_optimized: !cfg!(debug_assertions),
            kafka: backing::kafka_version().to_owned(),
            redis: redis().unwrap_or_else(|| "unknown".to_owned()),
        })
    }
}

fn commit() -> String {
    let Some(commit) = output("git", &["rev-parse", "--short", "HEAD"]) else {
        return "unknown".to_owned();
    };
    match output("git", &["status", "--porcelain", "--untracked-files=no"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit} and changes"),
    }
}

/// Its version, from `Redis server v=7.0.15 sha=…`.
fn redis() -> Option<String> {
    let said = output("redis-server", &["--version"])?;
    let version = said.split_whitespace().find_map(|word| word.strip_prefix("v="));
    version.map(str::to_owned)
}

/// What a program prints; `None` = it is not there, or says no.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let said = Command::new(program).args(arguments).output().ok()?;
    said.status
        .success()
        .then(|| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            machine,
            date,
            commit,
            signalbox,
            kafka,
            redis,
            ..
        } = self;
        let memory = machine.memory_mb as f64 / 1_000.0;
        writeln!(f, "{machine}, {memory:.1} GB, Linux {}", machine.kernel)?;
        writeln!(f, "{signalbox}, commit {commit}, {date}; Kafka {kafka}, Redis {redis}")?;
        if let Some(load) = self.load_average {
            writeln!(f, "load average {load:.1} at the beginning")?;
        }
        if !self.is_optimized {
            writeln!(f, "NOT A RELEASE BUILD: the figures say nothing of how fast it is")?;
        }
        Ok(())
    }
}
