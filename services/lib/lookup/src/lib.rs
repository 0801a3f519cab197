//! Who serves a number: what is known of it, and whom to ask.
//!
//! A number's prefix says which network it was given out by, not which one serves it now. An [`Answer`] says that, how sure
//! it is, how old, and what it cost; a [`Provider`] is somebody who sells or gives such answers. Which providers there are is
//! written in `providers.toml`: [`read_providers`] reads it, [`ProviderConfig::build`] makes them.
//!
//! A [`Chain`] asks them in order, and whoever may know for nothing before them: memory, the list of ported numbers, the shared
//! store.
//!
//! Answers cost money, and most of them change nothing. `table::Table::stake` says what one could change, [`Portability`] how often
//! it would, and [`matters`] whether that is worth the price.

mod answer;
mod chain;
pub mod metrics;
mod portability;
mod provider;
mod share;
mod verdict;

pub use answer::{Answer, Confidence, Reach, Source};
pub use chain::{Chain, ChainConfig, ChainDeps, Found, Limits, Numbering, Skip, Step, Trace, Ttls, Upstream};
pub use portability::{ANSWERS_MAX, Portability, RANGES_MAX, Rates, Seen};
pub use provider::{
    BreakerConfig, BuildError, EnumConfig, EnumProvider, Failure, GrpcConfig, GrpcProvider, HlrServer, HlrServerConfig,
    HlrServerError, HttpConfig, HttpProvider, Provider, ProviderConfig, ProviderKind, RETRY_AFTER_MAX, Reply,
    Simulator, SimulatorConfig, TTL_MAX, Terms, read_providers,
};
pub use share::Share;
pub use verdict::{Curiosity, Offer, Verdict, Why, matters};
