//! Whether this process wants traffic.

use std::sync::Arc;

use tokio::sync::watch;

/// Says to probes whether the process is ready. Cheap to clone; starts as not ready.
#[derive(Clone, Debug)]
pub struct Readiness(Arc<watch::Sender<bool>>);

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

impl Readiness {
    /// Not ready yet.
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Sets what probes are told from now on.
    pub fn set(&self, is_ready: bool) {
        self.0.send_replace(is_ready);
    }

    /// What probes are told at the moment.
    pub fn is_ready(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the process is ready. Cancel-safe.
    pub async fn ready(&self) {
        let mut receiver = self.0.subscribe();
        let _ = receiver.wait_for(|is_ready| *is_ready).await;
    }
}
