//! The router: decides which carrier gets each accepted message, follows what becomes of it, goes on to the next carrier,
//! and ends every message exactly once.
//!
//! One loop per family of topics. Each takes a batch, folds it with [`journey::fold`] against the store in one call, decides
//! on one snapshot of the table, publishes one batch per topic, and acks once that is durable. What is kept in memory
//! alone, how carriers stand and deliver of late, a restart learns anew.

mod aside;
mod carriers;
mod case;
mod config;
mod copies;
mod delay;
mod desk;
mod due;
mod epochs;
mod error;
mod figures;
mod grpc;
mod handlers;
mod intake;
mod ledger;
mod lookups;
mod metrics;
mod outbox;
mod place;
mod pressure;
mod rebuild;
mod remembered;
mod retry;
mod states;
mod tables;
mod told;
mod tried;
mod unmatched;

use std::sync::Arc;

use service::{Deps, Stop, Tasks, resume_panic};
use signalbox_proto::topics;
use sms::Lane;
use table::LiveTable;

use crate::{
    desk::Desk,
    handlers::{Accepted, Outcomes, Receipts},
    intake::Intake,
    lookups::Asking,
    unmatched::Unmatched,
};

pub use config::Config;
pub use error::Error;
pub use grpc::{
    CALLS_MAX, Listener, PAGE_MAX, QUERIES_MAX, REPLAYS_MAX, REQUEST_OCTETS_MAX, RESPONSE_OCTETS_MAX, looked_up,
};
pub use lookups::{BUDGET_DEFAULT, BUDGET_MAX, BUDGET_URGENT_DEFAULT, DeadNumbers, LookUps, WAITING_MAX_DEFAULT};
pub use signalbox_proto::server::Tls;
pub use tables::{
    Base, FetchError, HISTORY_MAX, HISTORY_OCTETS_MAX, InForce, Note, PublishError, Served, Stand, Tables, Version,
    Watch, files as table_files,
};

/// Routes until `stop` is requested, then finishes what was begun and returns.
///
/// `table` may be replaced at any time; a batch is decided on one table. A carrier that a new table brings gets no
/// order before its topics exist.
///
/// # Errors
/// The log was closed under the router, or a topic every router reads cannot be made: what was begun comes again after a restart. Or questions
/// cannot be answered where `config` says.
pub async fn run(config: Config, deps: Deps, table: Arc<LiveTable>, stop: Stop) -> Result<(), Error> {
    let listener = Listener::bind(&config).await?;
    run_on(listener, config, deps, table, stop).await
}

/// The same, answering questions on a listener bound before, so that its address could be told. `None` = nowhere, whatever
/// `config` says.
///
/// # Errors
/// As [`run`].
pub async fn run_on(
    listener: Option<Listener>,
    config: Config,
    deps: Deps,
    table: Arc<LiveTable>,
    stop: Stop,
) -> Result<(), Error> {
    metrics::describe();
    metrics::begin_all(&read());
    let desk = Arc::new(Desk::new(config, deps, table, stop.clone()));
    desk.ensure(&topics::fixed(desk.config.partitions)).await?;
    carriers::reach::begin(&desk).await;
    let heard = carriers::catch_up(&desk).await;
    let mut tasks = Tasks::new();
    tasks.spawn(carriers::follow(desk.clone(), heard, stop.clone()));
    tasks.spawn(carriers::reach::keep(desk.clone(), stop.clone()));
    tasks.spawn(carriers::breakers::follow(desk.clone(), stop.clone()));
    tasks.spawn(carriers::speak::run(desk.clone(), stop.clone()));
    tasks.spawn(figures::follow(desk.clone(), stop.clone()));
    if let Some(listener) = listener {
        // Table and carriers are enough to answer: a store that is rebuilt keeps nobody waiting.
        tasks.spawn(listener.serve(desk.clone(), stop.clone()));
    }
    rebuild::begin(&desk).await;
    let mut intakes = Intake::join(&desk, busy(), waiting()).await?.into_iter();
    let mut next = || intakes.next().expect("every topic has its member");
    for lane in Lane::ALL {
        tasks.spawn(next().run(desk.clone(), Accepted(lane), stop.clone()));
    }
    tasks.spawn(next().run(desk.clone(), Outcomes, stop.clone()));
    tasks.spawn(next().run(desk.clone(), Receipts, stop.clone()));
    tasks.spawn(next().run(desk.clone(), Unmatched, stop.clone()));
    for (_, delay) in topics::DELAYS {
        tasks.spawn(retry::run(desk.clone(), next(), delay, stop.clone()));
    }
    for (lane, intake) in Lane::ALL.into_iter().zip(Intake::join_look_ups(&desk).await?) {
        tasks.spawn(intake.run(desk.clone(), Asking(lane), stop.clone()));
    }
    tasks.spawn(due::run(desk.clone(), stop.clone()));
    tasks.spawn(rebuild::guard(desk.clone(), stop.clone()));
    tasks.spawn(rebuild::mend(desk.clone(), stop.clone()));
    tasks.spawn(rebuild::follow(desk.clone(), next(), stop.clone()));
    let mut result = Ok(());
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            // One loop that cannot go on ends the router: half of it would leave messages behind.
            Ok(Err(error)) if result.is_ok() && !stop.is_requested() => return Err(error),
            Ok(Err(error)) => result = Err(error),
            Err(error) => resume_panic(error),
        }
    }
    result
}

/// What every message passes through, in the order in which [`run`] hands it to its loops.
fn busy() -> Vec<bus::Topic> {
    let mut busy: Vec<_> = Lane::ALL.map(topics::accepted).into();
    busy.extend([topics::outcomes(), topics::receipts()]);
    busy
}

/// What some messages wait in, after that.
fn waiting() -> Vec<bus::Topic> {
    let mut waiting = vec![topics::unmatched()];
    waiting.extend(topics::DELAYS.map(|(word, _)| topics::retry(word)));
    waiting.push(topics::dead());
    waiting
}

/// All that a router reads.
fn read() -> Vec<bus::Topic> {
    let looked_up = Lane::ALL.map(topics::lookup);
    let said = [topics::carriers(), topics::tables()];
    [busy(), waiting(), looked_up.into(), said.into()].concat()
}

#[cfg(test)]
mod tests;
