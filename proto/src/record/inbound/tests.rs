//! What is written of inbound messages reads as it was.

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::record::{gathering_from_bytes, gathering_to_bytes, inbound_from_bytes, inbound_to_bytes};

fn octets() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..50).prop_map(Bytes::from)
}

fn carriers() -> impl Strategy<Value = Carriers> {
    let carrier = "[a-z0-9-]{1,32}".prop_map(|name| CarrierName::new(&name).unwrap());
    vec(carrier, 1..4).prop_map(|names| Carriers::new(names).unwrap())
}

fn first() -> impl Strategy<Value = InboundPart> {
    let charset = proptest::sample::select(Charset::ALL.to_vec());
    (".*", ".*", charset, any::<u8>(), octets()).prop_map(|(from, to, charset, data_coding, header)| InboundPart {
        from,
        to,
        charset,
        data_coding,
        header,
        octets: Bytes::new(),
        place: None,
        name: String::new(),
    })
}

proptest! {
    #[test]
    fn an_inbound_message_reads_as_it_was_written(
        (id, carriers, first) in (any::<u128>(), carriers(), first()),
        (text, octets, missing) in (option::of(".*"), octets(), vec(any::<u8>(), 0..9)),
        (parts, at) in (any::<u8>(), any::<u64>()),
    ) {
        let inbound = Inbound {
            id: MessageId(Uuid::from_u128(id)),
            carriers,
            from: first.from,
            to: first.to,
            text,
            octets,
            data_coding: first.data_coding,
            header: first.header,
            parts,
            missing,
            received_at: UnixMs(at),
        };
        prop_assert_eq!(inbound_from_bytes(&inbound_to_bytes(&inbound)).unwrap(), inbound);
    }

    #[test]
    fn a_gathering_reads_as_it_was_written(
        (id, carriers, first) in (any::<u128>(), carriers(), first()),
        (total, began_at, since) in (any::<u8>(), any::<u64>(), any::<u64>()),
        (repeats, within) in (any::<u64>(), any::<u64>()),
        parts in proptest::collection::btree_map(any::<u8>(), (any::<u64>(), option::of(octets())), 0..9),
        stage in proptest::sample::select(vec![GatherStage::Open, GatherStage::Publishing, GatherStage::Done]),
    ) {
        let gathering = Gathering {
            id: MessageId(Uuid::from_u128(id)),
            carriers,
            first,
            total,
            began_at: UnixMs(began_at),
            stage,
            since: UnixMs(since),
            rules: GatherRules {
                repeats: Duration::from_millis(repeats),
                within: Duration::from_millis(within),
            },
            digests: parts.iter().map(|(number, (digest, _))| (*number, *digest)).collect(),
            parts: parts.into_iter().filter_map(|(number, (_, octets))| Some((number, octets?))).collect(),
        };
        prop_assert_eq!(gathering_from_bytes(&gathering_to_bytes(&gathering)).unwrap(), gathering);
    }
}

#[test]
fn a_refusal_names_the_field() {
    let inbound = pb::Inbound {
        id: vec![1; 16],
        carrier: "atlas".into(),
        parts: 256,
        ..Default::default()
    };
    let refused = from_pb(inbound).unwrap_err().to_string();
    assert!(refused.starts_with("field parts: 256"), "{refused}");
    let gathering = pb::Gathering {
        id: vec![1; 16],
        carrier: "atlas".into(),
        ..Default::default()
    };
    let refused = gathering_from_pb(gathering).unwrap_err().to_string();
    assert!(refused.starts_with("field stage: 0"), "{refused}");
}
