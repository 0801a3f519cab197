//! Receipts and inbound messages that come over the link, on their way to the tasks that make them safe.
//!
//! Receipts are looked up here, in the order in which they came between the answers: a receipt that follows its answer on
//! the wire always finds it.

use service::{Deps, Tasks};
use sms::Carriers;
use tokio::sync::mpsc;

use super::{Pump, Settings};
use crate::{
    inbound::{self, Came},
    link::{Arrived, Command, Line, Reply},
    metrics,
    receipts::{self, Looked},
};

/// Batches of receipts that may wait for the receipts task; beyond them the carrier is asked to send again later.
const BATCHES_MAX: usize = 256;

/// Starts the receipts task.
pub(super) fn start(settings: &Settings, deps: &Deps, commands: Line, tasks: &mut Tasks) -> mpsc::Sender<Vec<Looked>> {
    let (to_task, batches) = mpsc::channel(BATCHES_MAX);
    tasks.spawn(receipts::run(settings.clone(), deps.clone(), batches, commands));
    to_task
}

/// Starts the task that takes inbound messages.
pub(super) fn start_inbound(settings: &Settings, commands: Line, tasks: &mut Tasks) -> mpsc::Sender<Vec<Came>> {
    let carriers = Carriers::new(settings.carriers.iter().cloned()).expect("a link serves a carrier");
    inbound::start(settings.inbound.clone(), carriers, commands, tasks)
}

impl Pump {
    /// Hands inbound messages on.
    pub(super) fn on_inbound(&mut self, mut came: Vec<Came>) {
        came.iter_mut()
            .for_each(|came| came.token = self.commands.mark(came.token));
        if let Err(full) = self.inbound.try_send(came) {
            let refused = full.into_inner();
            let carrier = self.settings.carriers.first().map_or("", |carrier| carrier.as_str());
            metrics::inbound(carrier, "overload", refused.len());
            let again = refused.iter().map(|came| Reply {
                token: came.token,
                is_safe: false,
            });
            self.commands.send(Command::Reply(again.collect()));
        }
    }

    /// Hands receipts on, each with what its id stands for where that is known.
    pub(super) fn on_receipts(&mut self, arrived: Vec<Arrived>) {
        let look = |arrived: Arrived| Looked {
            found: self
                .correlations
                .look(&arrived.remote_id, arrived.receipt.state.is_final()),
            arrived: Arrived {
                token: self.commands.mark(arrived.token),
                ..arrived
            },
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
            self.commands.send(Command::Reply(again));
        }
    }
}
