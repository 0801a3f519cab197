//! The machine that something is measured on.

use std::{fmt, fs};

use serde::{Deserialize, Serialize};

/// What it is; words are "unknown" where the system does not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Cores that this program may use.
    pub cores: usize,
    /// The processor, as it calls itself.
    pub processor: String,
    /// Megabytes of memory; 0 = the system does not say.
    pub memory_mb: u64,
    /// The kernel.
    pub kernel: String,
}

impl Machine {
    /// This one.
    ///
    /// # Errors
    /// The system does not say how many cores there are.
    pub fn here() -> anyhow::Result<Self> {
        let text = |path| fs::read_to_string(path).unwrap_or_default();
        let (processor, memory) = (text("/proc/cpuinfo"), text("/proc/meminfo"));
        let kilobytes =
            value_of(&memory, "MemTotal").and_then(|total| total.trim_end_matches(" kB").parse::<u64>().ok());
        let kernel = text("/proc/sys/kernel/osrelease").trim().to_owned();
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            processor: value_of(&processor, "model name").unwrap_or("unknown").to_owned(),
            memory_mb: kilobytes.unwrap_or(0) / 1_000,
            kernel: if kernel.is_empty() {
                "unknown".to_owned()
            } else {
                kernel
            },
        })
    }
}

/// What stands behind `name` and a colon on the first line that begins so.
fn value_of<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines.find_map(|line| Some(line.strip_prefix(name)?.split_once(':')?.1.trim()))
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores, {}", self.cores, self.processor)
    }
}
