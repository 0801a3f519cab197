//! Whatever comes over the wire is either refused with reasons or a draft that can be sent.

use proptest::prelude::*;
use sms::{Reference, segment};

use super::*;

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\+?[0-9]{0,17}",
        "[A-Za-z0-9 ]{0,13}",
        "\\PC{0,200}",
        any::<String>(),
        "[a€\\[ж😀]{0,1400}",
    ]
}

fn octets(limit: usize) -> impl Strategy<Value = bytes::Bytes> {
    prop::collection::vec(any::<u8>(), 0..limit).prop_map(bytes::Bytes::from)
}

fn contents() -> impl Strategy<Value = Option<PbContent>> {
    let text = words().prop_map(Body::Text);
    let header = prop_oneof![
        Just(bytes::Bytes::new()),
        octets(150),
        Just(bytes::Bytes::from_static(&[0x24, 1, 1]))
    ];
    let binary = (octets(2_100), header).prop_map(|(data, header)| Body::Binary(Binary { data, header }));
    prop::option::of(prop_oneof![text, binary].prop_map(|body| PbContent { body: Some(body) }))
}

fn submissions() -> impl Strategy<Value = Submission> {
    let ttl = prop::option::of((any::<i64>(), any::<i32>()))
        .prop_map(|ttl| ttl.map(|(seconds, nanos)| prost_types::Duration { seconds, nanos }));
    (
        words(),
        words(),
        contents(),
        -1..5_i32,
        ttl,
        -1..4_i32,
        words(),
        words(),
    )
        .prop_map(
            |(to, from, content, class, ttl, receipt, reference, idempotency_key)| Submission {
                to,
                from,
                content,
                class,
                ttl,
                receipt,
                reference,
                idempotency_key,
            },
        )
}

proptest! {
    /// Random submissions, and the same with good addresses so that more of them pass: what is refused says why, and what is
    /// accepted can be cut into exactly the segments that were counted.
    #[test]
    fn a_draft_can_be_sent_as_counted(random in submissions(), segments_max in 1..=255_u8) {
        let addressed = Submission {
            to: "447700900001".to_owned(),
            from: "ACME".to_owned(),
            class: 1,
            ttl: None,
            receipt: 0,
            reference: String::new(),
            idempotency_key: String::new(),
            ..random.clone()
        };
        for submission in [random, addressed] {
            match draft(submission, segments_max) {
                Ok(draft) => {
                    let parts = segment(&draft.content, draft.encoding, Reference::Short(1)).unwrap();
                    prop_assert_eq!(parts.len(), usize::from(draft.segments));
                    prop_assert!(draft.segments <= segments_max);
                }
                Err(Refusal::Invalid(violations)) => {
                    prop_assert!(!violations.is_empty());
                    prop_assert!(violations.iter().all(|violation| violation.what.len() < 400), "{:?}", violations);
                }
                Err(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}
