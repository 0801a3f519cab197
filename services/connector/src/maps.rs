//! What a carrier's words mean, swapped as a whole while its link runs.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{FaultMap, LinkConfig, Outcomes};

/// Both maps of a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Maps {
    /// What each answer makes of an order.
    pub outcomes: Outcomes,
    /// Whom negative receipts blame.
    pub faults: FaultMap,
}

/// The maps in force. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct LiveMaps(Arc<ArcSwap<Maps>>);

impl Maps {
    /// Those of `link` as configured.
    pub(crate) fn of(link: &LinkConfig) -> Self {
        Self {
            outcomes: link.outcomes.clone(),
            faults: link.faults.clone(),
        }
    }
}

impl LiveMaps {
    /// Begins with `maps`.
    pub(crate) fn new(maps: Maps) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(maps)))
    }

    /// Those in force now; they stay as they are while they are held.
    pub(crate) fn get(&self) -> Arc<Maps> {
        self.0.load_full()
    }

    /// Puts `maps` in force. False = they are.
    pub(crate) fn replace(&self, maps: Maps) -> bool {
        let is_new = *self.0.load_full() != maps;
        if is_new {
            self.0.store(Arc::new(maps));
        }
        is_new
    }
}
