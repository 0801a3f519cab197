//! Who may send an order: the one whose claim is in the store, and nobody twice.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use journey::Order;
use service::time;
use signalbox_proto::keys;
use sms::CarrierName;
use store::{Applied, Op, Store, StoreError};
use tracing::warn;

use crate::lease::Incarnation;

/// How long a claim outlives the last instant at which its message may change: longer than the log keeps a record that
/// could bring the order again.
const CLAIM_KEPT: Duration = Duration::from_secs(24 * 3_600);
const RETRY: Duration = Duration::from_millis(200);

/// What a claim's result means for an order that came from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// Won by this very call, perhaps by a try of it whose answer was lost, so never sent: send it.
    Go,
    /// Ours since an earlier delivery, which answered it, or answered as the log says: nothing to do.
    Repeat,
    /// Claimed by another run of this carrier's connector: it answers while it lives.
    Elsewhere {
        /// The other run.
        incarnation: String,
    },
    /// Claimed by another carrier: not ours to send.
    Twin,
    /// Claimed by a router that took it back: not ours to send, and said so, in case the router died before it could act.
    TakenBack,
}

/// A claim names the call that made it: tried again after a lost answer it is won again, while the same order come again
/// later finds the claim of another call and is known as a repeat.
fn owner(carrier: &CarrierName, incarnation: &Incarnation, call: u64) -> Bytes {
    format!("{carrier}/{}/{call}", incarnation.as_str()).into()
}

/// The claim on `order` by the call with number `call` of this run; no two calls for one carrier share a number.
pub(crate) fn claim(order: &Order, incarnation: &Incarnation, call: u64) -> Op {
    let expires = order.terms.deadline + order.terms.grace + CLAIM_KEPT;
    Op::Claim {
        key: keys::claim(order.message.id, order.number),
        owner: owner(&order.carrier, incarnation, call),
        expires_at_ms: expires.0,
    }
}

/// What `applied` means for an order of `carrier` claimed by the run called `incarnation`.
pub(crate) fn ruling(applied: &Applied, carrier: &CarrierName, incarnation: &Incarnation) -> Ruling {
    match applied {
        Applied::Claimed | Applied::Reclaimed => Ruling::Go,
        Applied::Held { owner } if owner == keys::ROUTER_OWNER => Ruling::TakenBack,
        Applied::Held { owner } => match run_of(owner, carrier) {
            Some(run) if run == incarnation.as_str() || run == keys::ANSWERED_RUN => Ruling::Repeat,
            Some(run) => Ruling::Elsewhere { incarnation: run },
            None => Ruling::Twin,
        },
        Applied::Written(_) | Applied::Conflict(_) | Applied::Removed => {
            unreachable!("the store answers a claim as a claim")
        }
    }
}

fn run_of(owner: &[u8], carrier: &CarrierName) -> Option<String> {
    let owner = std::str::from_utf8(owner).ok()?;
    let (name, claimed_by) = owner.split_once('/')?;
    let run = claimed_by.split_once('/').map_or(claimed_by, |(run, _)| run);
    (name == carrier.as_str()).then(|| run.to_owned())
}

/// Applies `claims` until the store made them safe; `None` = it was lost, and whatever it took with it. What `is_patient` may
/// wait for the syncs of others.
pub(crate) async fn apply(store: Arc<dyn Store>, claims: Vec<Op>, is_patient: bool) -> Option<Vec<Applied>> {
    loop {
        match apply_once(&*store, claims.clone(), is_patient).await {
            Ok(applied) => return Some(applied),
            Err(StoreError::Lost) => return None,
            Err(error) => {
                warn!(%error, claims = claims.len(), "the store did not make claims safe, nothing of them is sent yet");
                time::sleep(RETRY).await;
            }
        }
    }
}

async fn apply_once(store: &dyn Store, claims: Vec<Op>, is_patient: bool) -> Result<Vec<Applied>, StoreError> {
    let (applied, commit) = store.apply(claims).await?;
    if is_patient {
        commit.patiently().await
    } else {
        commit.await
    }?;
    Ok(applied)
}

#[cfg(test)]
mod tests;
