//! Carriers that the table names and no link serves: their messages go on to the next carrier, and somebody is told.

use std::{collections::BTreeSet, time::Duration};

use connector::{CARRIERS_PER_LINK_MAX, LinkConfig, LinkKind};
use service::{Deps, Stop, Tasks};
use sms::CarrierName;
use table::Table;
use tracing::{error, warn};

/// Answers the orders of carriers without a link.
pub(super) struct Unserved {
    covered: BTreeSet<CarrierName>,
    deps: Deps,
    partitions: u32,
    drain_limit: Duration,
    stop: Stop,
    tasks: Tasks,
}

impl Unserved {
    /// Knows the carriers that `links` serve.
    pub(super) fn new(links: &[LinkConfig], deps: Deps, partitions: u32, drain_limit: Duration, stop: Stop) -> Self {
        let covered = links.iter().flat_map(|link| link.carriers.iter().cloned()).collect();
        Self {
            covered,
            deps,
            partitions,
            drain_limit,
            stop,
            tasks: Tasks::new(),
        }
    }

    /// Answers, from now on, the orders of every carrier of `table` that nobody serves.
    pub(super) fn cover(&mut self, table: &Table) {
        let named = table.carriers().iter().map(|carrier| carrier.name().clone());
        let bare: Vec<_> = named.filter(|name| !self.covered.contains(name)).collect();
        for carrier in &bare {
            warn!(%carrier, "no link serves this carrier of the table: its messages go on to the next one");
        }
        for carriers in bare.chunks(CARRIERS_PER_LINK_MAX) {
            let name = format!("none-{}", carriers[0]);
            let config = connector::Config {
                partitions: self.partitions,
                drain_limit: self.drain_limit,
                instance: Some("unserved".to_owned()),
                ..connector::Config::new(vec![LinkConfig::new(name, carriers.to_vec(), LinkKind::Absent)])
            };
            let run = connector::run(config, self.deps.clone().into(), self.stop.clone());
            self.tasks.spawn(async move {
                if let Err(error) = run.await {
                    error!(%error, "orders of carriers without a link are no longer answered");
                }
            });
        }
        self.covered.extend(bare);
    }

    /// Waits until everything has drained.
    pub(super) async fn drained(mut self) {
        self.tasks.join_all().await;
    }
}
