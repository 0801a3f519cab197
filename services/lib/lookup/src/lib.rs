//! Who serves a number: what is known of it, and whom to ask.
//!
//! A number's prefix says which network it was given out by, not which one serves it now. An [`Answer`] says that, how sure
//! it is, how old, and what it cost; a [`Provider`] is somebody who sells or gives such answers. Which providers there are is
//! written in `providers.toml`: [`read_providers`] reads it, [`ProviderConfig::build`] makes them.

mod answer;
mod provider;

pub use answer::{Answer, Confidence, Reach, Source};
pub use provider::{
    BreakerConfig, BuildError, Failure, GrpcConfig, GrpcProvider, HlrServer, HlrServerConfig, HlrServerError,
    HttpConfig, HttpProvider, Provider, ProviderConfig, ProviderKind, Reply, read_providers,
};
