//! `signalbox-loadtest submit`: submits messages in open loop and reports.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, Result, ensure};

use super::{Plan, Report, Target};

/// Submits messages at a steady rate, whatever the answers, and reports latency from the moment each was due.
///
/// Exits 1 if a message was not answered, or did not end while receipts were followed.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Ingest of the router, on this machine
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7070")]
    pub to: Target,
    /// Key of the account
    #[arg(long, value_name = "KEY", env = "SIGNALBOX_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// Messages per second
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    pub rate: u32,
    /// Messages in all
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "seconds",
        required_unless_present = "seconds"
    )]
    pub count: Option<u64>,
    /// Seconds to submit for
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub connections: u32,
    /// Milliseconds a due message waits for others to share its frame
    #[arg(long, value_name = "MS", default_value_t = 2)]
    pub frame_wait: u64,
    /// Most messages of a frame, 1 to 500
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub frame: usize,
    /// Seconds for which a message comes back that the router is too busy for, as often as it says; 0 = it counts as refused
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub patience: u64,
    /// Seconds to wait for answers after the last message
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub answer_timeout: u64,
    /// Follow receipts too, and wait for them up to so many seconds after the last answer
    #[arg(long, value_name = "N")]
    pub receipts: Option<u64>,
    /// Time to live of each message in seconds [default: what the router gives its class]
    #[arg(long, value_name = "N")]
    pub ttl: Option<u64>,
    /// Submit messages of one segment alone
    #[arg(long)]
    pub one_segment: bool,
    /// The same seed gives the same recipients and texts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Write the ids of accepted messages into FILE, one a line
    #[arg(long, value_name = "FILE")]
    pub ids: Option<PathBuf>,
    /// Report as JSON
    #[arg(long)]
    pub json: bool,
}

impl TryFrom<&Args> for Plan {
    type Error = anyhow::Error;

    fn try_from(args: &Args) -> Result<Self> {
        let messages = match (args.count, args.seconds) {
            (Some(count), _) => count,
            (None, Some(seconds)) => seconds.saturating_mul(u64::from(args.rate)),
            (None, None) => 0,
        };
        ensure!(
            args.frame_wait <= 1_000,
            "--frame-wait is {} ms, allowed are up to 1000",
            args.frame_wait
        );
        Ok(Self {
            target: args.to,
            api_key: args.api_key.clone(),
            rate: args.rate,
            messages,
            connections: args.connections,
            frame_wait: Duration::from_millis(args.frame_wait),
            frame_messages: args.frame,
            patience: Duration::from_secs(args.patience),
            answer_timeout: Duration::from_secs(args.answer_timeout),
            receipt_timeout: args.receipts.map(Duration::from_secs),
            ttl: args.ttl.map(Duration::from_secs),
            one_segment: args.one_segment,
            seed: args.seed,
            keeps_ids: args.ids.is_some(),
        })
    }
}

/// Submits, prints the report, and says by the exit code whether it is complete.
///
/// # Errors
/// Those of [`super::run`], or the file of ids cannot be written.
pub async fn run(args: Args) -> Result<ExitCode> {
    let report = super::run(Plan::try_from(&args)?).await?;
    if let Some(path) = &args.ids {
        let mut text = report.accepted_ids.join("\n");
        text.push('\n');
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    print(&report, args.json)?;
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}

fn print(report: &Report, as_json: bool) -> Result<()> {
    if as_json {
        println!("{}", serde_json::to_string(report)?);
    } else {
        print!("{report}");
    }
    Ok(())
}
