//! What is said of topics that are there.

use super::*;
use crate::Topic;

fn problems_of(retention: Retention, settings: &[(&str, &str)]) -> Vec<String> {
    let spec = TopicSpec {
        topic: Topic::new("t"),
        partitions: 1,
        retention,
    };
    let setting = |name: &'static str| {
        settings
            .iter()
            .find(|(is, _)| *is == name)
            .map_or("", |(_, value)| value)
    };
    problems(&spec, setting)
}

const HOUR: Retention = Retention::Time(Duration::from_secs(3_600));

#[test]
fn a_topic_that_keeps_enough_is_fine() {
    for kept in ["3600000", "3600001", "-1"] {
        let settings = [
            ("retention.ms", kept),
            ("retention.bytes", "-1"),
            ("cleanup.policy", "delete"),
            ("message.timestamp.type", "LogAppendTime"),
        ];
        assert_eq!(problems_of(HOUR, &settings), Vec::<String>::new(), "{kept}");
    }
    let settings = [
        ("retention.ms", "1"),
        ("cleanup.policy", "compact"),
        ("max.message.bytes", "1048588"),
    ];
    assert_eq!(problems_of(Retention::Compacted, &settings), Vec::<String>::new());
}

#[test]
fn a_topic_that_keeps_too_little_is_named_with_the_setting() {
    let cases = [
        (HOUR, ("retention.ms", "3599999"), "retention.ms=3600000"),
        (HOUR, ("retention.bytes", "1000000"), "retention.bytes=-1"),
        (HOUR, ("cleanup.policy", "compact"), "cleanup.policy=delete"),
        (HOUR, ("max.message.bytes", "1000012"), "max.message.bytes=1048576"),
        (HOUR, ("message.timestamp.type", "CreateTime"), "=LogAppendTime"),
        (
            Retention::Compacted,
            ("cleanup.policy", "delete"),
            "cleanup.policy=compact",
        ),
    ];
    for (retention, setting, help) in cases {
        let problems = problems_of(retention, &[setting]);
        assert!(problems.len() == 1 && problems[0].contains(help), "{problems:?}");
    }
}
