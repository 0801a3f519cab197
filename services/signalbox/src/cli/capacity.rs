//! `signalbox capacity` on the command line.

use std::time::Duration;

use clap::Args;

use super::span;

/// What an installation shall bear. Bounds are those of what was measured and of what the roles take.
#[derive(Args, Clone, Debug)]
pub(crate) struct Capacity {
    /// Messages a second in the busiest time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// How much busier that is than the mean over days; 1 = always as busy
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = within::<1, 100>)]
    pub(crate) peak: f64,
    /// Segments of a message on the mean
    #[arg(long, value_name = "MEAN", default_value_t = 1.3, value_parser = within::<1, 10>)]
    pub(crate) segments: f64,
    /// Share of messages with a receipt, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = within::<0, 1>)]
    pub(crate) receipts: f64,
    /// How long a receipt takes on the mean
    #[arg(long, value_name = "SPAN", default_value = "30s", value_parser = up_to_a_day)]
    pub(crate) receipt_after: Duration,
    /// Share of messages with an idempotency key, 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 1.0, value_parser = within::<0, 1>)]
    pub(crate) keys: f64,
    /// Time to live of a message on the mean: 2m for passwords, 4h for transactional messages, 24h for campaigns unless said
    #[arg(long, value_name = "SPAN", default_value = "4h", value_parser = up_to_a_day)]
    pub(crate) ttl: Duration,
    /// Hours that topics keep records: 49 unless said, and no fewer
    #[arg(long, value_name = "HOURS", default_value_t = 49, value_parser = clap::value_parser!(u32).range(49..=8_760))]
    pub(crate) retention: u32,
    /// Copies of each record
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=7))]
    pub(crate) copies: u32,
    /// Carriers, each with topics and at least one pod of its own
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) carriers: u32,
    /// Cores that a pod requests
    #[arg(long, value_name = "CORES", default_value_t = 1.0, value_parser = within::<0, 64>)]
    pub(crate) cores: f64,
    /// Percent of these that a pod shall use, as the chart's autoscalers have it
    #[arg(long, value_name = "PERCENT", default_value_t = 70, value_parser = clap::value_parser!(u32).range(10..=100))]
    pub(crate) busy: u32,
    /// Memory of Redis over what it has in use: fragments, buffers, and pages that change while it saves
    #[arg(long, value_name = "FACTOR", default_value_t = 1.5, value_parser = within::<1, 10>)]
    pub(crate) headroom: f64,
    /// For programs: one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// A number from `LOW` to `HIGH`; one that must be more than nothing is refused where it is used.
fn within<const LOW: u32, const HIGH: u32>(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| format!("\"{text}\" is no number"))?;
    let (low, high) = (f64::from(LOW), f64::from(HIGH));
    if (low..=high).contains(&number) {
        Ok(number)
    } else {
        Err(format!("{number} is not in {LOW}..={HIGH}"))
    }
}

fn up_to_a_day(text: &str) -> Result<Duration, String> {
    const MAX: Duration = Duration::from_secs(24 * 3_600);
    let span = span(text).map_err(|error| error.to_string())?;
    if span.is_zero() || span > MAX {
        return Err(format!("{text} is not between 1ms and 24h"));
    }
    Ok(span)
}
