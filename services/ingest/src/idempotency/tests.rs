//! What is stored under a key, and what it says.

use sms::{Class, Encoding, Msisdn, Sender};

use super::*;

fn draft() -> Draft {
    Draft {
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new("447700900001").unwrap(),
        content: Content::Text("hello".to_owned()),
        encoding: Encoding::Gsm7,
        segments: 1,
        class: Class::Transactional,
        ttl: None,
        receipt: true,
        reference: String::new(),
        idempotency_key: "k".to_owned(),
    }
}

#[test]
fn entries_read_back_and_others_do_not() {
    for is_final in [false, true] {
        let entry = Entry {
            is_final,
            id: MessageId(uuid::Uuid::from_u128(7)),
            digest: [9; 32],
        };
        assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
    }
    let octets = Entry {
        is_final: true,
        id: MessageId(uuid::Uuid::nil()),
        digest: [0; 32],
    }
    .to_bytes();
    for wrong in [
        &octets[..49],
        &[&octets[..], &[0]].concat(),
        &[&[3], &octets[1..]].concat(),
        &[],
    ] {
        assert_eq!(Entry::from_bytes(wrong), None, "{wrong:?}");
    }
}

/// Changes one field after the other: each makes another message, the key aside.
#[test]
fn digest_covers_all_that_is_said() {
    let changes: [fn(&mut Draft); 8] = [
        |draft| draft.from = Sender::new("ACM").unwrap(),
        |draft| draft.to = Msisdn::new("447700900002").unwrap(),
        |draft| draft.content = Content::Text("hello!".to_owned()),
        |draft| {
            draft.content = Content::Binary {
                data: "hello".into(),
                header: None,
            }
        },
        |draft| draft.class = Class::Otp,
        |draft| draft.ttl = Some(Duration::from_secs(1)),
        |draft| draft.receipt = false,
        |draft| draft.reference = "r".to_owned(),
    ];
    let digests = changes.map(|change| {
        let mut draft = draft();
        change(&mut draft);
        digest(&draft)
    });
    let binary = |encoding| digest(&Draft { encoding, ..draft() });
    assert_ne!(binary(Encoding::Binary), binary(Encoding::Gsm7));
    for (place, one) in digests.iter().enumerate() {
        assert!(place == 3 || *one != digest(&draft()), "change {place}");
        assert!(!digests[..place].contains(one), "change {place}");
    }
    assert_eq!(
        digest(&Draft {
            idempotency_key: "other".to_owned(),
            ..draft()
        }),
        digest(&draft())
    );
}
