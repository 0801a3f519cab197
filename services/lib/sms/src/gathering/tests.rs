//! What parts make of each other, in every order.

use super::*;
use crate::{CarrierName, Charset, Concatenation, Reference};

const RULES: GatherRules = GatherRules {
    repeats: Duration::from_secs(120),
    within: Duration::from_secs(300),
};

/// Part `number` of `total` that says `text`; a total of 1 stands alone.
fn part(number: u8, total: u8, text: &'static str) -> InboundPart {
    InboundPart {
        from: "447700900001".into(),
        to: "70001".into(),
        charset: Charset::Gsm7,
        data_coding: 0,
        header: Bytes::new(),
        octets: Bytes::from_static(text.as_bytes()),
        place: (total > 1).then_some(Concatenation {
            reference: Reference::Short(9),
            total,
            part: number,
        }),
        name: String::new(),
    }
}

/// The step of a part whose digest is its text's length and first octet.
fn step(known: Option<&Gathering>, part: &InboundPart, at: u64) -> GatherStep {
    let carriers = Carriers::from(CarrierName::new("atlas").unwrap());
    let digest = part.octets.len() as u64 * 256 + u64::from(part.octets[0]);
    let told = Told {
        carriers: &carriers,
        part,
        is_alone: part.place.is_none(),
        digest,
        rules: RULES,
    };
    Gathering::step(known, told, UnixMs(at), || MessageId(uuid::Uuid::from_u128(at.into())))
}

fn kept(step: GatherStep) -> Gathering {
    match step {
        GatherStep::Keep(gathering) => gathering,
        other => panic!("{other:?}"),
    }
}

fn published(step: GatherStep) -> (Gathering, Inbound) {
    match step {
        GatherStep::Publish(gathering, inbound) => (gathering, *inbound),
        other => panic!("{other:?}"),
    }
}

#[test]
fn parts_are_joined_in_whatever_order_they_come() {
    let texts = ["one ", "two ", "three"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let [first, second, last] = order.map(|index: usize| part(index as u8 + 1, 3, texts[index]));
        let known = kept(step(None, &first, 1));
        let known = kept(step(Some(&known), &second, 2));
        assert_eq!(step(Some(&known), &first, 3), GatherStep::Repeat);
        let (known, inbound) = published(step(Some(&known), &last, 4));
        assert_eq!(inbound.text.as_deref(), Some("one two three"));
        assert_eq!(
            (inbound.parts, inbound.missing.len(), inbound.received_at),
            (3, 0, UnixMs(1))
        );
        assert_eq!(known.due_at(), Some(UnixMs(4) + GATHER_SETTLES));
        let done = known.done(UnixMs(5));
        assert_eq!(
            (step(Some(&done), &second, 6), done.due_at()),
            (GatherStep::Repeat, None)
        );
    }
}

#[test]
fn a_message_alone_is_published_once_and_again_under_its_id_if_its_publisher_died() {
    let alone = part(1, 1, "STOP");
    let (known, inbound) = published(step(None, &alone, 1));
    assert_eq!((inbound.text.as_deref(), inbound.parts), (Some("STOP"), 1));
    assert_eq!((known.octets(), known.due_at()), (0, None), "its carrier keeps it");
    assert_eq!(step(Some(&known), &alone, 2), GatherStep::Busy);
    let settled = 1 + GATHER_SETTLES.as_millis() as u64;
    let (again, same) = published(step(Some(&known), &alone, settled));
    assert_eq!((same, again.since), (inbound, UnixMs(settled)));
    assert_eq!(step(Some(&known.done(UnixMs(3))), &alone, 4), GatherStep::Repeat);
}

#[test]
fn what_is_missing_in_time_is_named() {
    let known = kept(step(None, &part(3, 4, "c"), 1));
    let known = kept(step(Some(&known), &part(1, 4, "a"), 2));
    assert_eq!(known.due_at(), Some(UnixMs(300_001)));
    let (closing, inbound) = known.close(UnixMs(300_001)).unwrap();
    assert_eq!(
        (inbound.text.as_deref(), &inbound.missing[..]),
        (Some("ac"), &[2, 4][..])
    );
    assert_eq!(closing.close(UnixMs(300_002)), None, "somebody is at it");
    let again = closing.close(UnixMs(300_001) + GATHER_SETTLES).unwrap();
    assert_eq!(
        (again.1.id, closing.clone().done(UnixMs(0)).close(UnixMs(u64::MAX))),
        (inbound.id, None)
    );
    assert_eq!(step(Some(&closing), &part(2, 4, "b"), 300_003), GatherStep::Busy);
    let late = kept(step(Some(&closing.done(UnixMs(300_004))), &part(2, 4, "b"), 300_005));
    assert_eq!(
        (late.parts.len(), late.began_at),
        (1, UnixMs(300_005)),
        "late parts wait for each other"
    );
}

#[test]
fn another_part_of_the_same_number_is_of_another_message() {
    let known = kept(step(None, &part(1, 2, "a"), 1));
    assert_eq!(step(Some(&known), &part(1, 2, "x"), 2), GatherStep::Clash);
}

#[test]
fn a_message_takes_no_more_than_a_value_of_the_store() {
    let big: &'static str = "x".repeat(GATHER_OCTETS_MAX / 2).leak();
    let known = kept(step(None, &part(1, 9, big), 1));
    let known = kept(step(Some(&known), &part(2, 9, big), 1));
    assert_eq!(known.octets(), GATHER_OCTETS_MAX);
    assert_eq!(step(Some(&known), &part(3, 9, "y"), 1), GatherStep::Clash);
}
