//! What every backend must do, one test for each guarantee by its number.
//!
//! A backend brings a [`Fixture`] and calls [`suite!`](crate::conformance_suite), which makes a test of each function here.
//! Every test uses topics and groups of its own, so one log can serve them all.
#![expect(clippy::unwrap_used, reason = "this module is made of tests")]

mod deliver;
mod durable;
mod read;

pub use deliver::*;
pub use durable::*;
pub use read::*;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;

use crate::{Batch, Bus, Record, Retention, Stored, Subscribe, Topic, TopicSpec};

/// Partitions of the topics under test.
const PARTITIONS: u32 = 4;

/// A backend under test.
pub trait Fixture: Send {
    /// The log.
    fn bus(&self) -> Arc<dyn Bus>;

    /// Drops the log and opens it again; false if this backend does not outlive its process.
    fn restart(&mut self) -> BoxFuture<'_, bool>;

    /// Lets `duration` pass on the clock of the log, or at least a moment where that is real; false if it cannot.
    fn advance(&mut self, duration: Duration) -> bool;
}

/// Makes a test of every function of this module; `$fixture` is an async expression that gives a fresh [`Fixture`].
#[macro_export]
macro_rules! conformance_suite {
    ($fixture:expr) => {
        $crate::conformance_suite! { @tests $fixture;
            b1_what_is_committed_is_there_after_a_restart
            b1_topics_are_there_after_a_restart
            b1_positions_rise_over_a_restart
            b2_records_of_one_key_keep_their_order
            b3_every_group_gets_every_record
            b3_what_was_not_acked_comes_again
            b3_what_was_not_acked_comes_again_after_a_restart
            b3_a_late_group_begins_at_the_oldest_record
            b4_an_ack_covers_what_came_before_it_and_nothing_after
            b5_an_ack_after_a_revocation_says_so
            b5_two_members_share_without_overlap
            b6_a_call_over_a_limit_is_refused_whole
            b6_a_slow_reader_gets_all_in_batches_of_the_size_it_asks_for
            b7_closing_refuses_what_comes_later
            b7_closing_wakes_who_waits
            partitions_take_turns
            a_wait_that_is_dropped_loses_nothing
            a_reader_goes_on_where_its_position_says
            a_reader_begins_at_an_instant
            a_reader_at_the_end_sees_only_what_comes_later
            a_reader_knows_that_it_is_past_an_end
            a_reader_refuses_a_position_of_another_topic
            a_compacted_topic_keeps_the_last_record_of_each_key
            an_empty_value_takes_its_key_off_a_compacted_topic
            a_topic_with_another_partition_count_is_refused
            each_topic_has_a_member_of_its_own
            the_backlog_is_what_was_not_handed_out
            an_unknown_topic_is_refused
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

/// Creates the topic of one test.
async fn topic(bus: &dyn Bus, name: &str) -> Topic {
    topic_with(bus, name, Retention::Time(Duration::from_secs(3_600))).await
}

async fn topic_with(bus: &dyn Bus, name: &str, retention: Retention) -> Topic {
    let topic = Topic::new(format!("conformance.{name}"));
    bus.ensure(&[TopicSpec {
        topic: topic.clone(),
        partitions: PARTITIONS,
        retention,
    }])
    .await
    .unwrap();
    topic
}

/// A key of partition `partition`.
fn key_in(partition: u32) -> u64 {
    (u64::MAX / u64::from(PARTITIONS)) * u64::from(partition) + u64::from(partition) + 1
}

/// Publishes `values` with keys that rise through all partitions, and waits until they are safe.
async fn publish(bus: &dyn Bus, topic: &Topic, values: std::ops::Range<u32>) {
    let record = |value: u32| Record::new(key_in(value % PARTITIONS), value.to_string());
    bus.publish(topic, values.map(record).collect())
        .await
        .unwrap()
        .await
        .unwrap();
}

/// Publishes `values` with one key, and waits until they are safe.
async fn publish_to(bus: &dyn Bus, topic: &Topic, key: u64, values: std::ops::Range<u32>) {
    let records = values.map(|value| Record::new(key, value.to_string())).collect();
    bus.publish(topic, records).await.unwrap().await.unwrap();
}

fn value(record: &Stored) -> u32 {
    std::str::from_utf8(&record.value).unwrap().parse().unwrap()
}

fn values(batch: &Batch) -> Vec<u32> {
    batch.records.iter().map(value).collect()
}

/// Takes and acks batches until `count` records have come; their values in order.
async fn take(member: &mut dyn Subscribe, count: usize) -> Vec<u32> {
    let mut taken = Vec::new();
    while taken.len() < count {
        let batch = member.next_batch(7).await.unwrap();
        taken.extend(values(&batch));
        member.ack(&batch.delivered).await.unwrap();
    }
    taken.sort_unstable();
    taken
}

/// Waits until something is so, where it takes a while.
#[expect(clippy::disallowed_methods, reason = "members of a real log agree in real time")]
async fn settled(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not so after 30 s: {what}");
}
