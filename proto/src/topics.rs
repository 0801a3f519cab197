//! Names of the bus topics: the one place that knows them.

use bus::{Retention, Topic, TopicSpec};
use sms::{CarrierName, Lane};
use std::time::Duration;

/// Partitions of every topic that carries messages: equal, so that equal keys meet in equal partitions.
pub const PARTITIONS_DEFAULT: u32 = 8;

/// Retention of every topic that carries messages: the longest deadline (24 h) + its grace + 24 h.
pub const RETENTION_DEFAULT: Duration = Duration::from_secs((24 + 24 + 1) * 3_600);

/// The fixed delays a message can wait, shortest first, with the word in the topic's name.
pub const DELAYS: [(&str, Duration); 7] = [
    ("5s", Duration::from_secs(5)),
    ("30s", Duration::from_secs(30)),
    ("2m", Duration::from_secs(120)),
    ("10m", Duration::from_secs(600)),
    ("1h", Duration::from_secs(3_600)),
    ("6h", Duration::from_secs(6 * 3_600)),
    ("24h", Duration::from_secs(24 * 3_600)),
];

/// Messages that were answered OK.
pub fn accepted(lane: Lane) -> Topic {
    Topic::new(format!("signalbox.accepted.{lane}"))
}

/// Orders for one carrier.
pub fn dispatch(carrier: &CarrierName, lane: Lane) -> Topic {
    Topic::new(format!("signalbox.dispatch.{carrier}.{lane}"))
}

/// Name of the carrier in the name of one of its dispatch topics; `None` = it is none.
pub fn carrier_of_dispatch(topic: &str) -> Option<&str> {
    let (carrier, lane) = topic.strip_prefix("signalbox.dispatch.")?.rsplit_once('.')?;
    Lane::ALL.iter().any(|known| known.as_str() == lane).then_some(carrier)
}

/// Messages that wait for `delay`, one of the words of [`DELAYS`].
pub fn retry(delay: &str) -> Topic {
    Topic::new(format!("signalbox.retry.{delay}"))
}

/// Messages that wait until it is known who serves their recipients.
pub fn lookup(lane: Lane) -> Topic {
    Topic::new(format!("signalbox.lookup.{lane}"))
}

/// What became of orders.
pub fn outcomes() -> Topic {
    Topic::new("signalbox.outcomes")
}

/// Receipts that found their message.
pub fn receipts() -> Topic {
    Topic::new("signalbox.receipts")
}

/// Receipts that wait for their message.
pub fn unmatched() -> Topic {
    Topic::new("signalbox.unmatched")
}

/// Messages from handsets.
pub fn inbound() -> Topic {
    Topic::new("signalbox.inbound")
}

/// One terminal event per message, and late receipts.
pub fn events() -> Topic {
    Topic::new("signalbox.events")
}

/// Records that were put aside: their octets and the reason.
pub fn dead() -> Topic {
    Topic::new("signalbox.dead")
}

/// Health and backlog of each carrier, compacted.
pub fn carriers() -> Topic {
    Topic::new("signalbox.carriers")
}

/// When the store was rebuilt last, compacted; empty = there never was one.
pub fn store() -> Topic {
    Topic::new("signalbox.store")
}

/// Published routing tables, compacted; one partition, whose order decides which of two publications came first.
pub fn tables() -> Topic {
    Topic::new("signalbox.tables")
}

/// Every topic there is whatever the carriers, as it shall be created.
pub fn fixed(partitions: u32) -> Vec<TopicSpec> {
    let timed = |topic| TopicSpec {
        topic,
        partitions,
        retention: Retention::Time(RETENTION_DEFAULT),
    };
    let mut specs: Vec<_> = Lane::ALL.into_iter().map(|lane| timed(accepted(lane))).collect();
    specs.extend(Lane::ALL.map(|lane| timed(lookup(lane))));
    specs.extend(DELAYS.iter().map(|(word, _)| timed(retry(word))));
    specs.extend([outcomes(), receipts(), unmatched(), inbound(), events(), dead()].map(timed));
    specs.extend([carriers(), store(), tables()].map(|topic| TopicSpec {
        topic,
        partitions: 1,
        retention: Retention::Compacted,
    }));
    specs
}

/// The dispatch topics of `carrier`, as they shall be created.
pub fn of_carrier(carrier: &CarrierName, partitions: u32) -> Vec<TopicSpec> {
    let retention = Retention::Time(RETENTION_DEFAULT);
    Lane::ALL
        .into_iter()
        .map(|lane| TopicSpec {
            topic: dispatch(carrier, lane),
            partitions,
            retention,
        })
        .collect()
}
