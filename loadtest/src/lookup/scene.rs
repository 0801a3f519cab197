//! Numbers, a table that knows some of them, and chains.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc, time::Duration};

use anyhow::{Result, anyhow, ensure};
use lookup::{
    BreakerConfig, Chain, ChainConfig, ChainDeps, Limits, Portability, ProviderConfig, ProviderKind, Rates, Simulator,
    SimulatorConfig, Upstream,
};
use service::{Clock, Dice};
use sms::Msisdn;
use source::Secret;
use store::{MemoryStore, RedisConfig, RedisStore, Store};
use table::{LiveTable, Micros, Network, files::Files};

/// Numbers of one batch, as a router reads them, and of one call to the provider.
pub(crate) const BATCH: usize = 500;
/// Digits of a number after its country code.
const NATIONAL: u64 = 1_000_000_000;
/// Where numbers begin that are on the list; others begin below.
const LISTED: u64 = 500_000_000;

/// What all chains of a run share.
pub(crate) struct Scene {
    table: LiveTable,
    clock: Clock,
    networks: BTreeMap<String, Vec<Network>>,
}

impl Scene {
    /// A table whose list has `ported` numbers.
    ///
    /// # Errors
    /// More numbers than there are.
    pub(crate) fn new(ported: usize) -> Result<Self> {
        ensure!(
            (ported as u64) < NATIONAL - LISTED,
            "{ported} ported numbers asked, there are {}",
            NATIONAL - LISTED
        );
        let networks = ["20801", "20810", "20815", "20820"].map(|network| network.parse().expect("it is a network"));
        Ok(Self {
            table: LiveTable::new(table(ported)?),
            clock: Clock::wall(),
            networks: BTreeMap::from([("33".to_owned(), networks.into())]),
        })
    }

    /// A chain with one provider that answers after `latency`, and room for `numbers`.
    pub(crate) fn chain(&self, numbers: usize, latency: Duration, store: Option<Arc<dyn Store>>) -> Chain {
        self.chain_of(numbers, vec![self.upstream(latency)], store)
    }

    /// A chain that asks nobody but the store.
    pub(crate) fn chain_of_store(&self, numbers: usize, store: Arc<dyn Store>) -> Chain {
        self.chain_of(numbers, Vec::new(), Some(store))
    }

    /// The time, for a batch.
    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    fn chain_of(&self, numbers: usize, upstreams: Vec<Upstream>, store: Option<Arc<dyn Store>>) -> Chain {
        let mut config = ChainConfig {
            numbers_max: numbers,
            secret: store.is_some().then(|| Secret::new("of a measurement")),
            store_timeout: Duration::from_secs(2),
            ..ChainConfig::default()
        };
        // A Redis that is given has nothing of it left the next day.
        config.ttls.network = Duration::from_secs(3_600);
        let nowhere = || -> Arc<dyn Store> { Arc::new(MemoryStore::new(self.clock.as_millis_fn())) };
        let deps = ChainDeps {
            store: store.unwrap_or_else(nowhere),
            numbering: Arc::new(self.table.clone()),
            portability: Arc::new(Portability::new(Rates::default())),
            clock: self.clock.clone(),
            dice: Dice::seeded(1),
        };
        Chain::new(config, upstreams, deps)
    }

    fn upstream(&self, latency: Duration) -> Upstream {
        let simulator = SimulatorConfig {
            seed: 1,
            latency,
            ported: 0.2,
            networks: self.networks.clone(),
            ..SimulatorConfig::default()
        };
        let config = ProviderConfig {
            name: "simulated".to_owned(),
            price: Micros(2_000),
            is_authoritative: true,
            numbers_max: BATCH,
            rate: None,
            calls_max: 10_000,
            timeout: Duration::from_secs(2),
            breaker: BreakerConfig::default(),
            kind: ProviderKind::Simulator(Box::new(simulator.clone())),
        };
        Upstream {
            limits: Limits::of(&config),
            provider: Arc::new(Simulator::new(&config, &simulator, Dice::seeded(2))),
        }
    }
}

/// The number of the `at`th subscriber, not on the list.
pub(crate) fn number(at: usize) -> Msisdn {
    national(at as u64 % LISTED)
}

/// The `at`th number on the list.
pub(crate) fn listed(at: usize) -> Msisdn {
    national(LISTED + at as u64)
}

fn national(national: u64) -> Msisdn {
    Msisdn::new(&format!("33{national:09}")).expect("it has eleven digits")
}

fn table(ported: usize) -> Result<table::Table> {
    let mut files = Files::default();
    files.insert(
        "table.toml",
        "name = \"lookup\"\ncurrency = \"EUR\"\n[defaults]\nstrategy = \"least_cost\"\n",
    );
    files.insert("carriers.toml", "[[carrier]]\nname = \"a\"\ncurrency = \"EUR\"\n");
    files.insert("policies.toml", "");
    files.insert("rates/a.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.04,,\n");
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
    );
    let mut list = String::from("msisdn,mcc,mnc\n");
    for at in 0..ported {
        writeln!(list, "{},208,10", listed(at).digits()).expect("writing to a string does not fail");
    }
    files.insert("ported.csv", list);
    let built = table::build(&files).map_err(|problems| anyhow!("the table is refused:\n{problems}"))?;
    Ok(built.0)
}

/// The store in the Redis at `url`.
///
/// # Errors
/// It is away, or holds something: nothing is measured in a store that is in use.
pub(crate) async fn redis(url: &str, clock: &Clock) -> Result<Arc<dyn Store>> {
    let store = RedisStore::new(RedisConfig {
        url: url.to_owned(),
        ca: None,
        certificate: None,
        key: None,
        clock: clock.as_millis_fn(),
    })?;
    let in_use = || anyhow!("the Redis is in use: give one that is fresh");
    let rebuild = store.rebuild().await?.ok_or_else(in_use)?;
    ensure!(rebuild.store().scan("", None, 1).await?.is_empty(), in_use());
    rebuild.finish().await?;
    Ok(Arc::new(store))
}
