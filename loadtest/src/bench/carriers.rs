//! The carriers of a run: each a process of its own, so that what it costs is not taken for the router's.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use service::time;
use sms::CarrierName;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::world;

/// How many there are.
const CARRIERS: usize = 3;
/// What their answers and their receipts take.
const ANSWER: &str = "2ms..8ms";
const RECEIPT_DELAY: &str = "50ms..250ms";
/// What a carrier prints before its address.
const LISTENING: &str = "listening on ";
/// Longest wait for one to start, and to end.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// A carrier that runs. Dropped, it is killed.
pub(super) struct Carrier {
    pub(super) name: CarrierName,
    pub(super) address: SocketAddr,
    /// What it wrote down, once it has stopped.
    pub(super) log: PathBuf,
    child: Child,
}

impl Carrier {
    /// Starts all of them with `program`; they write to `folder`.
    pub(super) async fn start_all(program: &Path, folder: &Path, seed: u64) -> anyhow::Result<Vec<Self>> {
        fs::create_dir_all(folder)?;
        let mut carriers = Vec::new();
        for (number, name) in (0..).zip(world::carriers(CARRIERS)?) {
            carriers.push(Self::start(program, folder, name, seed.wrapping_add(number)).await?);
        }
        Ok(carriers)
    }

    async fn start(program: &Path, folder: &Path, name: CarrierName, seed: u64) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let mut child = Command::new(program)
            .args(["smsc", "--answer", ANSWER, "--receipt-delay", RECEIPT_DELAY])
            .args(["--name", name.as_str(), "--seed", &seed.to_string(), "--log"])
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let stdout = child.stdout.take().context("standard output was piped")?;
        let mut lines = BufReader::new(stdout).lines();
        let line = time::timeout(PROCESS_TIMEOUT, lines.next_line()).await;
        let line = line.with_context(|| format!("carrier {name} did not start in time"))??;
        let address = line.as_deref().and_then(|line| line.strip_prefix(LISTENING));
        let address = address.with_context(|| format!("carrier {name} did not say where it listens"))?;
        Ok(Self {
            address: address.trim().parse()?,
            name,
            log,
            child,
        })
    }

    /// Ends it in good order, with its log written.
    pub(super) async fn stop(mut self) -> anyhow::Result<(CarrierName, PathBuf)> {
        let Self { name, log, child, .. } = &mut self;
        let id = child.id().with_context(|| format!("carrier {name} ended by itself"))?;
        let sent = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(sent.success(), "carrier {name} does not take SIGTERM");
        let status = time::timeout(PROCESS_TIMEOUT, child.wait()).await;
        let status = status.with_context(|| format!("carrier {name} did not end in time"))??;
        ensure!(status.success(), "carrier {name} ended with {status}");
        Ok((name.clone(), log.clone()))
    }
}
