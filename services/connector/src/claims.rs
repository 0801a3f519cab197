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
    /// Ours, and never sent: send it.
    Go,
    /// Ours since an earlier delivery, which answered it: nothing to do.
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

fn owner(carrier: &CarrierName, incarnation: &Incarnation) -> Bytes {
    format!("{carrier}/{}", incarnation.as_str()).into()
}

/// The claim on `order` by this run.
pub(crate) fn claim(order: &Order, incarnation: &Incarnation) -> Op {
    let expires = order.terms.deadline + order.terms.grace + CLAIM_KEPT;
    Op::Claim {
        key: keys::claim(order.message.id, order.number),
        owner: owner(&order.carrier, incarnation),
        expires_at_ms: expires.0,
    }
}

/// What `applied` means. `is_retry` = an earlier call with this very claim may have won it without our hearing of it.
pub(crate) fn ruling(applied: &Applied, carrier: &CarrierName, is_retry: bool) -> Ruling {
    match applied {
        Applied::Claimed => Ruling::Go,
        Applied::Reclaimed if is_retry => Ruling::Go,
        Applied::Reclaimed => Ruling::Repeat,
        Applied::Held { owner } if owner == keys::ROUTER_OWNER => Ruling::TakenBack,
        Applied::Held { owner } => match other_run(owner, carrier) {
            Some(incarnation) => Ruling::Elsewhere { incarnation },
            None => Ruling::Twin,
        },
        Applied::Written(_) | Applied::Conflict(_) | Applied::Removed => {
            unreachable!("the store answers a claim as a claim")
        }
    }
}

fn other_run(owner: &[u8], carrier: &CarrierName) -> Option<String> {
    let owner = std::str::from_utf8(owner).ok()?;
    let (name, incarnation) = owner.split_once('/')?;
    (name == carrier.as_str()).then(|| incarnation.to_owned())
}

/// Applies `claims` until the store made them safe. True = it took more than one try.
pub(crate) async fn apply(store: Arc<dyn Store>, claims: Vec<Op>) -> (Vec<Applied>, bool) {
    let mut is_retry = false;
    loop {
        match apply_once(&*store, claims.clone()).await {
            Ok(applied) => return (applied, is_retry),
            Err(error) => {
                warn!(%error, claims = claims.len(), "the store did not make claims safe, nothing of them is sent yet");
                is_retry = true;
                time::sleep(RETRY).await;
            }
        }
    }
}

async fn apply_once(store: &dyn Store, claims: Vec<Op>) -> Result<Vec<Applied>, StoreError> {
    let (applied, commit) = store.apply(claims).await?;
    commit.await?;
    Ok(applied)
}

#[cfg(test)]
mod tests;
