//! What a server says of itself, and whether a store may live there.

use std::collections::HashMap;

use crate::StoreError;

/// A server that may hold a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Whether it is one of a cluster.
    pub(super) is_clustered: bool,
    /// Drawn anew whenever it starts.
    pub(super) run_id: String,
    /// Whether it loses nothing when it starts again: every write was on its disk before it was answered, and it was
    /// nobody's replica, which may have lagged behind.
    pub(super) is_durable: bool,
}

impl Server {
    /// Reads what INFO says and the settings about syncing, of which there are none where it would not say.
    ///
    /// # Errors
    /// It is not there for a store, and why: it is loading, a replica, or may forget by itself.
    pub(super) fn of_info(url: &str, info: &str, settings: &HashMap<String, String>) -> Result<Self, StoreError> {
        let fields: HashMap<_, _> = info
            .lines()
            .filter_map(|line| line.trim_end().split_once(':'))
            .collect();
        let field = |name: &str| fields.get(name).copied().unwrap_or_default();
        let refuse = |why: String| Err(StoreError::Away(format!("redis at {url} {why}")));
        if field("run_id").is_empty() {
            return refuse("does not say its run_id in INFO: is it a Redis, and may the user call INFO?".to_owned());
        }
        if field("loading") == "1" {
            return refuse("is still loading its data: wait".to_owned());
        }
        if field("role") == "slave" {
            return refuse("is a replica: name the primary in the url".to_owned());
        }
        let policy = field("maxmemory_policy");
        if !matches!(field("maxmemory"), "" | "0") && policy != "noeviction" {
            return refuse(format!(
                "forgets keys when it is full (maxmemory-policy {policy}): set maxmemory-policy noeviction"
            ));
        }
        let is_set = |name: &str, value: &str| settings.get(name).is_some_and(|set| set == value);
        let syncs_every_write = is_set("appendfsync", "always") && !is_set("no-appendfsync-on-rewrite", "yes");
        let was_replica = field("master_replid2").bytes().any(|digit| digit != b'0');
        Ok(Self {
            is_clustered: field("cluster_enabled") == "1",
            run_id: field("run_id").to_owned(),
            is_durable: field("aof_enabled") == "1" && syncs_every_write && !was_replica,
        })
    }
}

impl Server {
    /// Whether it loses nothing when it starts again, in the word of the scripts.
    pub(super) fn durability(&self) -> &'static str {
        if self.is_durable { "always" } else { "maybe" }
    }

    /// How a bucket names the run it was last written on.
    pub(super) fn run(&self) -> String {
        format!("{} {}", self.run_id, self.durability())
    }
}

#[cfg(test)]
mod tests;
