//! What the demonstration runs on: files, carriers, and the router's processes.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use service::Clock;
use signalbox_loadtest::{
    smsc::{Arrival, Behaviour, Config, Counts, Delay, Handle, IdStyles, Received, Smsc, read_log},
    stage::{API_KEY, Arrivals, Books, Cast, Courier, Ground, Link, Roles, database, land, wait_for_links, write},
    world,
};
use sms::{CarrierName, UnixMs};
use table::Table;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{bad_provider, campaign, drive::Trip, ported, waves};
use crate::cli::{Bus, Demo};

/// Share of the plan's prefixes that a carrier lists by themselves; the rest goes by its price for the country.
const COVERAGE: f64 = 0.85;
/// Parts a second that each link takes where failover is measured, as a share of the messages a second: less than the carrier
/// that dies is sent, so that a queue waits for it then.
const RATE_SHARE_PERCENT: u32 = 30;
/// The new price of the carrier that gets cheaper, in percent of the old one.
const CHEAPER_PERCENT: u64 = 60;

/// Which table is in force, and who is asked about numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plot {
    /// Real prefixes, and nobody.
    Usual,
    /// Invented countries, and a provider or nobody.
    Ported { looks_up: bool },
    /// Invented countries, and a provider on the loopback or nobody.
    BadProvider { provider: Option<SocketAddr> },
    /// An invented country with a network for each carrier, and nobody.
    Waves,
}

/// Carriers and router, running.
pub(super) struct Stage {
    folder: Folder,
    ground: Ground,
    carriers: Vec<Carrier>,
    pub(super) cast: Cast,
    tables: Vec<Table>,
    seed: u64,
    began: UnixMs,
}

/// A carrier: running, or killed and waiting to be started again on the same address and log.
struct Carrier {
    name: CarrierName,
    config: Config,
    handle: Option<Handle>,
}

/// What is left when everything has stopped.
pub(super) struct Scene {
    folder: Folder,
    /// Where the log and the state are.
    pub(super) ground: Ground,
    /// The tables that were in force, oldest first.
    pub(super) tables: Vec<Table>,
    /// What each carrier wrote down, in the order in which it was received.
    pub(super) logs: Vec<(CarrierName, Vec<Received>)>,
    /// When this run began: what is older on the log belongs to another.
    pub(super) began: UnixMs,
}

enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn open(keep: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = keep else {
            return Ok(Self::Temporary(tempfile::tempdir()?));
        };
        ensure!(
            !path.join("table").exists(),
            "{} holds an earlier run: give another folder",
            path.display()
        );
        fs::create_dir_all(path)?;
        Ok(Self::Kept(path.to_owned()))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

impl Stage {
    /// Where everything of it lies.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes the files, starts the carriers and the router, and waits until it takes messages. `told` hears of each message that
    /// reaches a carrier.
    pub(super) async fn set(
        demo: &Demo,
        plot: Plot,
        keep: Option<&Path>,
        told: Option<mpsc::UnboundedSender<Arrival>>,
    ) -> anyhow::Result<Self> {
        let began = Clock::wall().now();
        let ground = ground(demo)?;
        let folder = Folder::open(keep)?;
        let path = folder.path();
        // Not beside the files that the router watches.
        let logs = path.join("carriers");
        fs::create_dir_all(&logs)?;
        let mut carriers = Vec::new();
        for (number, name) in world::carriers(plot.carriers())?.into_iter().enumerate() {
            let log = logs.join(format!("{name}.log"));
            let seed = demo.seed.wrapping_add(number as u64);
            let config = Config {
                name: name.to_string(),
                log: Some(log),
                seed,
                // Its log is read, and a campaign would fill the memory.
                keep_max: 0,
                behaviour: behaviour(demo),
                ids: plot.ids(number),
                told: told.clone(),
                ..Config::default()
            };
            carriers.push(Carrier::start(name, config).await?);
        }
        let table = write_table(path, plot, &carriers, demo.seed)?;
        let links = plan_links(demo, plot, &carriers, &table);
        let parts = write(path, &ground, plot.lookup_section(), &links, &Roles::default())?;
        let cast = Cast::start(&env::current_exe()?, path, &parts).await?;
        if let Ground::Apart { brokers, .. } = &ground {
            let names = carriers.iter().map(|carrier| carrier.name.clone());
            wait_for_links(brokers, names.collect(), began).await?;
        }
        Ok(Self {
            folder,
            ground,
            carriers,
            cast,
            tables: vec![table],
            seed: demo.seed,
            began,
        })
    }

    /// A connection to the router, with receipts after `token` or from now on.
    pub(super) async fn courier(&self, token: Option<String>) -> anyhow::Result<Courier> {
        Courier::connect(self.cast.address()?.parse()?, API_KEY, token).await
    }

    /// Where the log and the state are.
    pub(super) fn ground(&self) -> &Ground {
        &self.ground
    }

    /// The carriers' names.
    pub(super) fn carriers(&self) -> impl Iterator<Item = &CarrierName> {
        self.carriers.iter().map(|carrier| &carrier.name)
    }

    /// What happened so far at the carriers that run.
    pub(super) fn counts(&self) -> Vec<(CarrierName, Counts)> {
        let running = self.carriers.iter();
        let counts = running.filter_map(|carrier| Some((carrier.name.clone(), carrier.handle.as_ref()?.counts())));
        counts.collect()
    }

    /// Ends the carrier called `name` as a killed process ends: no answer leaves any more, and nobody listens.
    pub(super) fn kill_carrier(&mut self, name: &CarrierName) {
        for carrier in self.carriers.iter_mut().filter(|carrier| carrier.name == *name) {
            if let Some(handle) = carrier.handle.take() {
                handle.kill();
            }
        }
    }

    /// Starts the carrier called `name` again; from its log it knows the receipts it owes.
    pub(super) async fn revive_carrier(&mut self, name: &CarrierName) -> anyhow::Result<()> {
        for carrier in self.carriers.iter_mut().filter(|carrier| carrier.name == *name) {
            carrier.handle = Some(Smsc::start(carrier.config.clone()).await?);
        }
        Ok(())
    }

    /// Makes `carrier` cheaper, by saving its rate sheet as a traffic engineer would. Returns the version of the table that this
    /// makes.
    pub(super) fn make_cheaper(&mut self, carrier: &CarrierName) -> anyhow::Result<String> {
        let dir = self.folder.path().join("table");
        world::write_rates(&dir, carrier, COVERAGE, self.seed, CHEAPER_PERCENT)?;
        let table = load(&dir)?;
        let version = table.version().to_owned();
        self.tables.push(table);
        Ok(version)
    }

    /// Drains the router as an operator would, with SIGTERM, and stops the carriers; returns where their logs are, for as
    /// long as this is kept.
    pub(super) async fn stop(&mut self) -> anyhow::Result<Vec<(CarrierName, PathBuf)>> {
        let stopped = self.cast.stop_all().await;
        if stopped.is_err() {
            self.cast.show_logs();
        }
        stopped?;
        let mut logs = Vec::new();
        for carrier in &mut self.carriers {
            if let Some(handle) = carrier.handle.take() {
                handle.stop().await;
            }
            let log = carrier.config.log.clone().context("every carrier keeps a log")?;
            logs.push((carrier.name.clone(), log));
        }
        Ok(logs)
    }

    /// Stops everything, and reads what the carriers wrote down.
    pub(super) async fn strike(mut self) -> anyhow::Result<Scene> {
        let logs = self.stop().await?.into_iter();
        let logs = logs.map(|(carrier, log)| Ok((carrier, read_log(&log)?)));
        let logs = logs.collect::<anyhow::Result<_>>()?;
        Ok(Scene {
            folder: self.folder,
            ground: self.ground,
            tables: self.tables,
            logs,
            began: self.began,
        })
    }
}

impl Carrier {
    /// Starts on a free port, and stays on it through later starts.
    async fn start(name: CarrierName, config: Config) -> anyhow::Result<Self> {
        let handle = Smsc::start(config.clone()).await?;
        let config = Config {
            listen: handle.addr(),
            ..config
        };
        Ok(Self {
            name,
            config,
            handle: Some(handle),
        })
    }
}

impl Scene {
    /// When carriers wrote down what they took.
    pub(super) fn arrivals(&self) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for (carrier, log) in &self.logs {
            log.iter().for_each(|received| arrivals.note(carrier, received));
        }
        arrivals
    }

    /// What the router wrote about the ends of messages.
    pub(super) async fn books(&self, trip: &Trip) -> anyhow::Result<Books> {
        let database = database(self.folder.path());
        let is_accepted = |id: &str| trip.accepted.contains_key(id);
        Books::read(&self.ground, &database, self.began, is_accepted).await
    }
}

fn ground(demo: &Demo) -> anyhow::Result<Ground> {
    match demo.bus {
        Bus::Embedded => Ok(Ground::Embedded),
        Bus::Kafka => {
            let help = "make demo BUS=kafka starts both";
            Ok(Ground::Apart {
                brokers: demo
                    .brokers
                    .clone()
                    .with_context(|| format!("--bus kafka needs --brokers; {help}"))?,
                redis: demo
                    .redis
                    .clone()
                    .with_context(|| format!("--bus kafka needs --redis; {help}"))?,
            })
        }
    }
}

/// What the links are, as fast as the carriers; where messages shall wait for them, limited.
fn plan_links(demo: &Demo, plot: Plot, carriers: &[Carrier], table: &Table) -> Vec<Link> {
    let rate_of_all = demo.scene.failover.then_some(demo.rate * RATE_SHARE_PERCENT / 100);
    let rates = demo.scene.campaign.map(|messages| {
        let names = carriers.iter().map(|carrier| carrier.name.clone());
        let now = Clock::wall().now();
        campaign::rates(table, names, campaign::letters(demo.seed), messages, now)
    });
    let link = |(place, carrier): (usize, &Carrier)| Link {
        carrier: carrier.name.clone(),
        address: carrier.config.listen,
        rate: rates
            .as_ref()
            .and_then(|rates| rates.get(&carrier.name).copied())
            .or(rate_of_all),
        concatenation: plot.concatenation(place),
        window: plot.window(),
    };
    carriers.iter().enumerate().map(link).collect()
}

/// Answers within some milliseconds and receipts within a second or two, as real carriers at their best.
///
/// Where the failover is measured answers take as long as those of a carrier far away, so that many messages are with the
/// one that dies.
fn behaviour(demo: &Demo) -> Behaviour {
    if demo.scene.waves {
        return waves::behaviour(demo.messages);
    }
    let answer = if demo.scene.failover { 100..300 } else { 2..8 };
    Behaviour {
        answer: Delay::Uniform(Duration::from_millis(answer.start), Duration::from_millis(answer.end)),
        receipt_delay: Delay::Exponential(Duration::from_millis(400)),
        ..Behaviour::default()
    }
}

fn load(dir: &Path) -> anyhow::Result<Table> {
    let (table, _warnings) = table::load(dir).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok(table)
}

impl Plot {
    const fn carriers(self) -> usize {
        match self {
            Self::Waves => waves::WAYS.len(),
            _ => 3,
        }
    }

    /// How the carrier at that place writes its ids.
    fn ids(self, place: usize) -> IdStyles {
        match self {
            Self::Waves => waves::ids(place),
            _ => IdStyles::default(),
        }
    }

    /// Parts that may be unanswered on a link.
    const fn window(self) -> u32 {
        match self {
            Self::Waves => waves::WINDOW,
            _ => 200,
        }
    }

    /// How long messages to the carrier at that place are cut.
    const fn concatenation(self, place: usize) -> &'static str {
        match self {
            Self::Waves => waves::WAYS[place],
            _ => "udh8",
        }
    }

    /// What routers are told of look-ups.
    const fn lookup_section(self) -> &'static str {
        match self {
            Self::Ported { looks_up: true } => ported::SECTION,
            Self::BadProvider { provider: Some(_) } => bad_provider::SECTION,
            _ => "",
        }
    }
}

/// Writes the table of `plot`, and whom to ask about numbers.
fn write_table(path: &Path, plot: Plot, carriers: &[Carrier], seed: u64) -> anyhow::Result<Table> {
    let names: Vec<_> = carriers.iter().map(|carrier| carrier.name.clone()).collect();
    let dir = path.join("table");
    match plot {
        Plot::Usual => write_usual(&dir, &names, seed)?,
        Plot::Ported { .. } => {
            ported::write_table(&dir, &names)?;
            ported::write_providers(path, seed)?;
        }
        Plot::Waves => land::write_table(&dir, &names, land::Reach::Own, waves::DEFAULTS)?,
        Plot::BadProvider { provider } => {
            bad_provider::write_table(&dir, &names)?;
            if let Some(address) = provider {
                bad_provider::write_providers(path, address)?;
            }
        }
    }
    load(&dir)
}

fn write_usual(dir: &Path, carriers: &[CarrierName], seed: u64) -> anyhow::Result<()> {
    world::write_table(dir, carriers, COVERAGE, seed)?;
    // A carrier goes dark with answers open. Sending those messages again at once, whatever their class, shows the
    // failover within the minute that a demonstration lasts.
    let table_toml = fs::read_to_string(dir.join("table.toml"))? + "on_unknown = \"resend\"\n";
    Ok(fs::write(dir.join("table.toml"), table_toml)?)
}
