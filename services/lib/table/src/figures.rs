//! What a running router counted: how well carriers deliver just now, by carrier and network.

use std::time::Duration;

use sms::CarrierName;

use crate::network::Network;

/// What one carrier took for one network of late, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that the carrier took and that a receipt was to come for.
    pub attempts: u64,
    /// Those of them that are on the handset, all of their segments.
    pub delivered: u64,
    /// Time in which 95 % of the delivered ones were; `None` = not known.
    pub p95: Option<Duration>,
}

/// The figures of every carrier and network. Take one for each batch, so that all its messages are decided on the same.
///
/// A decision asks once for each carrier that it judges, and only where the route ranks or refuses by quality: answer
/// without a lock and without allocating.
pub trait LiveFigures: Sync {
    /// The figures of `carrier` and `network`; `None` = it was not asked there. Those of fewer than 30 attempts count
    /// for nothing: `quality.csv` speaks.
    fn figures(&self, carrier: &CarrierName, network: Network) -> Option<Figures>;
}

impl<F: Fn(&CarrierName, Network) -> Option<Figures> + Sync> LiveFigures for F {
    fn figures(&self, carrier: &CarrierName, network: Network) -> Option<Figures> {
        self(carrier, network)
    }
}
