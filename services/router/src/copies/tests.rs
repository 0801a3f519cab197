//! What a copy has of its original, and what of its own.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use sms::{AccountId, Class, Content, Encoding, Sender, UnixMs};

use super::*;

fn message() -> Message {
    Message {
        id: MessageId::of(UnixMs(1_795_262_400_000), [7; 10]),
        account: AccountId::new("acme").unwrap(),
        key: RecordKey(7),
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new("33639980001").unwrap(),
        content: Content::Text("hello".into()),
        encoding: Encoding::Gsm7,
        segments: 1,
        class: Class::Otp,
        accepted_at: UnixMs(1_795_262_400_003),
        ttl: None,
        receipt: true,
        reference: "r".to_owned(),
        copy_of: None,
        trace: None,
    }
}

fn copies(message: &Message, numbers: &[&str]) -> Vec<Message> {
    of(message, numbers.iter().copied()).collect()
}

#[test]
fn a_copy_is_the_message_as_asked_to_another_number() {
    let message = message();
    let [copy] = &copies(&message, &["447700900001"])[..] else {
        panic!("one number, one copy")
    };
    assert_eq!((copy.to.digits(), copy.copy_of), ("447700900001", Some(message.id)));
    assert_ne!((copy.id, copy.key), (message.id, message.key));
    assert_eq!(
        (copy.id.instant(), copy.id.0.get_version_num()),
        (message.id.instant(), 7)
    );
    let as_asked = Message {
        id: message.id,
        key: message.key,
        to: message.to.clone(),
        copy_of: None,
        ..copy.clone()
    };
    assert_eq!(as_asked, message);
}

#[test]
fn equal_questions_get_equal_copies_and_others_get_others() {
    let message = message();
    let (one, two) = ("447700900001", "447700900002");
    assert_eq!(copies(&message, &[one, two, one]), copies(&message, &[two, one]));
    let mut names: Vec<_> = copies(&message, &[one, two]).iter().map(|copy| copy.id).collect();
    let other = Message {
        id: MessageId::of(message.id.instant(), [8; 10]),
        ..message.clone()
    };
    names.extend(copies(&other, &[one]).iter().map(|copy| copy.id));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 3);
}

#[test]
fn a_copy_is_not_copied() {
    let copy = copies(&message(), &["447700900001"]).remove(0);
    assert_eq!(copies(&copy, &["447700900002"]), []);
}
