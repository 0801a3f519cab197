//! Whether this process wants traffic, and if not, why.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

/// Says to probes whether the process is ready. Cheap to clone; starts as not ready.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<Standing>>);

#[derive(Clone, Debug, Default)]
struct Standing {
    is_open: bool,
    /// What keeps an open process from being ready, by what it needs.
    missing: BTreeMap<&'static str, String>,
    /// What is away as well, and not needed for what the process is asked most.
    spared: BTreeMap<&'static str, String>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// Not ready yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Standing::default())))
    }

    /// Says whether the process has started and does not drain.
    pub fn set(&self, is_open: bool) {
        self.0.send_modify(|standing| standing.is_open = is_open);
    }

    /// Says that `what`, such as "bus", is not to be had, and why; the process is not ready until it is.
    pub fn miss(&self, what: &'static str, why: impl Into<String>) {
        let why = why.into();
        self.0
            .send_if_modified(|standing| standing.missing.insert(what, why.clone()) != Some(why));
    }

    /// Says that `what` is not to be had, and why, and that the process does without: it is as ready as it would be with it.
    pub fn spare(&self, what: &'static str, why: impl Into<String>) {
        let why = why.into();
        self.0.send_if_modified(|standing| {
            let was_missing = standing.missing.remove(what).is_some();
            standing.spared.insert(what, why.clone()) != Some(why) || was_missing
        });
    }

    /// Says that `what` is to be had.
    pub fn have(&self, what: &'static str) {
        self.0.send_if_modified(|standing| {
            let was_spared = standing.spared.remove(what).is_some();
            standing.missing.remove(what).is_some() || was_spared
        });
    }

    /// What probes are told at the moment.
    pub fn is_ready(&self) -> bool {
        self.0.borrow().is_ready()
    }

    /// Why the process is not ready, one reason a line, and what it does without; empty = it is ready and has everything.
    pub fn reasons(&self) -> String {
        let standing = self.0.borrow();
        let mut lines: Vec<_> = standing
            .missing
            .iter()
            .map(|(what, why)| format!("{what}: {why}\n"))
            .collect();
        let spared = standing.spared.iter();
        lines.extend(spared.map(|(what, why)| format!("without {what}: {why}\n")));
        if !standing.is_open {
            lines.insert(0, "starting or draining\n".to_owned());
        }
        lines.concat()
    }

    /// Waits until the process is ready. Cancel-safe.
    pub async fn ready(&self) {
        let _ = self.0.subscribe().wait_for(Standing::is_ready).await;
    }

    /// Waits until the process is ready or not ready unlike `last`, and says which. Cancel-safe.
    pub async fn changed(&self, last: bool) -> bool {
        let mut receiver = self.0.subscribe();
        match receiver.wait_for(|standing| standing.is_ready() != last).await {
            Ok(standing) => standing.is_ready(),
            Err(_) => last,
        }
    }
}

impl Standing {
    fn is_ready(&self) -> bool {
        self.is_open && self.missing.is_empty()
    }
}
