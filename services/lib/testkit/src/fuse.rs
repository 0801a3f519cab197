//! The end of a process at one of its calls to log or store, wherever that is.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use service::Dice;
use tokio::sync::Notify;

/// Burns through at a call and stops the process there. Clones are one fuse, of one run of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fuse(Arc<Wire>);

#[derive(Debug, Default)]
struct Wire {
    /// Calls left, the one it burns at included; 0 = it is not lit.
    left: AtomicU64,
    is_burnt: AtomicBool,
    burnt: Notify,
}

impl Fuse {
    /// Burns at the call that is `calls` from now, the next one being 1.
    pub(crate) fn light(&self, calls: u64) {
        self.0.left.store(calls, Ordering::Relaxed);
    }

    /// Waits until it is burnt.
    pub(crate) async fn burnt(&self) {
        self.0.burnt.notified().await;
    }

    /// Makes `call`, unless the process dies before it, and says what came of it, unless the process dies after it.
    pub(crate) async fn pass<T>(&self, dice: &Dice, call: impl Future<Output = T>) -> T {
        if self.0.is_burnt.load(Ordering::Relaxed) {
            return pending().await;
        }
        let left = self.0.left.load(Ordering::Relaxed);
        if left > 1 {
            self.0.left.store(left - 1, Ordering::Relaxed);
        }
        if left != 1 {
            return call.await;
        }
        if dice.below(2) == 0 {
            // One that is given up meanwhile leaves the fuse to the next call.
            let _ = call.await;
        }
        self.0.is_burnt.store(true, Ordering::Relaxed);
        self.0.burnt.notify_one();
        pending().await
    }
}
