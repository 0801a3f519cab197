//! Starts each role on what it is handed.

use std::{env, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use ::connector::caretaker::{self, Named};
use ::router::{Listener, Tables};
use anyhow::Context as _;
use service::{Deps, Readiness, Stop, Tasks, time};
use table::LiveTable;
use tracing::{info, warn};

use super::{
    DRAIN_NOTICE, Engine, QUESTIONS_PREFIX, Running, check, key_secret,
    last_good::{LastGood, Loaded},
    lookups,
    published::{self, Begun},
    reload::Follower,
    swap::{self, Swap},
    unserved::Unserved,
};
use crate::config::{Config, TableFrom};

/// How soon there is a table, where one was published; after that the first is taken.
const FIRST_WITHIN: Duration = Duration::from_secs(1);

/// Starts the router, and the caretaker beside it, once there is a table; says where the router answers questions, if it does.
pub(super) async fn router(
    config: &Config,
    engine: &Engine,
    unserved: Option<Unserved>,
    readiness: &Readiness,
    stop: &Stop,
    running: &mut Running,
) -> anyhow::Result<()> {
    swap::describe();
    let last_good = LastGood::of(config);
    let starting = Starting {
        config,
        engine,
        unserved,
        last_good: last_good.clone(),
        stop,
    };
    match config.table.as_ref().context("the router needs [table] path")? {
        TableFrom::Directory(dir) => {
            let seen = table::files::fingerprint(dir);
            let loaded = load(dir, &last_good).await?;
            let listener = listen(config).await?;
            let follower = Follower::new(dir.clone(), starting.routing(listener, None, loaded, running)?);
            let stop = stop.clone();
            running.spawn(async move {
                follower.follow(seen, &stop).await;
                Ok("table watch")
            });
        }
        TableFrom::Bus => {
            let machine = env::var("HOSTNAME").ok();
            let tables = Tables::new(engine.deps()?, config.engine.instance(), machine.as_deref());
            let (reading, until) = (tables.clone(), stop.clone());
            running.spawn(async move {
                reading.run(&until).await.context("published tables")?;
                Ok("published tables")
            });
            let listener = listen(config).await?;
            let Some(begun) = first(&listener, &tables, &last_good, readiness, stop).await? else {
                return Ok(());
            };
            tables.serves(begun.served());
            let (loaded, follower) = begun.follower(tables.clone(), last_good);
            let follower = follower(starting.routing(listener, Some(tables), loaded, running)?);
            let stop = stop.clone();
            running.spawn(async move {
                follower.follow(&stop).await;
                Ok("published tables in force")
            });
        }
    }
    Ok(())
}

/// Where questions are answered; the address is told.
async fn listen(config: &Config) -> anyhow::Result<Option<Listener>> {
    let router = router_config(config);
    let listener = Listener::bind(&router).await.context("router")?;
    if let Some(listener) = &listener {
        println!("{QUESTIONS_PREFIX}{}", listener.local_addr());
    }
    Ok(listener)
}

/// Waits for a table to begin with, and takes one meanwhile. `None` = asked to stop before.
async fn first(
    listener: &Option<Listener>,
    tables: &Tables,
    last_good: &LastGood,
    readiness: &Readiness,
    stop: &Stop,
) -> anyhow::Result<Option<Begun>> {
    let begun = published::begin(tables, last_good, readiness, stop);
    tokio::pin!(begun);
    if let Some(begun) = time::timeout(FIRST_WITHIN, &mut begun).await {
        return Ok(begun);
    }
    let Some(listener) = listener else {
        return Ok(begun.await);
    };
    let (close, until) = Stop::new();
    let serving = listener.serve_tables(tables.clone(), until);
    tokio::pin!(serving);
    let begun = tokio::select! { biased;
        begun = &mut begun => begun,
        ended = &mut serving => {
            ended.context("router")?;
            anyhow::bail!("the router takes no tables any more");
        }
    };
    close.request();
    serving.await.context("router")?;
    Ok(begun)
}

/// What a router is started on, but for its table.
struct Starting<'a> {
    config: &'a Config,
    engine: &'a Engine,
    unserved: Option<Unserved>,
    last_good: LastGood,
    stop: &'a Stop,
}

impl Starting<'_> {
    /// Starts routing on a table, and the caretaker beside it; returns what brings others into force.
    fn routing(
        self,
        listener: Option<Listener>,
        tables: Option<Tables>,
        loaded: Loaded,
        running: &mut Running,
    ) -> anyhow::Result<Swap> {
        let Self {
            config,
            engine,
            mut unserved,
            last_good,
            stop,
        } = self;
        let Loaded { table, warnings, files } = loaded;
        if !warnings.is_empty() {
            warn!("the table has warnings:\n{warnings}");
        }
        info!(version = table.version(), "table loaded: {}", table.summary());
        if config.lookup.is_none() {
            swap::warn_of_lookups(&table);
        }
        swap::in_force(table.version());
        if let Some(unserved) = &mut unserved {
            unserved.cover(&table);
        }
        let live = Arc::new(LiveTable::new(table));
        let deps = engine.deps()?;
        let lookups = config.lookup.as_ref();
        let lookups = lookups.map(|section| lookups::make(section, &config.folder, &deps, &live));
        let router = ::router::Config {
            lookups: lookups.transpose()?,
            tables,
            ..router_config(config)
        };
        let run = ::router::run_on(listener, router, deps, live.clone(), stop.clone());
        running.spawn(async move {
            run.await.context("router")?;
            Ok("router")
        });
        caretaker(config, engine.deps()?, Arc::clone(&live), stop, running);
        Ok(Swap::new(live, last_good, unserved, files).looking_up(config.lookup.is_some()))
    }
}

/// The settings of the router, as far as they stand in the file.
fn router_config(config: &Config) -> ::router::Config {
    ::router::Config {
        partitions: config.partitions,
        grpc: config.router.grpc,
        tls: config.router.tls.clone(),
        ..::router::Config::default()
    }
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
