//! Timers: looks at what is due in the partitions this router owns.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use journey::Input;
use service::{
    Seldom, Stop,
    time::{self, Instant},
};
use signalbox_proto::{keys, record::Fault};
use sms::{MessageId, UnixMs};
use store::{Due, DueEntry, Op};
use tracing::warn;

use crate::{Error, case::Loaded, desk::Desk, handlers::Work, ledger, metrics};

/// Most timers looked at in one go, per partition.
pub(crate) const ENTRIES_MAX: usize = 500;

/// Looks between two ticks, per partition: one whose timers do not go away keeps the others waiting no longer than this.
const ROUNDS_MAX: usize = 20;

/// Timers that are late by more seconds than this were not looked at in time: no router was there, or the store was away.
const LATE_SECONDS: u64 = 2;

/// How long late timers wait until what came meanwhile is read: a receipt that lies on the log is no silence.
pub(crate) const CATCH_UP: Duration = Duration::from_secs(4);

/// How long a state that cannot be read is out of the way of others: a router of the version that wrote it may come.
pub(crate) const ASIDE: Duration = Duration::from_secs(3_600);

/// How long after its message's id was drawn a state that cannot be read is kept: longer than any state lives, whose
/// submission may be repeated for a day, whose message has a day and its grace, and which is kept for one more.
pub(crate) const ASIDE_KEPT: Duration = Duration::from_secs(4 * 24 * 3_600);

/// A state that cannot be read seldom comes alone.
static TOLD: Seldom = Seldom::new();

/// Looks until `stop`.
pub(crate) async fn run(desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
    let mut tick = time::every(desk.config.due_scan);
    let mut late = Late::default();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return Ok(()),
            _ = tick.tick() => {}
        }
        let mut partitions = desk.owned();
        late.0.retain(|partition, _| partitions.contains(partition));
        for _ in 0..ROUNDS_MAX {
            let mut full = Vec::new();
            for partition in partitions {
                if stop.is_requested() {
                    return Ok(());
                }
                if look_if_there(&desk, partition, &mut late).await? == ENTRIES_MAX {
                    full.push(partition);
                }
            }
            partitions = full;
        }
    }
}

/// As [`look`]; a store that is away or lost has nothing due.
async fn look_if_there(desk: &Arc<Desk>, partition: u32, late: &mut Late) -> Result<usize, Error> {
    match look(desk, partition, late).await {
        Err(error) if error.is_away() => Ok(0),
        looked => looked,
    }
}

/// Partitions whose timers are late, and since when that is known.
#[derive(Default)]
struct Late(BTreeMap<u32, Instant>);

impl Late {
    /// Whether the timers of `partition`, of which the first was due in the second `first`, wait in the second `now`.
    fn waits(&mut self, partition: u32, first: u64, now: u64) -> bool {
        if first + LATE_SECONDS >= now {
            self.0.remove(&partition);
            return false;
        }
        self.0.entry(partition).or_insert_with(time::now).elapsed() < CATCH_UP
    }
}

/// Handles what is due in `partition` and says how much it was.
async fn look(desk: &Arc<Desk>, partition: u32, late: &mut Late) -> Result<usize, Error> {
    let second = desk.now().0 / 1_000;
    let due = loop {
        match desk.store().due(partition, second, ENTRIES_MAX).await {
            Ok(due) => break due,
            Err(error) => ledger::wait_for_store(desk, error).await?,
        }
    };
    let Some(first) = due.first() else { return Ok(0) };
    if late.waits(partition, first.second, second) {
        return Ok(0);
    }
    let mut work = Work::new(desk);
    let messages: Vec<_> = due
        .iter()
        .filter_map(|DueEntry { key, .. }| keys::message_of_state(key))
        .collect();
    for message in &messages {
        // The key of its records stands in the state.
        work.case(*message, sms::RecordKey(0)).inputs.push(Input::Timer);
    }
    work.load(desk).await?;
    set_aside(desk, partition, &mut work, &messages).await?;
    work.drop_absent();
    // What was not confirmed is due still.
    work.finish(desk).await?.await.map(|()| due.len())
}

/// Moves the timers of states that cannot be read, so that they do not stand before all others.
async fn set_aside(desk: &Arc<Desk>, partition: u32, work: &mut Work, messages: &[MessageId]) -> Result<(), Error> {
    let again = desk.now() + ASIDE;
    let mut ops = Vec::new();
    for message in messages {
        let loaded = work.case(*message, sms::RecordKey(0)).loaded.as_ref();
        if let Some(broken) = loaded.filter(|loaded| loaded.state.is_none()) {
            if let Some(invalid) = &broken.invalid {
                metrics::dead("store/state", invalid.fault().as_str());
                if invalid.fault() != Fault::Newer {
                    desk.damaged(*message);
                }
            }
            ops.push(aside(*message, broken, partition, again));
        }
    }
    if ops.is_empty() {
        return Ok(());
    }
    if TOLD.is_due("states") {
        let states = ops.len();
        warn!(states, "states that cannot be read are due: looked at again in an hour");
    }
    ledger::apply(desk, ops).await.map(drop)
}

/// Keeps what is there as it is, due `again`; it goes then if its time is over.
fn aside(message: MessageId, broken: &Loaded, partition: u32, again: UnixMs) -> Op {
    Op::Swap {
        key: keys::state(message),
        expected: Some(broken.version),
        value: Some(broken.octets.clone()),
        expires_at_ms: (message.instant() + ASIDE_KEPT).max(again).0,
        due: Some(Due {
            partition,
            second: again.second_ceil(),
        }),
    }
}
