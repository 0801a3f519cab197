//! Starts each role on what it is handed.

use std::{net::SocketAddr, path::Path, sync::Arc};

use ::connector::caretaker::{self, Named};
use ::router::Listener;
use anyhow::Context as _;
use service::{Deps, Readiness, Stop, Tasks};
use table::LiveTable;
use tracing::{info, warn};

use super::{
    DRAIN_NOTICE, Engine, Running, check, key_secret,
    last_good::{LastGood, Loaded},
    lookups,
    reload::{self, Follower},
    unserved::Unserved,
};
use crate::config::Config;

/// Starts the router, and the caretaker beside it; returns where the router answers questions, if it does.
pub(super) async fn router(
    config: &Config,
    engine: &Engine,
    mut unserved: Option<Unserved>,
    stop: &Stop,
    running: &mut Running,
) -> anyhow::Result<Option<SocketAddr>> {
    let dir = config.table.clone().context("the router needs [table] path")?;
    let seen = table::files::fingerprint(&dir);
    let last_good = LastGood::of(config);
    let Loaded { table, warnings, files } = load(&dir, &last_good).await?;
    if !warnings.is_empty() {
        warn!("the table has warnings:\n{warnings}");
    }
    info!(version = table.version(), "table loaded: {}", table.summary());
    if config.lookup.is_none() {
        reload::warn_of_lookups(&table);
    }
    reload::describe();
    reload::in_force(table.version());
    if let Some(unserved) = &mut unserved {
        unserved.cover(&table);
    }
    let live = Arc::new(LiveTable::new(table));
    let deps = engine.deps()?;
    let lookups = config.lookup.as_ref();
    let lookups = lookups.map(|section| lookups::make(section, &config.folder, &deps, &live));
    let router = ::router::Config {
        partitions: config.partitions,
        lookups: lookups.transpose()?,
        grpc: config.router.grpc,
        tls: config.router.tls.clone(),
        ..::router::Config::default()
    };
    let listener = Listener::bind(&router).await.context("router")?;
    let address = listener.as_ref().map(Listener::local_addr);
    let run = ::router::run_on(listener, router, deps, live.clone(), stop.clone());
    running.spawn(async move {
        run.await.context("router")?;
        Ok("router")
    });
    caretaker(config, engine.deps()?, Arc::clone(&live), stop, running);
    let stop = stop.clone();
    let follower = Follower::new(dir, last_good, live, unserved, files).looking_up(config.lookup.is_some());
    running.spawn(async move {
        follower.follow(seen, &stop).await;
        Ok("table watch")
    });
    Ok(address)
}

/// Starts what hands back orders of carriers that lost all their connectors.
fn caretaker(config: &Config, deps: Deps, live: Arc<LiveTable>, stop: &Stop, running: &mut Running) {
    let named: Named = Arc::new(move || {
        let table = live.snapshot();
        let carriers = table.carriers().iter();
        carriers.map(|carrier| carrier.name().clone()).collect()
    });
    let run = caretaker::run(named, deps, config.drain_limit, stop.clone());
    running.spawn(async move {
        run.await;
        Ok("caretaker")
    });
}

/// The table to begin with, read and compiled away from the threads that answer.
async fn load(dir: &Path, last_good: &LastGood) -> anyhow::Result<Loaded> {
    let mut work = Tasks::new();
    let (dir, last_good) = (dir.to_owned(), last_good.clone());
    work.spawn_blocking(move || last_good.load(&dir));
    let loaded = work.join_next().await.expect("it was just put there");
    loaded
        .context("the table could not be compiled")?
        .map_err(|refused| anyhow::anyhow!("{refused}"))
}

/// Starts the connector; returns its links, and where it answers operators, if it does.
pub(super) async fn connector(
    config: &Config,
    deps: Deps,
    stop: &Stop,
    running: &mut Running,
) -> anyhow::Result<(Vec<::connector::LinkConfig>, Option<SocketAddr>)> {
    let file = config.links.clone().context("the connector needs [connector] links")?;
    let links = check::links(&file)?;
    let connector = ::connector::Config {
        partitions: config.partitions,
        drain_limit: config.drain_limit,
        instance: config.engine.instance(),
        links_file: Some(file),
        control: config.link_control.clone(),
        ..::connector::Config::new(links.clone())
    };
    let listener = ::connector::Listener::bind(&connector).await.context("connector")?;
    let address = listener.as_ref().map(::connector::Listener::local_addr);
    let run = ::connector::run_on(listener, connector, deps.into(), stop.clone());
    running.spawn(async move {
        run.await.context("connector")?;
        Ok("connector")
    });
    Ok((links, address))
}

/// Starts ingest; returns where it listens.
pub(super) async fn ingest(
    config: &Config,
    deps: Deps,
    readiness: &Readiness,
    stop: &Stop,
    running: &mut Running,
) -> anyhow::Result<SocketAddr> {
    let section = config.ingest.as_ref().context("ingest needs an [ingest] section")?;
    let ingest = ::ingest::Config {
        grpc: section.grpc,
        tls: section.tls.clone(),
        accounts: section.accounts.clone(),
        key_secret: key_secret::find(section, &config.folder, &deps).await?,
        partitions: config.partitions,
        drain_notice: DRAIN_NOTICE,
        drain_limit: config.drain_limit,
    };
    ::ingest::describe();
    let server = ::ingest::Server::bind(ingest, deps).await.context("ingest")?;
    let address = server.local_addr();
    let server = server.ready_when(readiness.clone());
    let stop = stop.clone();
    running.spawn(async move {
        server.serve(stop).await.context("ingest")?;
        Ok("ingest")
    });
    Ok(address)
}
