//! The keys of a simulated carrier.

use std::time::Duration;

use source::{Code, Section};

use crate::simulator::{ReceiptRates, SimulatorConfig};

/// Reads the keys; what is absent is as in a carrier that takes and delivers everything.
pub(super) fn read(section: &Section<'_>) -> SimulatorConfig {
    let mut config = SimulatorConfig::default();
    let share = |name: &str| section.key(name).number(0.0..=1.0).unwrap_or_default();
    let span = |name: &str, default: Duration| section.key(name).duration("0s", "1h").unwrap_or(default);
    config.seed = section.key("seed").integer(0..=i64::MAX).map(i64::cast_unsigned);
    config.latency = span("latency", config.latency);
    config.latency_spread = span("latency_spread", config.latency_spread);
    config.error_rate = share("error_rate");
    config.throttle_rate = share("throttle_rate");
    config.drop_rate = share("drop_rate");
    config.late_rate = share("late_rate");
    config.repeat_rate = share("repeat_rate");
    if config.error_rate + config.throttle_rate + config.drop_rate + config.late_rate > 1.0 {
        let entry = section.key("error_rate");
        entry.refuse(
            Code::RANGE,
            "with throttle_rate, drop_rate and late_rate is more than 1",
            "they are shares of all parts",
            "",
        );
    }
    let receipts = section.key("receipts");
    if receipts.is_present()
        && let Some(receipts) = receipts.section()
    {
        let share = |name: &str| receipts.key(name).number(0.0..=1.0).unwrap_or_default();
        let span = |name: &str, default| receipts.key(name).duration("0s", "24h").unwrap_or(default);
        config.receipts = ReceiptRates {
            delay: span("delay", config.receipts.delay),
            spread: span("spread", config.receipts.spread),
            failed: share("failed_rate"),
            lost: share("lost_rate"),
            repeated: share("repeat_rate"),
        };
    }
    config
}
