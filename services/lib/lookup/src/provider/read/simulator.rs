//! The keys of a simulated provider.

use std::{collections::BTreeMap, time::Duration};

use source::{Code, Section};
use table::Network;

use crate::SimulatorConfig;
use web::keys::entries;

/// Networks of one prefix.
const NETWORKS_MAX: usize = 100;
/// Digits of a number.
const PREFIX_DIGITS_MAX: usize = 15;

/// Reads the keys.
pub(super) fn read(section: &Section<'_>) -> SimulatorConfig {
    let share = |name: &str| section.key(name).number(0.0..=1.0).unwrap_or(0.0);
    let span = |name: &str| section.key(name).duration("0s", "60s").unwrap_or(Duration::ZERO);
    let config = SimulatorConfig {
        seed: section.key("seed").integer(0..=i64::MAX).map_or(0, i64::unsigned_abs),
        latency: span("latency"),
        latency_spread: span("latency_spread"),
        error_rate: share("error_rate"),
        lie_rate: share("lie_rate"),
        ported: share("ported"),
        dead: share("dead"),
        networks: networks(section),
    };
    let entry = section.key("networks").required();
    if config.ported > 0.0 && config.networks.values().any(|networks| networks.len() == 1) {
        let why =
            "ported numbers have nowhere to go: the first network gave the numbers out, the others took some over";
        entry.refuse(Code::RANGE, "has a prefix with one network", why, "name two and more");
    }
    config
}

fn networks(section: &Section<'_>) -> BTreeMap<String, Vec<Network>> {
    let mut read = BTreeMap::new();
    for (prefix, entry) in entries(section, "networks") {
        let is_prefix = (1..=PREFIX_DIGITS_MAX).contains(&prefix.len()) && prefix.bytes().all(|c| c.is_ascii_digit());
        if !is_prefix {
            entry.refuse(
                Code::FORMAT,
                "is no prefix",
                "a prefix is 1 to 15 digits without a plus",
                "",
            );
        }
        let network = |item: source::Entry<'_>| item.parse(Network::parse_together);
        let Some(networks) = entry.list(NETWORKS_MAX, network) else {
            continue;
        };
        if networks.is_empty() {
            entry.refuse(
                Code::RANGE,
                "names no network",
                "",
                "write it like [\"23415\", \"23410\"]",
            );
        }
        read.insert(prefix.to_owned(), networks);
    }
    read
}
