//! Receipts that come over the link, on their way to the receipts task.
//!
//! They are looked up here, in the order in which they came between the answers: a receipt that follows its answer on
//! the wire always finds it.

use service::{Deps, Tasks};
use tokio::sync::mpsc;

use super::{Pump, Settings};
use crate::{
    link::{Arrived, Command, Reply},
    metrics,
    receipts::{self, Looked},
};

/// Batches of receipts that may wait for the receipts task; beyond them the carrier is asked to send again later.
const BATCHES_MAX: usize = 256;

/// Starts the receipts task.
pub(super) fn start(
    settings: &Settings,
    deps: &Deps,
    commands: mpsc::UnboundedSender<Command>,
    tasks: &mut Tasks,
) -> mpsc::Sender<Vec<Looked>> {
    let (to_task, batches) = mpsc::channel(BATCHES_MAX);
    tasks.spawn(receipts::run(settings.clone(), deps.clone(), batches, commands));
    to_task
}

impl Pump {
    /// Hands receipts on, each with what its id stands for where that is known.
    pub(super) fn on_receipts(&mut self, arrived: Vec<Arrived>) {
        let look = |arrived: Arrived| Looked {
            found: self
                .correlations
                .look(&arrived.remote_id, arrived.receipt.state.is_final()),
            arrived,
        };
        let looked: Vec<Looked> = arrived.into_iter().map(look).collect();
        if let Err(full) = self.receipts.try_send(looked) {
            let refused = full.into_inner();
            for looked in &refused {
                if let Some(correlation) = &looked.found {
                    self.correlations.insert(&looked.arrived.remote_id, correlation.clone());
                }
            }
            metrics::receipts(&self.settings.link, "overload", refused.len());
            let again = refused
                .iter()
                .map(|looked| Reply {
                    token: looked.arrived.token,
                    is_safe: false,
                })
                .collect();
            let _ = self.commands.send(Command::Reply(again));
        }
    }
}
