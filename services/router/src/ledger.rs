//! Brings the cases of a batch into the store, all of them with one call per round.

use std::sync::Arc;

use journey::Event;
use sms::MessageId;
use store::{Applied, Commit, Op, StoreError};

use crate::{
    Error,
    case::{Case, Settled, Step},
    desk::Desk,
};

/// Rounds after which a batch is given up as a bug: each costs a lost race against another router.
const ROUNDS_MAX: usize = 1_000;

/// What became of a batch.
#[derive(Default)]
pub(crate) struct Entered {
    pub(crate) settled: Vec<Settled>,
    /// Resolve when everything written is safe.
    pub(crate) commits: Vec<Commit>,
}

/// Folds and writes `cases` until the store agrees with all of them.
pub(crate) async fn enter(desk: &Arc<Desk>, cases: Vec<Case>) -> Result<Entered, Error> {
    let mut entered = Entered {
        settled: Vec::with_capacity(cases.len()),
        commits: Vec::new(),
    };
    let mut open = cases;
    // A claim won under one epoch must not be counted on in the next.
    let _epoch = desk.epochs.stay().await;
    for _ in 0..ROUNDS_MAX {
        let mut asked = Vec::with_capacity(open.len());
        let mut ops = Vec::with_capacity(open.iter().map(|case| 1 + case.beside.len()).sum());
        let mut known = Vec::new();
        let now = desk.now();
        for mut case in open {
            match case.step(desk, now) {
                Step::Done(settled) => {
                    // A state made again from the log may know an answer whose ids nobody entered as yet.
                    known.append(&mut case.beside);
                    entered.settled.push(settled);
                }
                Step::Ask(op, _) if case.calls_off_too_soon(&op, desk, now) => {
                    let why = "an order from before the loss is left to its connector for a moment".to_owned();
                    return Err(Error::Store(StoreError::Away(why)));
                }
                Step::Ask(op, settled) => {
                    ops.push(op.clone());
                    let beside = std::mem::take(&mut case.beside);
                    let ops_of_case = 1 + beside.len();
                    ops.extend(beside);
                    asked.push((case, op, settled, ops_of_case));
                }
            }
        }
        ops.append(&mut known);
        if ops.is_empty() {
            return Ok(entered);
        }
        let (applied, commits) = apply(desk, ops).await?;
        entered.commits.extend(commits);
        open = Vec::new();
        let mut applied = applied.into_iter();
        for (mut case, op, mut settled, ops_of_case) in asked {
            let mut own = applied.by_ref().take(ops_of_case);
            let first = own.next().expect("the store answers every operation");
            own.for_each(drop);
            remember(desk, case.message, &op, &first, &settled);
            if case.applied(&op, first, &mut settled) {
                entered.settled.push(settled);
            } else {
                open.push(case);
            }
        }
        if open.is_empty() {
            return Ok(entered);
        }
    }
    unreachable!("a batch settles within {ROUNDS_MAX} rounds")
}

/// Remembers a state that was written and waits for receipts.
fn remember(desk: &Desk, message: MessageId, op: &Op, applied: &Applied, settled: &Settled) {
    let is_over = settled.confirm.is_some() || settled.tells.iter().any(|event| matches!(event, Event::Ended(_)));
    if let (
        false,
        Op::Swap {
            value: Some(octets), ..
        },
        Applied::Written(version),
    ) = (is_over, op, applied)
    {
        let epoch = desk.epochs.number();
        desk.remembered.put(epoch, message, *version, octets.clone());
    }
}

/// Applies `ops`; waits while the store is away. What was applied without our hearing of it shows as a conflict with
/// ourselves, which the fold takes as a repeat.
pub(crate) async fn apply(desk: &Arc<Desk>, ops: Vec<Op>) -> Result<(Vec<Applied>, Vec<Commit>), Error> {
    let mut results = Vec::with_capacity(ops.len());
    let mut commits = Vec::new();
    for ops in ops.chunks(store::OPS_MAX) {
        let (applied, commit) = loop {
            match desk.store().apply(ops.to_vec()).await {
                Ok(applied) => break applied,
                Err(error) => wait_for_store(desk, error).await?,
            }
        };
        results.extend(applied);
        commits.push(commit);
    }
    Ok((results, commits))
}

/// Waits a moment if the store is away. What was learnt of a store that was lost since is worth nothing: it is asked anew.
pub(crate) async fn wait_for_store(desk: &Arc<Desk>, error: StoreError) -> Result<(), Error> {
    let is_away = error.is_passing() && error != StoreError::Lost;
    desk.away("the store", &error, is_away)
        .await
        .map_err(|()| Error::Store(error))
}
