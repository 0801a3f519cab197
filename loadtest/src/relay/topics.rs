//! The topics of one relay: as many hops as the router has.

use bus::{Retention, Topic, TopicSpec};
use signalbox_proto::topics::{PARTITIONS_DEFAULT, RETENTION_DEFAULT};

/// One topic for each hop.
#[derive(Clone, Debug)]
pub(super) struct Topics {
    pub(super) accepted: Topic,
    pub(super) orders: Topic,
    pub(super) outcomes: Topic,
    pub(super) receipts: Topic,
    pub(super) events: Topic,
}

impl Topics {
    /// Those of the relay called `word`, which no other relay on the same log uses.
    pub(super) fn of(word: &str) -> Self {
        let topic = |hop| Topic::new(format!("relay.{word}.{hop}"));
        Self {
            accepted: topic("accepted"),
            orders: topic("orders"),
            outcomes: topic("outcomes"),
            receipts: topic("receipts"),
            events: topic("events"),
        }
    }

    /// All of them, as they shall be created: like those of the router.
    pub(super) fn specs(&self) -> Vec<TopicSpec> {
        let Self {
            accepted,
            orders,
            outcomes,
            receipts,
            events,
        } = self;
        let all = [accepted, orders, outcomes, receipts, events];
        let spec = |topic: &Topic| TopicSpec {
            topic: topic.clone(),
            partitions: PARTITIONS_DEFAULT,
            retention: Retention::Time(RETENTION_DEFAULT),
        };
        all.into_iter().map(spec).collect()
    }
}
