//! What a chain needs to know, as values.

use std::{sync::Arc, time::Duration};

use service::{Clock, Dice};
use source::Secret;
use store::Store;

use crate::{BreakerConfig, Numbering, Portability, Provider, ProviderConfig};

/// Numbers kept in memory where nobody says how many: 25 octets each.
const NUMBERS_DEFAULT: usize = 1_000_000;
/// Numbers that are asked about at a time where nobody says how many.
const QUERIES_DEFAULT: usize = 100_000;
/// Stale numbers that are asked about again at a time.
const REFRESHES_DEFAULT: usize = 1_000;
/// Longest wait for the shared store: one that takes longer spares no query.
const STORE_TIMEOUT: Duration = Duration::from_millis(100);

/// How a chain works.
#[derive(Clone, Debug)]
pub struct ChainConfig {
    /// Numbers kept in memory, 25 octets each; rounded up to the next power of two. Of more, those that were not asked for of
    /// late make room.
    pub numbers_max: usize,
    /// Numbers that are asked about at a time; of more, the numbering plan answers.
    pub queries_max: usize,
    /// Of those, stale ones that nobody waits for.
    pub refreshes_max: usize,
    /// Longest wait for the shared store, whatever the budget.
    pub store_timeout: Duration,
    /// Makes keys of the shared store that tell nobody else the number; the same in all processes. `None` = the shared store is
    /// not used.
    pub secret: Option<Secret>,
    /// How long answers hold.
    pub ttls: Ttls,
}

/// How long answers hold, where no provider says: each for up to a tenth longer or less, so that those that were asked
/// together are not too old together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ttls {
    /// The network. For as long again it is stale: given at once, and asked anew behind.
    pub network: Duration,
    /// Whether the handset can be reached, and whether it is abroad.
    pub reach: Duration,
    /// That no network serves the number.
    pub dead: Duration,
    /// That nobody knows the network.
    pub nothing: Duration,
    /// That whoever was asked failed.
    pub failure: Duration,
}

/// A provider, and how it is to be asked.
#[derive(Clone)]
pub struct Upstream {
    /// Whom to ask.
    pub provider: Arc<dyn Provider>,
    /// Within which limits.
    pub limits: Limits,
}

/// How a provider is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Numbers a second; `None` = no limit.
    pub rate: Option<u32>,
    /// Calls at a time, from 1.
    pub calls_max: u32,
    /// Longest wait for one call.
    pub timeout: Duration,
    /// When it is left alone.
    pub breaker: BreakerConfig,
}

/// What a chain reaches outside itself.
#[derive(Clone)]
pub struct ChainDeps {
    /// The shared store. The chain waits for no commit and adopts no epoch: while the handle's is lost, the store has no answers.
    pub store: Arc<dyn Store>,
    /// What the routing table says of numbers.
    pub numbering: Arc<dyn Numbering>,
    /// Learns from every answer of a provider.
    pub portability: Arc<Portability>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub dice: Dice,
}

impl Default for ChainConfig {
    fn default() -> Self {
        Self {
            numbers_max: NUMBERS_DEFAULT,
            queries_max: QUERIES_DEFAULT,
            refreshes_max: REFRESHES_DEFAULT,
            store_timeout: STORE_TIMEOUT,
            secret: None,
            ttls: Ttls::default(),
        }
    }
}

impl Default for Ttls {
    fn default() -> Self {
        Self {
            network: Duration::from_secs(7 * 24 * 3_600),
            reach: Duration::from_secs(600),
            dead: Duration::from_secs(24 * 3_600),
            nothing: Duration::from_secs(3_600),
            failure: Duration::from_secs(45),
        }
    }
}

impl Limits {
    /// Those of `config`.
    pub fn of(config: &ProviderConfig) -> Self {
        Self {
            rate: config.rate,
            calls_max: config.calls_max,
            timeout: config.timeout,
            breaker: config.breaker,
        }
    }
}
