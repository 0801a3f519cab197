//! Every field from outside has a limit and a clear error.

use prost_types::Duration;
use signalbox_proto::pb::signalbox::{ingest::v1 as pb, sms::v1 as pb_sms};
use tonic::Code;

use crate::rig::{ACME, Rig, ZENO, binary, request, submission, text, violations};

/// What a case does to a good submission.
type Change = fn(&mut pb::Submission);

/// Breaks one field after the other: the error names it, its value and its limit, and says nothing of the others.
#[tokio::test]
async fn every_refused_field_is_named_with_its_limit() {
    let cases: Vec<(&str, &str, Change)> = vec![
        ("to", "missing: wanted are 3 to 15 digits", |m| m.to.clear()),
        (
            "to",
            "\"1*\": number has 2 characters, allowed are 3 to 15 digits",
            |m| m.to = "12".into(),
        ),
        ("to", "number has 16 characters", |m| m.to = "+4477009000011234".into()),
        ("to", "contains ' ', allowed are digits", |m| {
            m.to = "447700 900001".into()
        }),
        ("from", "missing: wanted is a name of up to 11 characters", |m| {
            m.from.clear()
        }),
        ("from", "sender has 12 characters, allowed are 1 to 11", |m| {
            m.from = "ACME-PARCELS".into()
        }),
        ("from", "sender has 17 characters, allowed are 1 to 16", |m| {
            m.from = "+4477009000011234".into()
        }),
        ("from", "contains 'é'", |m| m.from = "café".into()),
        ("content", "missing: wanted is text or binary", |m| m.content = None),
        ("content", "missing", |m| {
            m.content = Some(pb_sms::Content { body: None })
        }),
        ("content.text", "0 octets of UTF-8, allowed are 1 to 4000", |m| {
            m.content = text("")
        }),
        ("content.text", "4001 octets of UTF-8", |m| {
            m.content = text(&"a".repeat(4_001))
        }),
        ("content.binary.data", "0 octets, allowed are 1 to 2000", |m| {
            m.content = binary(0, &[])
        }),
        ("content.binary.data", "2001 octets", |m| m.content = binary(2_001, &[])),
        ("content.binary.header", "141 octets", |m| {
            m.content = binary(136, &[0x24, 2, 1, 1])
        }),
        ("content.binary.header", "not a list of elements", |m| {
            m.content = binary(1, &[0x24])
        }),
        (
            "content",
            "takes 11 segments (1531 units of gsm7), this account may send 10",
            |m| {
                m.content = text(&"a".repeat(1_531));
            },
        ),
        ("class", "4, allowed are", |m| m.class = 4),
        ("ttl", "0 s and 0 ns, allowed are 1 s to 86400 s", |m| {
            m.ttl = Some(Duration { seconds: 0, nanos: 0 })
        }),
        ("ttl", "86401 s", |m| {
            m.ttl = Some(Duration {
                seconds: 86_401,
                nanos: 0,
            })
        }),
        ("receipt", "3, allowed are 0 to 2", |m| m.receipt = 3),
        ("reference", "has 129 octets, allowed are up to 128", |m| {
            m.reference = "r".repeat(129)
        }),
        ("reference", "contains '\\n', control characters", |m| {
            m.reference = "a\nb".into()
        }),
        ("idempotency_key", "has 129 octets, allowed are up to 128", |m| {
            m.idempotency_key = "k".repeat(129)
        }),
        ("idempotency_key", "contains '\\0'", |m| m.idempotency_key = "\0".into()),
    ];
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    for (field, what, change) in cases {
        let mut message = submission();
        change(&mut message);
        let status = client.submit(request(message)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}: {what}");
        let found = violations(&status, "INVALID_FIELD");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].0, format!("message.{field}"));
        assert!(found[0].1.contains(what), "{what} is not in {found:?}");
        assert!(status.message().contains(what), "{what} is not in {}", status.message());
        assert!(
            !status.message().contains("90000"),
            "the number is masked: {}",
            status.message()
        );
    }
    assert!(rig.accepted(0).await.is_empty());
}

#[tokio::test]
async fn all_refused_fields_are_named_at_once() {
    let rig = Rig::start().await;
    let message = pb::Submission {
        class: 9,
        receipt: 9,
        ..pb::Submission::default()
    };
    let status = rig.client(ACME).await.submit(request(message)).await.unwrap_err();
    let fields: Vec<_> = violations(&status, "INVALID_FIELD")
        .into_iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(
        fields,
        [
            "message.to",
            "message.from",
            "message.content",
            "message.class",
            "message.receipt"
        ]
    );
    let status = rig
        .client(ACME)
        .await
        .submit(pb::SubmitRequest { message: None })
        .await
        .unwrap_err();
    assert_eq!(violations(&status, "INVALID_FIELD")[0].0, "message");
}

#[tokio::test]
async fn values_at_their_limits_are_accepted() {
    let cases: Vec<Change> = vec![
        |m| m.to = "112".into(),
        |m| m.to = "+123456789012345".into(),
        |m| m.from = "ACME-PARCEL".into(),
        |m| m.from = "+447700900001".into(),
        |m| m.content = text(&"€".repeat(1_333)),
        |m| m.content = text(&"ж".repeat(2_000)),
        |m| m.content = binary(2_000, &[]),
        |m| m.content = binary(135, &[0x24, 2, 1, 1]),
        |m| m.ttl = Some(Duration { seconds: 1, nanos: 0 }),
        |m| {
            m.ttl = Some(Duration {
                seconds: 86_400,
                nanos: 0,
            })
        },
        |m| m.reference = "r".repeat(128),
        |m| m.idempotency_key = "k".repeat(128),
    ];
    let rig = Rig::start().await;
    let mut client = rig.client(ZENO).await;
    for (place, change) in cases.into_iter().enumerate() {
        let mut message = submission();
        change(&mut message);
        client
            .submit(request(message))
            .await
            .unwrap_or_else(|status| panic!("case {place}: {status:?}"));
    }
}

#[tokio::test]
async fn the_message_on_the_bus_is_the_one_asked_for() {
    let rig = Rig::start().await;
    let message = pb::Submission {
        class: pb_sms::MessageClass::Promotional.into(),
        ttl: Some(Duration {
            seconds: 90,
            nanos: 500_000_000,
        }),
        receipt: pb::ReceiptWish::None.into(),
        reference: "order 7".to_owned(),
        content: text(&"ж".repeat(71)),
        ..submission()
    };
    let accepted = rig
        .client(ACME)
        .await
        .submit(request(message))
        .await
        .unwrap()
        .into_inner()
        .accepted
        .unwrap();
    assert_eq!((accepted.encoding(), accepted.segments), (pb_sms::Encoding::Ucs2, 2));
    let message = rig.accepted(1).await.pop().unwrap();
    assert_eq!(message.id.to_string(), accepted.message_id);
    assert_eq!(
        (message.account.as_str(), message.from.as_str(), message.to.digits()),
        ("acme", "ACME", "447700900001")
    );
    assert_eq!(
        (message.class, message.ttl),
        (sms::Class::Promotional, Some(std::time::Duration::from_millis(90_500)))
    );
    assert_eq!(
        (message.receipt, message.reference.as_str(), message.segments),
        (false, "order 7", 2)
    );
    assert_eq!(message.content, sms::Content::Text("ж".repeat(71)));
    assert_eq!(message.accepted_at, message.id.instant());
}
