//! What a provider needs to know, as values.

use std::{sync::Arc, time::Duration};

use service::Dice;
use table::Micros;

use super::{
    EnumConfig, EnumProvider, GrpcConfig, GrpcProvider, HttpConfig, HttpProvider, Provider, Simulator, SimulatorConfig,
    Terms,
};

/// Providers of one chain.
pub(super) const PROVIDERS_MAX: usize = 16;
/// Numbers of one call.
pub(super) const NUMBERS_MAX: u32 = 500;
/// Numbers of one call to a provider that takes several and does not say how many.
pub(super) const NUMBERS_DEFAULT: u32 = 100;
/// Numbers a second that a provider is asked.
pub(super) const RATE_MAX: u32 = 1_000_000;
/// Calls to one provider at a time.
pub(super) const CALLS_MAX: u32 = 10_000;
/// Calls at a time to a provider that does not say: with 100 ms a call, a thousand a second.
pub(super) const CALLS_DEFAULT: u32 = 100;
/// Longest wait for one call to a provider that does not say: the longest budget of a message.
pub(super) const TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);

/// A provider, and how it is to be asked. They are asked in the order in which they are written.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// Its name, for logs and metrics.
    pub name: String,
    /// What asking about one number costs, in the table's currency.
    pub price: Micros,
    /// Whether its word that a number is dead ends messages to it.
    pub is_authoritative: bool,
    /// Most numbers of one call; 1 for those that take no more.
    pub numbers_max: usize,
    /// Numbers a second; `None` = no limit.
    pub rate: Option<u32>,
    /// Calls at a time.
    pub calls_max: u32,
    /// Longest wait for one call, whatever the message's budget.
    pub timeout: Duration,
    /// When it is left alone.
    pub breaker: BreakerConfig,
    /// What is behind it.
    pub kind: ProviderKind,
}

/// When a provider that fails is left alone, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row.
    pub failures: u32,
    /// The first pause; each one after a failed probe is twice as long.
    pub pause: Duration,
    /// The longest pause.
    pub pause_max: Duration,
}

/// What is behind a provider.
#[derive(Clone, Debug)]
pub enum ProviderKind {
    /// Somebody who answers JSON over HTTP.
    Http(Box<HttpConfig>),
    /// Somebody who speaks `HlrService`.
    Grpc(Box<GrpcConfig>),
    /// Servers of DNS.
    Enum(Box<EnumConfig>),
    /// Nobody: its answers are made up in this process.
    Simulator(Box<SimulatorConfig>),
}

/// Why a provider cannot be made. Names no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("provider {name}: {why}")]
pub struct BuildError {
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub why: String,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 5,
            pause: Duration::from_secs(5),
            pause_max: Duration::from_secs(300),
        }
    }
}

impl Terms {
    /// Those of a provider of which one call takes `numbers_max` numbers.
    pub(super) fn of(config: &ProviderConfig, numbers_max: usize) -> Self {
        Self {
            name: config.name.clone(),
            price: config.price,
            is_authoritative: config.is_authoritative,
            numbers_max: numbers_max.max(1),
        }
    }
}

impl ProviderConfig {
    /// Makes the provider. Nothing is connected yet, so one that is away is no error. To be called within a runtime.
    /// What is random about it is drawn from `dice`.
    ///
    /// # Errors
    /// Certificates that are not there or not what they should be.
    pub fn build(&self, dice: &Dice) -> Result<Arc<dyn Provider>, BuildError> {
        match &self.kind {
            ProviderKind::Http(http) => Ok(Arc::new(HttpProvider::new(self, http)?)),
            ProviderKind::Simulator(simulator) => Ok(Arc::new(Simulator::new(self, simulator, dice.fork()))),
            ProviderKind::Enum(dns) => Ok(Arc::new(EnumProvider::new(self, dns)?)),
            ProviderKind::Grpc(grpc) => Ok(Arc::new(GrpcProvider::new(self, grpc)?)),
        }
    }
}
