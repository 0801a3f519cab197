//! What is broken: brokers, Redis, a disk, wires to carriers, and the processes of the router.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use backing::{Kafka, KafkaOptions, KafkaSpeed, Redis, RedisOptions, RedisPersistence};
use service::Clock;
use sms::{CarrierName, UnixMs};
use tempfile::TempDir;

use super::{
    args::{Args, Bus},
    enclave::{Enclave, SmallDisk},
    relay::Relay,
};
use crate::{
    smsc::{Behaviour, Config, Delay, Handle, Smsc},
    stage::{Cast, Ground, Link, Part, Roles, database, handed_over, land, program, wait_for_links, write},
    submit::Target,
    world,
};

/// Carriers, and with them networks.
pub(super) const CARRIERS: usize = 3;
/// Processes of each role, where they run apart.
pub(super) const OF_EACH_ROLE: usize = 2;
/// From so many minutes on brokers may take their time to become fast.
const WARM_MINUTES: f64 = 5.0;
/// Parts that may be unanswered on a link.
const WINDOW: u32 = 200;
/// Room on the small disk beside what messages take, and what each of these takes at the most, in octets.
const DISK_OCTETS: u64 = 1 << 30;
const MESSAGE_OCTETS: u64 = 8 << 10;

/// A carrier and the wire to it.
pub(super) struct Carrier {
    pub(super) name: CarrierName,
    pub(super) log: PathBuf,
    pub(super) wire: Relay,
    handle: Handle,
}

/// Everything, running.
pub(super) struct Rig {
    // Ahead of what they run on.
    pub(super) cast: Cast,
    pub(super) parts: Vec<Part>,
    pub(super) carriers: Vec<Carrier>,
    pub(super) kafka: Option<Arc<Kafka>>,
    pub(super) redis: Option<Arc<Redis>>,
    pub(super) disk: Option<Arc<SmallDisk>>,
    pub(super) ground: Ground,
    pub(super) targets: Vec<Target>,
    /// When this run began: what is older on the log belongs to another.
    pub(super) began: UnixMs,
    folder: PathBuf,
    _temporary: Option<TempDir>,
}

impl Rig {
    /// Starts everything, and waits until messages are taken.
    ///
    /// # Errors
    /// Something cannot be had or started; nothing is left running.
    pub(super) async fn start(args: &Args, enclave: Enclave) -> anyhow::Result<Self> {
        let program = program(args.signalbox.as_deref())?;
        let (folder, temporary) = folder(args.keep.as_deref())?;
        let began = Clock::wall().now();
        let disk = match (args.bus, enclave.is_own) {
            (Bus::Embedded, true) => Some(Arc::new(small_disk(&folder, args)?)),
            _ => None,
        };
        let (kafka, redis) = match args.bus {
            Bus::Embedded => (None, None),
            Bus::Kafka => backing(args.minutes).await?,
        };
        let ground = match (&kafka, &redis) {
            (Some(kafka), Some(redis)) => Ground::Apart {
                brokers: kafka.bootstrap(),
                redis: redis.url(),
            },
            _ => Ground::Embedded,
        };
        let carriers = carriers(&folder, args.seed).await?;
        let names: Vec<_> = carriers.iter().map(|carrier| carrier.name.clone()).collect();
        let defaults = format!("{}attempts = 5\n", land::DEFAULTS);
        land::write_table(&folder.join("table"), &names, land::Reach::All, &defaults)?;
        let roles = Roles {
            ingests: free_addresses(OF_EACH_ROLE)?,
            routers: OF_EACH_ROLE,
            connectors: Some(OF_EACH_ROLE),
        };
        let links: Vec<_> = carriers.iter().map(Carrier::link).collect();
        let mut parts = write(&folder, &ground, "", &links, &roles)?;
        for (number, part) in parts.iter_mut().enumerate() {
            part.user = enclave.user(number);
        }
        // Processes run as users of their own.
        open_to_all(&folder)?;
        let cast = Cast::start(&program, &folder, &parts).await?;
        if let Ground::Apart { brokers, .. } = &ground {
            wait_for_links(brokers, names.into_iter().collect(), began).await?;
        }
        let targets = match ground {
            Ground::Embedded => &roles.ingests[..1],
            Ground::Apart { .. } => &roles.ingests[..],
        };
        let targets = targets.iter().map(|address| Target::try_from(*address));
        Ok(Self {
            cast,
            parts,
            carriers,
            kafka,
            redis,
            disk,
            targets: targets.collect::<Result<_, _>>()?,
            ground,
            began,
            folder,
            _temporary: temporary,
        })
    }

    /// Where the router's database is, if it has one.
    pub(super) fn database(&self) -> PathBuf {
        database(&self.folder)
    }

    /// Waits until carriers have handed over all receipts.
    pub(super) async fn receipts_handed_over(&self) {
        let are_waiting = |carrier: &Carrier| carrier.handle.counts().receipts_waiting > 0;
        handed_over(|| self.carriers.iter().any(are_waiting)).await;
    }

    /// Drains every process and stops the carriers; returns what did not end in good order.
    pub(super) async fn stop(&mut self) -> Vec<String> {
        let mut wrong = Vec::new();
        let names: Vec<_> = self.parts.iter().map(|part| part.name.clone()).collect();
        for name in names {
            if let Err(error) = self.cast.stop(&name).await {
                wrong.push(format!("{error:#}"));
            }
        }
        wrong
    }

    /// Stops the carriers, and returns their logs.
    pub(super) async fn stop_carriers(&mut self) -> Vec<(CarrierName, PathBuf)> {
        let mut logs = Vec::new();
        for carrier in self.carriers.drain(..) {
            carrier.handle.stop().await;
            logs.push((carrier.name, carrier.log));
        }
        logs
    }
}

impl Carrier {
    fn link(&self) -> Link {
        Link {
            carrier: self.name.clone(),
            address: self.wire.address(),
            rate: None,
            concatenation: "udh8",
            window: WINDOW,
        }
    }
}

fn folder(keep: Option<&Path>) -> anyhow::Result<(PathBuf, Option<TempDir>)> {
    let Some(path) = keep else {
        let folder = tempfile::Builder::new().prefix("signalbox-chaos-").tempdir()?;
        return Ok((folder.path().to_owned(), Some(folder)));
    };
    ensure!(
        !path.join("table").exists(),
        "{} holds an earlier run: give another folder",
        path.display()
    );
    fs::create_dir_all(path)?;
    Ok((fs::canonicalize(path)?, None))
}

fn small_disk(folder: &Path, args: &Args) -> anyhow::Result<SmallDisk> {
    let messages = (args.minutes * 60.0 * f64::from(args.rate)) as u64;
    let octets = DISK_OCTETS + messages * MESSAGE_OCTETS;
    SmallDisk::mount(folder, &folder.join("data"), octets).context("a small disk for the log")
}

type Backing = (Option<Arc<Kafka>>, Option<Arc<Redis>>);

async fn backing(minutes: f64) -> anyhow::Result<Backing> {
    let speed = match minutes >= WARM_MINUTES {
        true => KafkaSpeed::Peak,
        false => KafkaSpeed::Start,
    };
    let mut starting = service::Tasks::new();
    starting.spawn_blocking(move || -> anyhow::Result<Backing> {
        let kafka = Kafka::start(KafkaOptions {
            brokers: 3,
            speed,
            ..KafkaOptions::default()
        });
        let redis = Redis::start(RedisOptions {
            persistence: RedisPersistence::EverySecond,
            ..RedisOptions::default()
        });
        Ok((
            Some(Arc::new(kafka.context("Kafka")?)),
            Some(Arc::new(redis.context("Redis")?)),
        ))
    });
    starting.join_next().await.context("a task was begun")??
}

async fn carriers(folder: &Path, seed: u64) -> anyhow::Result<Vec<Carrier>> {
    let logs = folder.join("carriers");
    fs::create_dir_all(&logs)?;
    let mut carriers = Vec::new();
    for (number, name) in world::carriers(CARRIERS)?.into_iter().enumerate() {
        let log = logs.join(format!("{name}.log"));
        let config = Config {
            name: name.to_string(),
            log: Some(log.clone()),
            seed: seed.wrapping_add(number as u64),
            keep_max: 0,
            behaviour: Behaviour {
                answer: Delay::Uniform(Duration::from_millis(2), Duration::from_millis(8)),
                receipt_delay: Delay::Exponential(Duration::from_millis(400)),
                ..Behaviour::default()
            },
            ..Config::default()
        };
        let handle = Smsc::start(config).await?;
        let wire = Relay::start(handle.addr()).await?;
        carriers.push(Carrier {
            name,
            log,
            wire,
            handle,
        });
    }
    Ok(carriers)
}

/// Addresses that were free a moment ago, and stay the same over restarts.
fn free_addresses(count: usize) -> anyhow::Result<Vec<SocketAddr>> {
    let listeners = (0..count).map(|_| TcpListener::bind(("127.0.0.1", 0)));
    let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
    let addresses = listeners.iter().map(TcpListener::local_addr);
    Ok(addresses.collect::<Result<_, _>>()?)
}

fn open_to_all(folder: &Path) -> anyhow::Result<()> {
    for place in [folder.to_owned(), folder.join("data")] {
        if place.is_dir() {
            fs::set_permissions(place, fs::Permissions::from_mode(0o777))?;
        }
    }
    Ok(())
}
