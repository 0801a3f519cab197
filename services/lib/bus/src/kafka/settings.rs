//! The settings of topics on Kafka: those they are made with, and what is wrong with those that are there.

use std::time::Duration;

use super::config::BATCH_OCTETS_MAX;
use crate::{Retention, TopicSpec};

/// Copies that a record must have before it is acknowledged, of topics with three copies or more.
const COPIES_MIN: &str = "2";
/// Segments that a retention is cut into: what is kept too long is at most one part of so many.
const SEGMENTS_PER_RETENTION: u32 = 16;
/// Shortest time a segment is written to, so that a short retention does not make many small ones.
const SEGMENT_MIN: Duration = Duration::from_secs(600);
/// How long a segment of a compacted topic is written to.
const COMPACTED_SEGMENT: Duration = Duration::from_secs(300);

/// The settings to make a topic with.
pub(super) fn wanted(spec: &TopicSpec, replication: Option<u16>) -> Vec<(&'static str, String)> {
    // Instants are the broker's, so that they rise within a partition whoever published.
    let mut settings = vec![
        ("message.timestamp.type", "LogAppendTime".to_owned()),
        ("max.message.bytes", BATCH_OCTETS_MAX.to_string()),
    ];
    if replication.is_some_and(|copies| copies >= 3) {
        settings.push(("min.insync.replicas", COPIES_MIN.to_owned()));
    }
    match spec.retention {
        Retention::Compacted => {
            // The newest segment is never compacted: it is kept short, so that who reads all reads little twice.
            let segment = COMPACTED_SEGMENT.as_millis().to_string();
            settings.push(("cleanup.policy", "compact".to_owned()));
            settings.push(("segment.ms", segment.clone()));
            settings.push(("max.compaction.lag.ms", segment));
            settings.push(("min.cleanable.dirty.ratio", "0.1".to_owned()));
        }
        Retention::Time(kept) => {
            // Only whole segments are dropped, so a segment is a part of the retention.
            let segment = (kept / SEGMENTS_PER_RETENTION).max(SEGMENT_MIN);
            settings.push(("cleanup.policy", "delete".to_owned()));
            settings.push(("retention.ms", kept.as_millis().to_string()));
            settings.push(("retention.bytes", "-1".to_owned()));
            settings.push(("segment.ms", segment.as_millis().to_string()));
        }
    }
    settings
}

/// What is wrong with a topic that has these settings.
pub(super) fn problems<'a>(spec: &TopicSpec, setting: impl Fn(&'static str) -> &'a str) -> Vec<String> {
    let mut problems = Vec::new();
    let is_compacted = setting("cleanup.policy").contains("compact");
    match spec.retention {
        Retention::Compacted if !is_compacted => {
            problems.push("it loses records that must stay: set cleanup.policy=compact".to_owned());
        }
        Retention::Time(_) if is_compacted => {
            problems.push("it keeps one record of each key: set cleanup.policy=delete".to_owned());
        }
        Retention::Time(kept) => {
            let wanted_ms = kept.as_millis() as i64;
            let is_short = |kept_ms: i64| (0..wanted_ms).contains(&kept_ms);
            if setting("retention.ms").parse().is_ok_and(is_short) {
                problems.push(format!("it forgets too early: set retention.ms={wanted_ms} or more"));
            }
            if setting("retention.bytes").parse().is_ok_and(|octets: i64| octets >= 0) {
                problems.push("it forgets by size: set retention.bytes=-1".to_owned());
            }
        }
        Retention::Compacted => {}
    }
    if setting("message.timestamp.type") == "CreateTime" {
        problems.push("its instants are those of publishers: set message.timestamp.type=LogAppendTime".to_owned());
    }
    if setting("max.message.bytes")
        .parse()
        .is_ok_and(|octets: usize| octets < BATCH_OCTETS_MAX)
    {
        problems.push(format!(
            "large records do not fit: set max.message.bytes={BATCH_OCTETS_MAX}"
        ));
    }
    problems
}

#[cfg(test)]
mod tests;
