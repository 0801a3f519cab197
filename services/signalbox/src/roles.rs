//! The roles: opens what the configuration names, runs the services over it, and drains them.

use std::{num::NonZero, process::ExitCode, time::Duration};

use anyhow::{Context as _, bail};
use bus::PublishError;
use service::{Readiness, Stop, Tasks, telemetry, time};
use signalbox_proto::topics;
use tokio::net::TcpListener;
use tracing::{error, info, warn};

use crate::{cli::Service, config, config::Config, exit, traces};

mod check;
mod engine;
mod key_secret;
mod last_good;
mod lookups;
mod memory;
mod published;
mod reload;
mod standing;
mod start;
mod swap;
mod unserved;

pub(crate) use check::links;
use engine::Engine;
pub(crate) use engine::kafka;
pub(crate) use lookups::make as look_ups;
use standing::Standing;
use unserved::Unserved;

/// What a process prints on standard output once it takes messages; the address follows.
pub(crate) const READY_PREFIX: &str = "signalbox: ready, gRPC on ";

/// What a router prints on standard output before that, if it answers questions; the address follows.
pub(crate) const QUESTIONS_PREFIX: &str = "signalbox: questions about routing, gRPC on ";

/// What a connector prints on standard output before that, if it answers operators; the address follows.
pub(crate) const LINKS_PREFIX: &str = "signalbox: links, gRPC on ";

/// Time between telling probes that the process goes and refusing calls.
const DRAIN_NOTICE: Duration = Duration::from_millis(200);
/// Added to the services' own drain limit before the process gives up on them.
const DRAIN_SLACK: Duration = Duration::from_secs(5);

/// Threads that work for each core. A thread that is in the midst of a campaign's batch is interrupted by the kernel for one that
/// wakes for a password; with a thread a core the password would wait for the batch to end.
const WORKERS_PER_CORE: usize = 2;

/// Which services a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

    /// What brokers call the process.
    const fn client_id(self) -> &'static str {
        match self {
            Self::INGEST => "signalbox-ingest",
            Self::ROUTER => "signalbox-router",
            Self::CONNECTOR => "signalbox-connector",
            _ => "signalbox",
        }
    }

    /// What traces call the process.
    const fn name(self) -> &'static str {
        match self {
            Self::INGEST => "ingest",
            Self::ROUTER => "router",
            Self::CONNECTOR => "connector",
            _ => "standalone",
        }
    }
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
    memory::in_small_pages();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers())
        .enable_all()
        .build()?;
    let is_clean = runtime.block_on(run(&config, roles));
    // A client that waits for brokers on a thread of its own must not keep the process.
    runtime.shutdown_timeout(DRAIN_SLACK);
    let is_clean = is_clean?;
    Ok(ExitCode::from(if is_clean { 0 } else { exit::NEGATIVE }))
}

fn workers() -> usize {
    WORKERS_PER_CORE * std::thread::available_parallelism().map_or(1, NonZero::get)
}

async fn run(config: &Config, roles: Roles) -> anyhow::Result<bool> {
    let (handle, stop) = Stop::new();
    let mut signals = Tasks::new();
    service::stop_on_signals(&mut signals, handle)?;
    let named = (roles.name(), config.engine.system());
    let (tracer, sending) = traces::start(config.traces.as_ref(), named)?;
    let engine = Engine::open(config, roles.client_id(), tracer)?;
    let readiness = Readiness::new();
    // Probes are answered until the end: a process that waits or drains says so.
    let (_probes_stop, until) = Stop::new();
    let mut helpers = Tasks::new();
    serve_probes(config, &readiness, until.clone(), &mut helpers).await?;
    helpers.spawn(service::watch_clock(service::Clock::wall(), readiness.clone(), until));
    let mut standing = Standing::new(engine.deps()?, readiness.clone(), &config.engine);
    if !standing.wait(&topics::fixed(config.partitions), &stop).await? {
        return Ok(true);
    }
    // Ingest takes messages on the log alone: with all of it out of its Service, nobody could hand over any.
    let standing = standing.sparing_the_store(roles == Roles::INGEST);
    helpers.spawn(standing.follow(stop.clone()));
    let is_clean = match serve(config, roles, &engine, &readiness, &stop).await {
        Ok(is_clean) => is_clean,
        Err(error) if is_for_people(&error) => return Err(error),
        Err(error) => {
            error!("{error:#}");
            false
        }
    };
    sending.finish().await;
    match engine.close(config.drain_limit).await {
        Ok(()) => Ok(is_clean),
        Err(error) => {
            error!("{error:#}");
            Ok(false)
        }
    }
}

/// Runs `roles` until `stop`, and says when they are ready. One that is asked to stop before drains what had begun.
async fn serve(
    config: &Config,
    roles: Roles,
    engine: &Engine,
    readiness: &Readiness,
    stop: &Stop,
) -> anyhow::Result<bool> {
    let mut running = Running::new();
    engine.maintain(stop, &mut running);
    let begun = unless_stopped(stop, begin(config, roles, engine, readiness, stop, &mut running)).await;
    let mut announcer = Tasks::new();
    if let Some(line) = begun.transpose()? {
        readiness.set(true);
        let ready = readiness.clone();
        announcer.spawn(async move {
            ready.ready().await;
            println!("{line}");
        });
    }
    wait(config, stop, readiness, running).await
}

/// What `work` comes to; `None` = `stop` was asked for first. A start may wait for the log or the store, which may stand still.
async fn unless_stopped<T>(stop: &Stop, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! { biased;
        done = work => Some(done),
        () = stop.requested() => None,
    }
}

/// Starts `roles`, and returns what to say once they are ready.
async fn begin(
    config: &Config,
    roles: Roles,
    engine: &Engine,
    readiness: &Readiness,
    stop: &Stop,
    running: &mut Running,
) -> anyhow::Result<String> {
    let mut unserved = None;
    if roles.connector {
        let (links, operators) = start::connector(config, engine.deps()?, stop, running).await?;
        if let Some(address) = operators {
            println!("{LINKS_PREFIX}{address}");
        }
        if roles.router {
            let (partitions, drain) = (config.partitions, config.drain_limit);
            unserved = Some(Unserved::new(&links, engine.deps()?, partitions, drain, stop.clone()));
        }
    }
    if roles.router {
        start::router(config, engine, unserved, readiness, stop, running).await?;
    }
    if !roles.ingest {
        return Ok("signalbox: ready".to_owned());
    }
    let address = start::ingest(config, engine.deps()?, readiness, stop, running).await?;
    Ok(format!("{READY_PREFIX}{address}"))
}

/// Whether only a change of the configuration helps.
fn is_for_people(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref());
    causes.any(|cause| matches!(cause, PublishError::Partitions { .. }))
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

/// Serves probes and metrics, if the configuration says where, as long as `helpers` live.
async fn serve_probes(config: &Config, readiness: &Readiness, until: Stop, helpers: &mut Tasks) -> anyhow::Result<()> {
    let Some(address) = config.probes else { return Ok(()) };
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("probes cannot be served on {address}"))?;
    info!(address = %listener.local_addr()?, "probes and metrics");
    let (readiness, metrics) = (readiness.clone(), telemetry::start_metrics()?);
    helpers.spawn(async move {
        if let Err(error) = telemetry::serve_probes(listener, readiness, metrics, until).await {
            error!(%error, "probes are no longer answered");
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests;
