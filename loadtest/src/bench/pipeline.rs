//! One run: the router's processes, a load generator and carriers, all of their own, from the first message to the last receipt; and
//! the books checked afterwards, as a router that loses messages is fast.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use service::Clock;
use tokio::process::Command;

use super::{Args, books, carriers::Carrier};
use crate::{
    hops::Hop,
    stage::{API_KEY, Cast, Ground, Link, Roles, database, program, wait_for_links, write},
    submit::{Latency, Report},
    watch::{Sample, Watch},
    world,
};

/// Share of the plan's prefixes that a carrier lists by themselves; the rest goes by its price for the country.
const COVERAGE: f64 = 0.85;
/// Parts that may be unanswered on a link.
const WINDOW: u32 = 1_000;
/// Seconds that receipts are waited for after the last answer: a queue of many messages takes its time.
const RECEIPTS_WITHIN: u32 = 600;

/// What stays the same from run to run.
pub(super) struct Scene {
    program: PathBuf,
    loadtest: PathBuf,
    ground: Ground,
}

/// What is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) messages: u64,
    /// Messages that are due in a second, whatever becomes of them.
    pub(super) per_second: u32,
    pub(super) seed: u64,
}

/// What a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// Messages delivered in a second, from the first one's due time to the last receipt.
    pub per_second: f64,
    /// Seconds that this took.
    pub seconds: f64,
    /// Messages that ended otherwise.
    pub undelivered: u64,
    /// Parts that carriers took twice: passwords whose answer was late go again.
    pub doubled: u64,
    /// What the load generator says: from due to OK and to the receipt, in open loop.
    pub load: Report,
    /// From accepted, which is durable, to the carrier's own log.
    pub to_carrier: Latency,
    /// Where messages were for how long.
    pub hops: Vec<Hop>,
    /// Microseconds of one core for each message, by what processes do.
    pub processor_us: BTreeMap<String, f64>,
    /// The most memory that a process of each kind had.
    pub memory_mb_max: BTreeMap<String, f64>,
    /// Cores and memory over time.
    pub samples: Vec<Sample>,
}

impl Scene {
    pub(super) fn new(args: &Args, ground: Ground) -> anyhow::Result<Self> {
        Ok(Self {
            program: program(args.signalbox.as_deref())?,
            loadtest: match &args.loadtest {
                Some(named) => named.clone(),
                None => env::current_exe()?,
            },
            ground,
        })
    }

    pub(super) fn words(&self) -> &'static str {
        match self.ground {
            Ground::Embedded => "embedded",
            Ground::Apart { .. } => "Kafka and Redis",
        }
    }
}

/// Sends `load` through a router that is started for it.
///
/// # Errors
/// Something does not start or ends by itself, or a message was refused or lost, or ended twice.
pub(super) async fn run(scene: &Scene, load: &Load) -> anyhow::Result<Run> {
    let began = Clock::wall().now();
    let folder = tempfile::Builder::new().prefix("signalbox-bench-").tempdir()?;
    let path = folder.path();
    let carriers = Carrier::start_all(&scene.loadtest, &path.join("carriers"), load.seed).await?;
    let mut cast = start(scene, path, &carriers, load.seed).await?;
    if let Ground::Apart { brokers, .. } = &scene.ground {
        let names = carriers.iter().map(|carrier| carrier.name.clone());
        wait_for_links(brokers, names.collect(), began).await?;
    }
    let mut watch = Watch::begin("bench")?;
    let submitted = watch.over(submit(scene, cast.address()?, load)).await;
    if submitted.is_err() {
        cast.show_logs();
    }
    let report = submitted?;
    cast.ensure_running()?;
    let taken = watch.end(load.messages)?;
    cast.stop_all().await?;
    let mut logs = Vec::new();
    for carrier in carriers {
        logs.push(carrier.stop().await?);
    }
    let books = books::read(&scene.ground, &database(path), began, &logs).await?;
    books.check(&report)?;
    let ends = report.receipts.as_ref().context("receipts were followed")?;
    Ok(Run {
        per_second: books.delivered() as f64 / ends.seconds,
        seconds: ends.seconds,
        undelivered: books.undelivered(),
        doubled: books.doubled(report.segments),
        to_carrier: books.hops().to_carrier(),
        hops: books.hops().told(),
        load: report,
        processor_us: taken.processor_us,
        memory_mb_max: taken.memory_mb_max,
        samples: taken.samples,
    })
}

/// Starts the router: one process, or one of each role.
async fn start(scene: &Scene, folder: &Path, carriers: &[Carrier], seed: u64) -> anyhow::Result<Cast> {
    let names: Vec<_> = carriers.iter().map(|carrier| carrier.name.clone()).collect();
    world::write_table(&folder.join("table"), &names, COVERAGE, seed)?;
    let link = |carrier: &Carrier| Link {
        carrier: carrier.name.clone(),
        address: carrier.address,
        rate: None,
        concatenation: "udh8",
        window: WINDOW,
    };
    let links: Vec<_> = carriers.iter().map(link).collect();
    let roles = Roles {
        routers: 1,
        connectors: Some(1),
        ..Roles::default()
    };
    let parts = write(folder, &scene.ground, "", &links, &roles)?;
    Cast::start(&scene.program, folder, &parts).await
}

/// Has the load generator submit everything and follow every receipt.
async fn submit(scene: &Scene, address: &str, load: &Load) -> anyhow::Result<Report> {
    let mut command = Command::new(&scene.loadtest);
    command
        .args(["submit", "--json", "--one-segment", "--to", address])
        .args([
            "--count",
            &load.messages.to_string(),
            "--rate",
            &load.per_second.to_string(),
        ])
        .args([
            "--receipts",
            &RECEIPTS_WITHIN.to_string(),
            "--seed",
            &load.seed.to_string(),
        ])
        .env("SIGNALBOX_API_KEY", API_KEY)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.context("the load generator cannot be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Report = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("the load generator ended with {}: {said}", output.status))?;
    ensure!(
        output.status.success(),
        "messages were not answered, or did not end:\n{report}"
    );
    Ok(report)
}
