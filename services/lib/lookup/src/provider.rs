//! Somebody who knows networks of numbers.

mod config;
mod enum_dns;
mod grpc;
mod http;
mod read;
mod simulator;

use std::time::Duration;

use futures::future::BoxFuture;
use sms::Msisdn;
use table::{Micros, Network};

pub use config::{BreakerConfig, BuildError, ProviderConfig, ProviderKind};
pub use enum_dns::{EnumConfig, EnumProvider};
pub use grpc::{GrpcConfig, GrpcProvider, HlrServer, HlrServerConfig, HlrServerError};
pub use http::{HttpConfig, HttpProvider};
pub use read::read_providers;
pub use simulator::{Simulator, SimulatorConfig};

use crate::Reach;

/// Longest that a reply holds, whatever the provider says: numbers move.
pub const TTL_MAX: Duration = Duration::from_secs(30 * 86_400);
/// Longest pause that a provider may ask for; who wants more is looked after by the breaker.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(86_400);

/// Somebody who knows networks of numbers. Keeps no time and no rate by itself: whoever asks drops the future when its budget
/// is spent, and nothing goes on after that.
pub trait Provider: Send + Sync {
    /// What it is called, and on what it is asked.
    fn terms(&self) -> &Terms;

    /// Asks about up to [`Terms::numbers_max`] numbers; gives one result for each, in their order.
    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>>;
}

/// What a provider is called, and on what it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its name in configuration, logs and metrics.
    pub name: String,
    /// What asking about one number costs, in the table's currency, unless the reply says.
    pub price: Micros,
    /// Whether its word that a number is dead ends messages to it.
    pub is_authoritative: bool,
    /// Most numbers of one call, from 1.
    pub numbers_max: usize,
}

/// What a provider says about a number. One that says nothing at all does not know it, which is no failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The network that serves it; `None` = it did not say.
    pub network: Option<Network>,
    /// Whether it was ported; `None` = it did not say.
    pub ported: Option<bool>,
    /// Whether its handset can be reached.
    pub reach: Reach,
    /// Whether its handset is abroad; `None` = it did not say.
    pub roaming: Option<bool>,
    /// How long the reply holds, up to [`TTL_MAX`]; `None` = it did not say.
    pub ttl: Option<Duration>,
    /// What it cost; `None` = the provider's price.
    pub cost: Option<Micros>,
}

/// Why a provider said nothing of use. Names no number and no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It cannot be reached, or broke off.
    #[error("away: {0}")]
    Away(String),
    /// It wants fewer questions.
    #[error("busy: {why}")]
    Busy {
        /// What it said.
        why: String,
        /// How long not to ask again, up to [`RETRY_AFTER_MAX`]; `None` = it did not say.
        retry_after: Option<Duration>,
    },
    /// It will not answer until somebody mends its configuration or pays its bill.
    #[error("refused: {0}")]
    Refused(String),
    /// It answered something that is no answer to the question.
    #[error("garbled: {0}")]
    Garbled(String),
    /// It is well, but could not find out about this number just now.
    #[error("undecided: {0}")]
    Undecided(String),
}

impl Failure {
    /// Every word of [`Failure::as_str`].
    pub const WORDS: [&str; 5] = ["away", "busy", "refused", "garbled", "undecided"];

    /// The word used in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::Busy { .. } => "busy",
            Self::Refused(_) => "refused",
            Self::Garbled(_) => "garbled",
            Self::Undecided(_) => "undecided",
        }
    }

    /// Whether the next number would fare no better: what a breaker counts.
    pub const fn blames_provider(&self) -> bool {
        match self {
            Self::Away(_) | Self::Refused(_) | Self::Garbled(_) => true,
            Self::Busy { .. } | Self::Undecided(_) => false,
        }
    }
}
