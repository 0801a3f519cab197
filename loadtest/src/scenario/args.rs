//! What is to be played.

use std::path::PathBuf;

use crate::chaos::args::Bus;

/// Play scenarios: their load, carriers and mishaps on real processes, judged by their books and their goals.
///
/// Exit code 1: a goal was missed, or the books are not in order. 64: a file is wrong, and nothing was played.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Scenarios, such as loadtest/scenarios/mixed-day.toml, played one after the other
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What carries messages, whatever the file says; Kafka, one broker of it, and Redis are started for it
    #[arg(long, value_enum)]
    pub bus: Option<Bus>,
    /// Where NAME.json and NAME.html are written
    #[arg(long, value_name = "DIR", default_value = "target/scenarios")]
    pub out: PathBuf,
    /// The binary to measure; `signalbox` beside this one if not given. Times want a release build
    #[arg(long, value_name = "FILE")]
    pub signalbox: Option<PathBuf>,
    /// Only say what is wrong with the files
    #[arg(long)]
    pub check: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
