//! How well a carrier delivers, as the format says.

/// Fewer attempts tell nothing.
const ATTEMPTS_TELLING: u64 = 30;
/// Quantile of the normal distribution for 95 %, two-sided.
const Z: f64 = 1.959_964;

/// Figures of one carrier and network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    /// From 0 to 1.
    pub(super) rate: f64,
    /// Infinite = not known.
    pub(super) p95_seconds: f64,
}

impl Figures {
    /// Of a carrier and network without a row.
    pub(super) const UNTOLD: Self = Self {
        rate: 0.90,
        p95_seconds: f64::INFINITY,
    };
}

/// Lower bound of the Wilson interval, from 30 attempts up.
pub(super) fn wilson(attempts: u64, delivered: u64) -> f64 {
    if attempts < ATTEMPTS_TELLING {
        return Figures::UNTOLD.rate;
    }
    if delivered == 0 {
        return 0.0;
    }
    let (n, share) = (attempts as f64, delivered as f64 / attempts as f64);
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * ((share * (1.0 - share) + Z * Z / (4.0 * n)) / n).sqrt();
    ((centre - spread) / (1.0 + Z * Z / n)).max(0.0)
}
