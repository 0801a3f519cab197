//! What every backend must do, one test for each guarantee by its number.
//!
//! A backend brings a [`Fixture`] and calls [`suite!`](crate::conformance_suite), which makes a test of each function here.
//! Every test uses keys and partitions of its own, so one store can serve them all.
#![expect(clippy::unwrap_used, reason = "this module is made of tests")]

mod durable;
mod keyed;

pub use durable::*;
pub use keyed::*;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;

use crate::{Applied, Due, Key, Op, Store, Versioned};

/// A backend under test.
pub trait Fixture: Send {
    /// The store.
    fn store(&self) -> Arc<dyn Store>;

    /// Drops the store and opens it again; false if this backend does not outlive its process.
    fn restart(&mut self) -> BoxFuture<'_, bool>;

    /// Loses everything, as a broken disk would; false if this backend cannot be made to.
    fn lose(&mut self) -> BoxFuture<'_, bool>;

    /// The time of the store's clock, in milliseconds since the epoch.
    fn now_ms(&self) -> u64;

    /// Lets `duration` pass on the store's clock.
    fn advance(&mut self, duration: Duration) -> BoxFuture<'_, ()>;
}

/// Makes a test of every function of this module; `$fixture` is an async expression that gives a fresh [`Fixture`].
#[macro_export]
macro_rules! conformance_suite {
    ($fixture:expr) => {
        $crate::conformance_suite! { @tests $fixture;
            s1_a_claim_is_won_by_one_owner
            s1_a_claim_that_lapsed_is_won_by_another
            s1_claiming_again_makes_a_claim_last_longer
            s2_a_swap_needs_the_version_that_is_there
            s2_a_version_never_comes_back
            s3_the_due_index_follows_the_value
            s3_due_entries_come_earliest_first
            s3_a_due_entry_set_into_the_past_is_found
            s4_what_has_expired_is_absent_with_its_due_entry
            s4_an_expired_key_is_as_good_as_new
            s5_what_is_committed_is_there_after_a_restart
            s5_what_is_removed_stays_so_after_a_restart
            s6_an_operation_that_loses_undoes_no_other
            s6_operations_of_one_call_see_each_other
            s6_a_call_as_large_as_may_be_is_answered_in_its_order
            s7_the_epoch_stays_while_nothing_is_lost
            s7_a_loss_is_noticed_before_anything_is_done
            s7_a_rebuilder_that_died_is_followed_by_another
            s7_a_store_lost_again_shuts_its_rebuilder_out
            a_call_over_a_limit_is_refused_whole
            a_scan_goes_through_a_prefix_in_order
        }
    };
    (@tests $fixture:expr; $($name:ident)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                $crate::conformance::$name(&mut $fixture.await).await;
            }
        )*
    };
}

/// Applies `ops` and waits until they are safe.
async fn apply(fixture: &dyn Fixture, ops: Vec<Op>) -> Vec<Applied> {
    let (applied, commit) = fixture.store().apply(ops).await.unwrap();
    commit.await.unwrap();
    applied
}

async fn one(fixture: &dyn Fixture, op: Op) -> Applied {
    apply(fixture, vec![op]).await.remove(0)
}

async fn get(fixture: &dyn Fixture, key: &Key) -> Option<Versioned> {
    fixture.store().get(vec![key.clone()]).await.unwrap().remove(0)
}

/// Keys due in `partition` at `second`.
async fn due(fixture: &dyn Fixture, partition: u32, second: u64) -> Vec<Key> {
    let entries = fixture.store().due(partition, second, 100).await.unwrap();
    assert!(entries.is_sorted_by_key(|entry| entry.second), "not earliest first");
    entries.into_iter().map(|entry| entry.key).collect()
}

fn claim(fixture: &dyn Fixture, key: &Key, owner: &'static str, seconds: u64) -> Op {
    Op::Claim {
        key: key.clone(),
        owner: owner.into(),
        expires_at_ms: fixture.now_ms() + seconds * 1_000,
    }
}

fn put(fixture: &dyn Fixture, key: &Key, value: &'static str) -> Op {
    Op::Put {
        key: key.clone(),
        value: value.into(),
        expires_at_ms: fixture.now_ms() + 3_600_000,
    }
}

/// A swap to `value`, due as said, that lasts an hour.
fn swap(
    fixture: &dyn Fixture,
    key: &Key,
    expected: Option<u64>,
    value: Option<&'static str>,
    due: Option<(u32, u64)>,
) -> Op {
    let due = due.map(|(partition, second)| Due { partition, second });
    let expires_at_ms = fixture.now_ms() + 3_600_000;
    Op::Swap {
        key: key.clone(),
        expected,
        value: value.map(Into::into),
        expires_at_ms,
        due,
    }
}

fn version(applied: &Applied) -> u64 {
    match applied {
        Applied::Written(version) => *version,
        other => panic!("not written but {other:?}"),
    }
}
