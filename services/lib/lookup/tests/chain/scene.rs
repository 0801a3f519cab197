//! A chain with providers that answer what the test says, under virtual time.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::future::{BoxFuture, FutureExt};
use lookup::{
    BreakerConfig, Chain, ChainConfig, ChainDeps, Failure, Limits, Numbering, Portability, Provider, Rates, Reply,
    Terms, Upstream,
};
use service::{Clock, Dice, time, time::Instant};
use sms::{Msisdn, UnixMs};
use source::Secret;
use store::{MemoryStore, Store};
use table::{Micros, Network};

/// 2026-01-01.
pub(crate) const START: UnixMs = UnixMs(1_767_225_600_000);
/// What every provider charges.
pub(crate) const PRICE: Micros = Micros(4_000);

type Script = dyn Fn(&Msisdn) -> Result<Reply, Failure> + Send + Sync;

/// A provider that answers by a script after a while.
pub(crate) struct Scripted {
    terms: Terms,
    latency: Duration,
    script: Mutex<Box<Script>>,
    calls: Mutex<Vec<(Instant, Vec<Msisdn>)>>,
}

impl Scripted {
    /// Answers after 100 ms, one number at a time.
    pub(crate) fn new(
        name: &'static str,
        script: impl Fn(&Msisdn) -> Result<Reply, Failure> + Send + Sync + 'static,
    ) -> Self {
        Self {
            terms: Terms {
                name: name.to_owned(),
                price: PRICE,
                is_authoritative: true,
                numbers_max: 1,
            },
            latency: Duration::from_millis(100),
            script: Mutex::new(Box::new(script)),
            calls: Mutex::default(),
        }
    }

    /// Says that `network` serves every number.
    pub(crate) fn knows(name: &'static str, network: &'static str) -> Self {
        Self::new(name, move |_| Ok(served_by(network)))
    }

    /// Is away.
    pub(crate) fn away(name: &'static str) -> Self {
        Self::new(name, |_| Err(Failure::Away("no link".to_owned())))
    }

    /// Answers after `latency`.
    pub(crate) fn after_ms(mut self, latency: u64) -> Self {
        self.latency = Duration::from_millis(latency);
        self
    }

    /// Takes `numbers_max` numbers at a time.
    pub(crate) fn in_batches_of(mut self, numbers_max: usize) -> Self {
        self.terms.numbers_max = numbers_max;
        self
    }

    /// Is not believed when it says that a number is dead.
    pub(crate) fn without_authority(mut self) -> Self {
        self.terms.is_authoritative = false;
        self
    }

    /// From now on answers by another script.
    pub(crate) fn turns_to(&self, script: impl Fn(&Msisdn) -> Result<Reply, Failure> + Send + Sync + 'static) {
        *self.script() = Box::new(script);
    }

    /// A script may panic.
    fn script(&self) -> MutexGuard<'_, Box<Script>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers that it was asked about.
    pub(crate) fn asked(&self) -> usize {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|(_, numbers)| numbers.len())
            .sum()
    }

    /// Sizes of its calls.
    pub(crate) fn calls(&self) -> Vec<usize> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|(_, numbers)| numbers.len())
            .collect()
    }

    /// When its calls began.
    pub(crate) fn times(&self) -> Vec<Instant> {
        self.calls.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }
}

impl Provider for Scripted {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        self.calls.lock().unwrap().push((time::now(), numbers.to_vec()));
        async move {
            time::sleep(self.latency).await;
            numbers.iter().map(|number| (self.script())(number)).collect()
        }
        .boxed()
    }
}

/// A list of ported numbers; the plan knows France alone.
#[derive(Default)]
pub(crate) struct Book(pub(crate) BTreeMap<Msisdn, Network>);

impl Numbering for Book {
    fn moved(&self, number: &Msisdn) -> Option<Network> {
        self.0.get(number).copied()
    }

    fn planned(&self, _: &Msisdn) -> Option<Network> {
        Some(network("20801"))
    }

    fn may_serve(&self, network: Network, _: &Msisdn) -> bool {
        network.to_string().starts_with("208")
    }
}

/// What a chain is made of.
pub(crate) struct Scene {
    pub(crate) config: ChainConfig,
    pub(crate) limits: Limits,
    pub(crate) book: Book,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) portability: Arc<Portability>,
    pub(crate) clock: Clock,
}

impl Default for Scene {
    fn default() -> Self {
        let clock = Clock::starting_at(START);
        Self {
            config: ChainConfig {
                numbers_max: 10_000,
                secret: Some(Secret::new("correct horse battery staple")),
                ..ChainConfig::default()
            },
            limits: Limits {
                rate: None,
                calls_max: 1_000,
                timeout: Duration::from_secs(2),
                breaker: BreakerConfig::default(),
            },
            book: Book::default(),
            store: Arc::new(MemoryStore::new(clock.as_millis_fn())),
            portability: Arc::new(Portability::new(Rates::default())),
            clock,
        }
    }
}

impl Scene {
    /// A chain of `providers`.
    pub(crate) fn chain<'a>(&self, providers: impl IntoIterator<Item = &'a Arc<Scripted>>) -> Chain {
        let upstream = |provider: &Arc<Scripted>| Upstream {
            provider: Arc::<Scripted>::clone(provider),
            limits: self.limits,
        };
        let deps = ChainDeps {
            store: Arc::clone(&self.store),
            numbering: Arc::new(Book(self.book.0.clone())),
            portability: Arc::clone(&self.portability),
            clock: self.clock.clone(),
            dice: Dice::seeded(7),
        };
        Chain::new(self.config.clone(), providers.into_iter().map(upstream).collect(), deps)
    }
}

/// The number of the `at`th subscriber.
pub(crate) fn number(at: usize) -> Msisdn {
    Msisdn::new(&format!("336{at:08}")).unwrap()
}

/// The first `count` subscribers.
pub(crate) fn numbers(count: usize) -> Vec<Msisdn> {
    (0..count).map(number).collect()
}

pub(crate) fn network(text: &str) -> Network {
    text.parse().unwrap()
}

/// A reply that names the network alone.
pub(crate) fn served_by(text: &str) -> Reply {
    Reply {
        network: Some(network(text)),
        ..Reply::default()
    }
}

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
