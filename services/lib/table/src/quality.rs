//! How well carriers deliver to a network: a cautious rate, and how long it takes.

use std::time::Duration;

use sms::CarrierName;

use crate::{
    figures::{self, LiveFigures},
    network::Network,
    rates::CarrierIndex,
};

/// Delivery rate of a carrier that was tried less often than [`ATTEMPTS_TELLING`].
const RATE_UNTOLD: f64 = 0.90;
/// From so many attempts on, figures tell something.
const ATTEMPTS_TELLING: u64 = 30;
/// Quantile of the normal distribution for 95 %, two-sided.
const Z: f64 = 1.959_964;

/// Figures by network, then carrier.
#[derive(Debug, Default)]
pub(crate) struct QualityBook {
    /// Each network, and where its figures begin.
    networks: Vec<(Network, usize)>,
    figures: Vec<(CarrierIndex, Quality)>,
}

/// The figures of one network, in order of carriers.
pub(crate) type Figures<'a> = &'a [(CarrierIndex, Quality)];

/// What is known of carriers on the network of one message.
#[derive(Clone, Copy)]
pub(crate) struct Known<'t, 'a> {
    /// As the table says.
    written: Figures<'t>,
    /// As a running router counts.
    live: Option<(&'a dyn LiveFigures, Network)>,
}

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
            wilson(attempts as f64, delivered.min(attempts) as f64)
        };
        Self {
            rate,
            p95_seconds: p95_seconds.unwrap_or(f64::INFINITY),
        }
    }

    fn counted(figures: figures::Figures) -> Self {
        let p95_seconds = figures.p95.as_ref().map(Duration::as_secs_f64);
        Self::of(figures.attempts, figures.delivered, p95_seconds)
    }
}

impl QualityBook {
    /// A book of figures, each carrier and network once.
    pub(crate) fn new(mut figures: Vec<((CarrierIndex, Network), Quality)>) -> Self {
        figures.sort_unstable_by_key(|((carrier, network), _)| (*network, *carrier));
        let mut networks: Vec<(Network, usize)> = figures
            .iter()
            .zip(0..)
            .map(|(((_, network), _), at)| (*network, at))
            .collect();
        networks.dedup_by_key(|(network, _)| *network);
        Self {
            networks,
            figures: figures
                .into_iter()
                .map(|((carrier, _), quality)| (carrier, quality))
                .collect(),
        }
    }

    /// What is known on `network`, of which `live` may know more; nothing where it is not known.
    pub(crate) fn of<'t, 'a>(&'t self, network: Option<Network>, live: Option<&'a dyn LiveFigures>) -> Known<'t, 'a> {
        Known {
            written: self.written(network),
            live: live.zip(network),
        }
    }

    /// Every network that has figures.
    pub(crate) fn networks(&self) -> impl Iterator<Item = Network> {
        self.networks.iter().map(|(network, _)| *network)
    }

    /// The figures of `network` in words that are equal where they are.
    pub(crate) fn traits(&self, network: Network) -> impl Iterator<Item = i64> {
        let bits = |number: f64| i64::from_ne_bytes(number.to_ne_bytes());
        let figures = self.written(Some(network)).iter();
        figures.flat_map(move |(carrier, quality)| [i64::from(*carrier), bits(quality.rate), bits(quality.p95_seconds)])
    }

    fn written(&self, network: Option<Network>) -> Figures<'_> {
        let find = |network| self.networks.binary_search_by_key(&network, |(known, _)| *known).ok();
        let Some(at) = network.and_then(find) else { return &[] };
        let end = self
            .networks
            .get(at + 1)
            .map_or(self.figures.len(), |(_, begin)| *begin);
        &self.figures[self.networks[at].1..end]
    }
}

impl Known<'_, '_> {
    /// What is known of the carrier called `name`: what was counted of late if it tells something, else what the table
    /// says, else what is assumed of a stranger.
    pub(crate) fn quality(&self, carrier: CarrierIndex, name: &CarrierName) -> Quality {
        let live = self.live.and_then(|(live, network)| live.figures(name, network));
        if let Some(counted) = live.filter(|counted| counted.attempts >= ATTEMPTS_TELLING) {
            return Quality::counted(counted);
        }
        quality(self.written, carrier)
    }
}

/// The figures of `carrier`; those of a stranger where there are none.
pub(crate) fn quality(figures: Figures<'_>, carrier: CarrierIndex) -> Quality {
    // Where every carrier has figures, each stands at its own place.
    if let Some((known, quality)) = figures.get(usize::from(carrier))
        && *known == carrier
    {
        return *quality;
    }
    let found = figures.binary_search_by_key(&carrier, |(known, _)| *known);
    found.map_or(Quality::UNTOLD, |at| figures[at].1)
}

/// Lower bound of the Wilson interval: a few lucky deliveries do not make a good carrier.
fn wilson(attempts: f64, delivered: f64) -> f64 {
    // Rounding would leave some carriers that deliver nothing a little above the others.
    if delivered == 0.0 {
        return 0.0;
    }
    let share = delivered / attempts;
    let z2 = Z * Z;
    let centre = share + z2 / (2.0 * attempts);
    let spread = Z * ((share * (1.0 - share) + z2 / (4.0 * attempts)) / attempts).sqrt();
    ((centre - spread) / (1.0 + z2 / attempts)).max(0.0)
}
