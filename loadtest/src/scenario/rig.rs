//! What a scenario is played on: the processes of the router, carriers and a provider of look-ups in this process, and what they
//! stand on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use backing::{Kafka, Redis};
use service::Clock;
use sms::{CarrierName, UnixMs};
use tempfile::TempDir;

use super::{
    provider::{self, Running},
    spec::{Carrier, Change, Event, Scenario},
};
use crate::{
    chaos::args::Bus,
    smsc::{Config, Handle, Smsc},
    stage::{Cast, Ground, Link, Roles, database, handed_over, land, start_backing, wait_for_links, write},
};

/// Everything, running.
pub(super) struct Rig {
    // Ahead of what they run on.
    pub(super) cast: Cast,
    carriers: Vec<Played>,
    provider: Option<Running>,
    pub(super) ground: Ground,
    /// When this run began: what is older on the log belongs to another.
    pub(super) began: UnixMs,
    folder: TempDir,
    _backing: Option<(Kafka, Redis)>,
}

/// A carrier that runs.
struct Played {
    carrier: Carrier,
    log: PathBuf,
    handle: Handle,
}

impl Rig {
    /// Starts everything for `scenario` with the router of `program`, and waits until messages are taken.
    ///
    /// # Errors
    /// Something cannot be had or started; nothing is left running.
    pub(super) async fn start(program: &Path, scenario: &Scenario) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("signalbox-scenario-").tempdir()?;
        let backing = match scenario.bus {
            Bus::Embedded => None,
            Bus::Kafka => Some(start_backing().await?),
        };
        let ground = Ground::of(backing.as_ref());
        let began = Clock::wall().now();
        let carriers = play_all(folder.path(), scenario).await?;
        write_table(&folder.path().join("table"), scenario)?;
        let (count, seed) = (carriers.len(), scenario.seed);
        let provider = scenario.lookup.as_ref();
        let provider = provider.map(|lookup| Running::start(folder.path(), lookup, count, seed));
        let provider = provider.transpose()?;
        let roles = Roles {
            routers: 1,
            connectors: Some(1),
            ..Roles::default()
        };
        let links: Vec<_> = carriers.iter().map(Played::link).collect();
        let section = provider.as_ref().map_or("", |_| provider::SECTION);
        let parts = write(folder.path(), &ground, section, &links, &roles)?;
        let cast = Cast::start(program, folder.path(), &parts).await?;
        if let Ground::Apart { brokers, .. } = &ground {
            let names = carriers.iter().map(|played| played.carrier.name.clone());
            wait_for_links(brokers, names.collect(), began).await?;
        }
        Ok(Self {
            cast,
            carriers,
            provider,
            ground,
            began,
            folder,
            _backing: backing,
        })
    }

    /// Where the router's database is, if it has one.
    pub(super) fn database(&self) -> PathBuf {
        database(self.folder.path())
    }

    /// Begins `event`.
    pub(super) fn begin(&self, event: &Event) {
        match &event.change {
            Change::Carrier(place, behaviour) => self.carriers[*place].handle.set_behaviour((**behaviour).clone()),
            Change::LinksCut(place) => self.carriers[*place].handle.set_open(false),
            Change::LookUp(manner) => self.provider.iter().for_each(|provider| provider.set(*manner)),
        }
    }

    /// Ends `event` of `scenario`: all is as usual again.
    pub(super) fn end(&self, event: &Event, scenario: &Scenario) {
        match &event.change {
            Change::Carrier(place, _) => {
                let Played { carrier, handle, .. } = &self.carriers[*place];
                handle.set_behaviour(carrier.behaviour.clone());
            }
            Change::LinksCut(place) => self.carriers[*place].handle.set_open(true),
            Change::LookUp(_) => {
                let usual = scenario.lookup.as_ref().map(|lookup| lookup.manner);
                self.provider
                    .iter()
                    .zip(usual)
                    .for_each(|(provider, usual)| provider.set(usual));
            }
        }
    }

    /// Waits until carriers have handed over all receipts.
    pub(super) async fn receipts_handed_over(&self) {
        let are_waiting = |played: &Played| played.handle.counts().receipts_waiting > 0;
        handed_over(|| self.carriers.iter().any(are_waiting)).await;
    }

    /// Stops the carriers, and returns their logs.
    pub(super) async fn stop_carriers(&mut self) -> Vec<(CarrierName, PathBuf)> {
        let mut logs = Vec::new();
        for Played { carrier, log, handle } in self.carriers.drain(..) {
            handle.stop().await;
            logs.push((carrier.name, log));
        }
        logs
    }
}

impl Played {
    fn link(&self) -> Link {
        Link {
            carrier: self.carrier.name.clone(),
            address: self.handle.addr(),
            rate: self.carrier.link_rate,
            concatenation: "udh8",
            window: self.carrier.window,
        }
    }
}

async fn play_all(folder: &Path, scenario: &Scenario) -> anyhow::Result<Vec<Played>> {
    let logs = folder.join("carriers");
    fs::create_dir_all(&logs)?;
    let mut all = Vec::new();
    for (number, carrier) in (0..).zip(&scenario.carriers) {
        let log = logs.join(format!("{}.log", carrier.name));
        let handle = Smsc::start(Config {
            log: Some(log.clone()),
            seed: scenario.seed.wrapping_add(number),
            keep_max: 0,
            behaviour: carrier.behaviour.clone(),
            ..Config::default()
        });
        all.push(Played {
            handle: handle.await?,
            carrier: carrier.clone(),
            log,
        });
    }
    Ok(all)
}

/// The table of the invented country, with the defaults and the prices that the scenario has.
fn write_table(dir: &Path, scenario: &Scenario) -> anyhow::Result<()> {
    let names: Vec<_> = scenario.carriers.iter().map(|carrier| carrier.name.clone()).collect();
    land::write_table(dir, &names, land::Reach::All, &scenario.defaults)?;
    for carrier in &scenario.carriers {
        if let Some(price) = &carrier.price {
            let sheet = format!("mcc,mnc,prefix,price,from,until\n999,,,{price},,\n");
            fs::write(dir.join(format!("rates/{}.csv", carrier.name)), sheet)?;
        }
    }
    Ok(())
}
