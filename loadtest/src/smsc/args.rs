//! The carrier as a process of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use smpp::Status;

use super::config::{Behaviour, Config, Delay, IdStyles, ReceiptMix, duration};
use super::manners::{ReceiptChances, Wave};
use super::run::Smsc;

/// Play a carrier that speaks SMPP.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Name told to clients
    #[arg(long, default_value = "carrier")]
    name: String,
    /// Where to listen; port 0 takes a free one, told on standard output
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Who may bind; anyone if not given
    #[arg(long)]
    system_id: Option<String>,
    /// With which password; any if not given
    #[arg(long)]
    password: Option<String>,
    /// Seed of all chances
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// File to write every message received to
    #[arg(long)]
    log: Option<PathBuf>,
    /// How long an answer takes: 20ms, 5ms..50ms, exp:20ms
    #[arg(long, default_value = "0")]
    answer: Delay,
    /// Share of messages refused, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    errors: f64,
    /// What they are refused with, by name or number
    #[arg(long, value_delimiter = ',', default_value = "RSYSERR")]
    error_status: Vec<Status>,
    /// Share of messages refused as too fast, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    throttle: f64,
    /// Takes messages for a while and refuses them all as too fast for a while: 2s/500ms
    #[arg(long, value_name = "FREE/THROTTLED")]
    throttle_wave: Option<Wave>,
    /// What they are refused with
    #[arg(long, default_value = "RTHROTTLED")]
    throttle_status: Status,
    /// Share of messages taken and never answered, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    drop: f64,
    /// Messages a second taken; no limit if not given
    #[arg(long)]
    rate: Option<u32>,
    /// Messages after which a connection is cut
    #[arg(long)]
    disconnect_after: Option<u64>,
    /// Age at which a connection is cut: 30s, 2m
    #[arg(long, value_parser = span)]
    disconnect_every: Option<Duration>,
    /// Messages after which a connection stands and is neither read nor written
    #[arg(long)]
    half_open_after: Option<u64>,
    /// Messages after which a connection says something that is no SMPP
    #[arg(long)]
    garbage_after: Option<u64>,
    /// Wait between two short reads: 10ms
    #[arg(long, value_parser = span, default_value = "0")]
    read_pause: Duration,
    /// What receipts say, with weights: DELIVRD=95,UNDELIV/011=3,NONE=2
    #[arg(long, default_value = "DELIVRD=1")]
    receipts: ReceiptMix,
    /// How long a receipt takes after the answer: 1s, 100ms..5s, exp:2s
    #[arg(long, default_value = "0")]
    receipt_delay: Delay,
    /// Share of receipts sent before the answer to their message, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    receipts_early: f64,
    /// Share of receipts that come late, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    receipts_late: f64,
    /// How long after the answer those come
    #[arg(long, default_value = "10s")]
    receipt_late_by: Delay,
    /// Share of receipts sent once more when they were taken, 0 to 1
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    receipts_twice: f64,
    /// How long after that
    #[arg(long, default_value = "0")]
    receipt_twice_after: Delay,
    /// How ids are written in responses and receipts: hex, padded, dec, uuid, or two as in hex-dec
    #[arg(long, default_value = "hex")]
    ids: IdStyles,
    /// Send receipts as text alone
    #[arg(long)]
    no_receipt_tlvs: bool,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a share lies between 0 and 1".to_owned())
}

fn span(text: &str) -> Result<Duration, String> {
    duration(text).ok_or_else(|| "write a time such as 500ms, 30s or 2m".to_owned())
}

impl Args {
    /// The carrier these arguments describe; it keeps nothing but its log.
    pub fn config(&self) -> Config {
        let behaviour = Behaviour {
            answer: self.answer,
            error_rate: self.errors,
            error_statuses: self.error_status.clone(),
            throttle_rate: self.throttle,
            throttle_wave: self.throttle_wave,
            throttle_status: self.throttle_status,
            drop_rate: self.drop,
            throughput: self.rate,
            disconnect_after: self.disconnect_after,
            disconnect_every: self.disconnect_every,
            half_open_after: self.half_open_after,
            garbage_after: self.garbage_after,
            read_pause: self.read_pause,
            receipt_delay: self.receipt_delay,
            receipts: self.receipts.clone(),
            receipt_chances: ReceiptChances {
                early: self.receipts_early,
                late: self.receipts_late,
                late_by: self.receipt_late_by,
                twice: self.receipts_twice,
                twice_after: self.receipt_twice_after,
            },
        };
        Config {
            name: self.name.clone(),
            listen: self.listen,
            system_id: self.system_id.clone(),
            password: self.password.clone(),
            seed: self.seed,
            log: self.log.clone(),
            keep_max: 0,
            ids: self.ids,
            receipt_tlvs: !self.no_receipt_tlvs,
            behaviour,
            ..Config::default()
        }
    }
}

/// Plays the carrier until SIGTERM or SIGINT; for callers that run no async runtime yet.
///
/// # Errors
/// The runtime or the carrier cannot start.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?;
    runtime.block_on(serve(args))
}

/// Plays the carrier until SIGTERM or SIGINT, and prints `listening on ADDR` once it listens.
///
/// # Errors
/// The carrier cannot start.
pub async fn serve(args: &Args) -> anyhow::Result<()> {
    use std::io::Write as _;
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("handle SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("handle SIGINT")?;
    let handle = Smsc::start(args.config()).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on {}", handle.addr())
        .and_then(|()| stdout.flush())
        .context("tell the address")?;
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let counts = handle.counts();
    handle.stop().await;
    eprintln!("{counts:?}");
    Ok(())
}
