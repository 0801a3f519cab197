//! Timers: looks at what is due in the partitions this router owns.

use std::sync::Arc;

use journey::Input;
use service::{Stop, time};
use signalbox_proto::keys;
use store::DueEntry;

use crate::{Error, desk::Desk, handlers::Work, ledger};

/// Most timers looked at in one go, per partition.
const ENTRIES_MAX: usize = 500;

/// Looks until `stop`.
pub(crate) async fn run(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let mut tick = time::every(desk.config.due_scan);
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            _ = tick.tick() => {}
        }
        for partition in desk.owned() {
            while look_if_there(&desk, partition).await? == ENTRIES_MAX && !stop.is_requested() {}
        }
    }
}

/// As [`look`]; a store that is away or lost has nothing due.
async fn look_if_there(desk: &Arc<Desk>, partition: u32) -> Result<usize, Error> {
    match look(desk, partition).await {
        Err(error) if error.is_away() => Ok(0),
        looked => looked,
    }
}

/// Handles what is due in `partition` and says how much it was.
async fn look(desk: &Arc<Desk>, partition: u32) -> Result<usize, Error> {
    let second = desk.now().0 / 1_000;
    let due = loop {
        match desk.store().due(partition, second, ENTRIES_MAX).await {
            Ok(due) => break due,
            Err(error) => ledger::wait_for_store(desk, error).await?,
        }
    };
    if due.is_empty() {
        return Ok(0);
    }
    let mut work = Work::default();
    let messages = due
        .iter()
        .filter_map(|DueEntry { key, .. }| keys::message_of_state(key));
    for message in messages {
        // The key of its records stands in the state.
        work.case(message, sms::RecordKey(0)).inputs.push(Input::Timer);
    }
    work.load(desk).await?;
    work.drop_absent();
    // What was not confirmed is due still.
    work.finish(desk).await?.await.map(|()| due.len())
}
