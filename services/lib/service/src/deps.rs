//! What a service is handed besides its configuration.

use std::sync::Arc;

use crate::{Clock, Dice, Tracer};

/// The log, the store, the time, the dice and where traces go: everything a service reaches outside itself. Cheap to clone.
#[derive(Clone)]
pub struct Deps {
    /// The ordered log.
    pub bus: Arc<dyn bus::Bus>,
    /// Keyed state.
    pub store: Arc<dyn store::Store>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub dice: Dice,
    /// Traces; [`Tracer::default`] = none.
    pub tracer: Tracer,
}
