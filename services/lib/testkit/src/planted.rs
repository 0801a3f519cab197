//! Bugs on purpose: each breaks one promise at a seam, as a mistake in the services would, so that a test can see whether
//! the simulation finds it.
//!
//! They sit between a process and its log and store; nothing of the services knows of them.

mod bus;
mod store;

use std::sync::Arc;

use service::{Deps, Dice};

/// One promise broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Claims are won by whoever asks, and written nowhere.
    DropClaims,
    /// A swap takes place whatever is there.
    SwapAlways,
    /// Values lose their place in the due index.
    LoseDue,
    /// Leases of connectors are not written: everybody seems dead.
    ForgetLeases,
    /// Leases of connectors never lapse: nobody seems dead.
    ImmortalLeases,
    /// What carriers' ids stand for is not written.
    DropCorrelations,
    /// Idempotency keys are not written.
    DropKeys,
    /// A store that lost everything passes for one that lost nothing.
    HideLoss,
    /// Batches are acked as they are handed out.
    AckEarly,
    /// Now and then a publish says that it is safe, and nothing is stored.
    LosePublish,
    /// Now and then a message is accepted twice, under two ids.
    PublishTwice,
    /// Now and then an order goes to another recipient.
    Misaddress,
    /// Now and then the text of an order is another.
    AlterContent,
    /// Messages that wait are never looked at again.
    ForgetWaiting,
    /// Messages whose records cannot be read are left to themselves.
    ForgetDead,
    /// Receipts are taken from carriers, and nobody reads them.
    MuteReceipts,
}

/// What a process is handed that has `bug`.
pub(crate) fn plant(bug: Bug, deps: Deps, dice: &Dice) -> Deps {
    Deps {
        bus: Arc::new(bus::PlantedBus::new(deps.bus, bug, dice.fork())),
        store: Arc::new(store::PlantedStore::new(deps.store, bug)),
        ..deps
    }
}
