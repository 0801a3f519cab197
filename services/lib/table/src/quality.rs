//! How well carriers deliver to a network: a cautious rate, and how long it takes.

use crate::{network::Network, rates::CarrierIndex};

/// Delivery rate of a carrier that was tried less often than [`ATTEMPTS_TELLING`].
const RATE_UNTOLD: f64 = 0.90;
/// From so many attempts on, figures tell something.
const ATTEMPTS_TELLING: u64 = 30;
/// Quantile of the normal distribution for 95 %, two-sided.
const Z: f64 = 1.959_964;

/// Figures by carrier and network.
#[derive(Debug, Default)]
pub(crate) struct QualityBook(Vec<((CarrierIndex, Network), Quality)>);

/// What is known of one carrier and network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Quality {
    /// From 0 to 1.
    pub(crate) rate: f64,
    /// Seconds in which 95 % are delivered; infinite = not known.
    pub(crate) p95_seconds: f64,
}

impl Quality {
    /// What is assumed of a carrier and network without figures.
    pub(crate) const UNTOLD: Self = Self {
        rate: RATE_UNTOLD,
        p95_seconds: f64::INFINITY,
    };

    /// The figures of a period.
    pub(crate) fn of(attempts: u64, delivered: u64, p95_seconds: Option<f64>) -> Self {
        let rate = if attempts < ATTEMPTS_TELLING {
            RATE_UNTOLD
        } else {
            wilson(attempts as f64, delivered as f64)
        };
        Self {
            rate,
            p95_seconds: p95_seconds.unwrap_or(f64::INFINITY),
        }
    }
}

impl QualityBook {
    /// A book of figures, each carrier and network once.
    pub(crate) fn new(mut figures: Vec<((CarrierIndex, Network), Quality)>) -> Self {
        figures.sort_unstable_by_key(|(key, _)| *key);
        Self(figures)
    }

    /// The figures of `carrier` to `network`; those of a stranger where there are none.
    pub(crate) fn get(&self, carrier: CarrierIndex, network: Option<Network>) -> Quality {
        let found = network.and_then(|network| {
            let at = self.0.binary_search_by_key(&(carrier, network), |(key, _)| *key).ok()?;
            Some(self.0[at].1)
        });
        found.unwrap_or(Quality::UNTOLD)
    }
}

/// Lower bound of the Wilson interval: a few lucky deliveries do not make a good carrier.
fn wilson(attempts: f64, delivered: f64) -> f64 {
    let share = delivered / attempts;
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * attempts);
    let spread = Z * ((share * (1.0 - share) + z2 / (4.0 * attempts)) / attempts).sqrt();
    ((centre - spread) / (1.0 + z2 / attempts)).max(0.0)
}
