//! The roles: opens what the configuration names, runs the services over it, and drains them.

use std::{process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use service::{Deps, Readiness, Stop, Tasks, telemetry, time};
use table::LiveTable;
use tokio::net::TcpListener;
use tracing::{error, info, warn};

use crate::{cli::Service, config, config::Config, exit};

mod check;
mod engine;
mod key_secret;
mod last_good;
mod reload;
mod unserved;

use engine::Engine;
use last_good::LastGood;
use unserved::Unserved;

/// What a process prints on standard output once it takes messages; the address follows.
pub(crate) const READY_PREFIX: &str = "signalbox: ready, gRPC on ";

/// Time between telling probes that the process goes and refusing calls.
const DRAIN_NOTICE: Duration = Duration::from_millis(200);
/// Added to the services' own drain limit before the process gives up on them.
const DRAIN_SLACK: Duration = Duration::from_secs(5);

/// Which services a process runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Roles {
    ingest: bool,
    router: bool,
    connector: bool,
}

impl Roles {
    pub(crate) const ALL: Self = Self {
        ingest: true,
        router: true,
        connector: true,
    };
    pub(crate) const INGEST: Self = Self {
        ingest: true,
        router: false,
        connector: false,
    };
    pub(crate) const ROUTER: Self = Self {
        ingest: false,
        router: true,
        connector: false,
    };
    pub(crate) const CONNECTOR: Self = Self {
        ingest: false,
        router: false,
        connector: true,
    };
}

type Running = Tasks<anyhow::Result<&'static str>>;

/// Runs `roles` until a signal, then drains. Exit code 1 if something was left unfinished, or a service could not go on; what
/// it had in hand will be redelivered.
///
/// # Errors
/// The configuration is wrong, or something it names cannot be opened.
pub(crate) fn main(service: Service, roles: Roles) -> anyhow::Result<ExitCode> {
    let config = config::load(&service.config)?;
    if service.print_config {
        print!("{}", config::shown(&config));
    }
    if service.check_config {
        check::files_and_table(&config, roles)?;
        println!("{}: fine", service.config.display());
    }
    if service.print_config || service.check_config {
        return Ok(ExitCode::SUCCESS);
    }
    check::files(&config, roles)?;
    let format = if config.log_json {
        telemetry::LogFormat::Json
    } else {
        telemetry::LogFormat::Text
    };
    telemetry::start_logs(format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let is_clean = runtime.block_on(run(&config, roles))?;
    Ok(ExitCode::from(if is_clean { 0 } else { exit::NEGATIVE }))
}

async fn run(config: &Config, roles: Roles) -> anyhow::Result<bool> {
    let (handle, stop) = Stop::new();
    let mut signals = Tasks::new();
    service::stop_on_signals(&mut signals, handle)?;
    let engine = Engine::open(config)?;
    let readiness = Readiness::new();
    let mut running = Running::new();
    // Probes are answered until the end: a process that drains says so.
    let (_probes_stop, until) = Stop::new();
    let _probes = serve_probes(config, &readiness, until).await?;
    engine.maintain(&stop, &mut running);
    let mut unserved = None;
    if roles.connector {
        let links = start_connector(config, &engine.deps, &stop, &mut running)?;
        let (partitions, drain) = (config.partitions, config.drain_limit);
        unserved = Some(Unserved::new(
            &links,
            engine.deps.clone(),
            partitions,
            drain,
            stop.clone(),
        ));
    }
    if roles.router {
        start_router(config, &engine.deps, unserved, &stop, &mut running)?;
    }
    if roles.ingest {
        start_ingest(config, &engine.deps, &stop, &mut running).await?;
    } else {
        println!("signalbox: ready");
    }
    readiness.set(true);
    let is_clean = match wait(config, &stop, &readiness, running).await {
        Ok(is_clean) => is_clean,
        Err(error) => {
            error!("{error:#}");
            false
        }
    };
    engine.close(config.drain_limit).await?;
    Ok(is_clean)
}

/// Waits for the stop and then for every task. A task that fails before that ends the process: its work is on the bus.
async fn wait(config: &Config, stop: &Stop, readiness: &Readiness, mut running: Running) -> anyhow::Result<bool> {
    let mut is_clean = true;
    let drain = async {
        stop.requested().await;
        readiness.set(false);
        time::sleep(config.drain_limit + DRAIN_SLACK).await;
    };
    tokio::pin!(drain);
    loop {
        tokio::select! { biased;
            () = &mut drain => {
                error!(left = running.len(), "not drained within the limit: what is unfinished will be redelivered");
                return Ok(false);
            }
            ended = running.join_next() => match ended {
                None => return Ok(is_clean),
                Some(Ok(Ok(name))) if stop.is_requested() => info!(name, "drained"),
                Some(Ok(Ok(name))) => bail!("{name} ended by itself"),
                Some(Ok(Err(error))) if stop.is_requested() => {
                    warn!("{error:#}");
                    is_clean = false;
                }
                Some(Ok(Err(error))) => return Err(error),
                Some(Err(error)) => return Err(error).context("a task died"),
            }
        }
    }
}

/// Serves probes and metrics, if the configuration says where, as long as the returned tasks are kept.
async fn serve_probes(config: &Config, readiness: &Readiness, until: Stop) -> anyhow::Result<Tasks> {
    let mut tasks = Tasks::new();
    let Some(address) = config.probes else { return Ok(tasks) };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("probes cannot be served on {address}"))?;
    info!(address = %listener.local_addr()?, "probes and metrics");
    let (readiness, metrics) = (readiness.clone(), telemetry::start_metrics()?);
    tasks.spawn(async move {
        if let Err(error) = telemetry::serve_probes(listener, readiness, metrics, until).await {
            error!(%error, "probes are no longer answered");
        }
    });
    Ok(tasks)
}

fn start_router(
    config: &Config,
    deps: &Deps,
    mut unserved: Option<Unserved>,
    stop: &Stop,
    running: &mut Running,
) -> anyhow::Result<()> {
    let dir = config.table.clone().context("the router needs [table] path")?;
    let seen = table::files::fingerprint(&dir);
    let last_good = LastGood::of(config);
    let (table, warnings) = last_good.load(&dir).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    if !warnings.is_empty() {
        warn!("the table has warnings:\n{warnings}");
    }
    info!(version = table.version(), "table loaded: {}", table.summary());
    reload::describe();
    if let Some(unserved) = &mut unserved {
        unserved.cover(&table);
    }
    let live = Arc::new(LiveTable::new(table));
    let router = router::Config {
        partitions: config.partitions,
        ..router::Config::default()
    };
    let run = router::run(router, deps.clone(), live.clone(), stop.clone());
    running.spawn(async move {
        run.await.context("router")?;
        Ok("router")
    });
    let stop = stop.clone();
    running.spawn(async move {
        reload::follow(&dir, &last_good, &live, unserved, seen, &stop).await;
        Ok("table watch")
    });
    Ok(())
}

/// Starts the connector; returns its links.
fn start_connector(
    config: &Config,
    deps: &Deps,
    stop: &Stop,
    running: &mut Running,
) -> anyhow::Result<Vec<connector::LinkConfig>> {
    let file = config.links.clone().context("the connector needs [connector] links")?;
    let links = check::links(&file)?;
    let connector = connector::Config {
        partitions: config.partitions,
        drain_limit: config.drain_limit,
        ..connector::Config::new(links.clone())
    };
    let run = connector::run(connector, deps.clone().into(), stop.clone());
    running.spawn(async move {
        run.await.context("connector")?;
        Ok("connector")
    });
    Ok(links)
}

async fn start_ingest(config: &Config, deps: &Deps, stop: &Stop, running: &mut Running) -> anyhow::Result<()> {
    let section = config.ingest.as_ref().context("ingest needs an [ingest] section")?;
    let ingest = ingest::Config {
        grpc: section.grpc,
        tls: section.tls.as_ref().map(|tls| ingest::Tls {
            certificate: tls.certificate.clone(),
            key: tls.key.clone(),
        }),
        accounts: section.accounts.clone(),
        key_secret: key_secret::find(section, deps).await?,
        partitions: config.partitions,
        drain_notice: DRAIN_NOTICE,
        drain_limit: config.drain_limit,
    };
    ingest::describe();
    let server = ingest::Server::bind(ingest, deps.clone()).await.context("ingest")?;
    println!("{READY_PREFIX}{}", server.local_addr());
    let stop = stop.clone();
    running.spawn(async move {
        server.serve(stop).await.context("ingest")?;
        Ok("ingest")
    });
    Ok(())
}
