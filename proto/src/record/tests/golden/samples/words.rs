//! Words about carriers, messages from handsets, and what else there is.

use journey::{
    Binds, CarrierReport, CarrierWord, Congestion, Ejection, Ejections, Head, LaneLoad, LinkState, Pressure,
    RouterReport,
};
use sms::{Carriers, Charset, GatherRules, GatherStage, InboundPart, Lane};

use super::*;

pub(super) fn words() -> Vec<Sample> {
    let load = |orders, wait| LaneLoad { orders, wait };
    let link = CarrierReport {
        carrier: name("atlas"),
        incarnation: "c0ffee".to_owned(),
        link: "to-atlas".to_owned(),
        state: LinkState::Draining,
        since: UnixMs(1_767_225_600_000),
        said_at: UnixMs(1_767_225_601_000),
        binds: Some(Binds { up: 1, wanted: 2 }),
        window_slots: 100,
        window_used: 7,
        rate_limit: Some(50),
        taken_per_second: 12.5,
        lanes: [
            load(1, Some(Duration::from_millis(20))),
            load(2, None),
            load(3, Some(Duration::from_secs(9))),
        ],
    };
    let router = RouterReport {
        ejections: Ejections {
            router: "r1".to_owned(),
            said_at: UnixMs(1_767_225_601_000),
            ejected: vec![Ejection {
                carrier: name("atlas"),
                network: "23415".to_owned(),
            }],
        },
        pressure: Pressure {
            lags: [Duration::ZERO, Duration::from_millis(10), Duration::from_secs(6)],
            congested: vec![Congestion {
                lane: Lane::ALL[2],
                account: Some(AccountId::new("acme").unwrap()),
                head: Head::new(447).unwrap(),
                wait: Duration::from_secs(700),
            }],
        },
    };
    let to_bytes = |word: &CarrierWord| match word {
        CarrierWord::Link(report) => carrier_to_bytes(report),
        CarrierWord::Router(report) => router_report_to_bytes(report),
    };
    let silent = CarrierWord::Router(RouterReport::default());
    vec![
        Sample::new(
            "carrier.link",
            CarrierWord::Link(Box::new(link)),
            to_bytes,
            carrier_word_from_bytes,
        ),
        Sample::new(
            "carrier.router",
            CarrierWord::Router(router),
            to_bytes,
            carrier_word_from_bytes,
        ),
        Sample::new(
            "carrier.time",
            silent,
            |_| time_word_to_bytes(),
            carrier_word_from_bytes,
        ),
    ]
}

pub(super) fn inbounds() -> Vec<Sample> {
    let full = Inbound {
        id: id(11),
        carriers: name("atlas").into(),
        from: "447700900123".to_owned(),
        to: "57575".to_owned(),
        text: Some("STOP".to_owned()),
        octets: Bytes::from_static(b"STOP"),
        data_coding: 1,
        header: Bytes::from_static(&[5, 0, 3, 1, 2, 1]),
        parts: 2,
        missing: vec![2],
        received_at: UnixMs(1_767_225_600_000),
    };
    let bare = Inbound {
        text: None,
        header: Bytes::new(),
        parts: 1,
        missing: Vec::new(),
        ..full.clone()
    };
    let gathering = Gathering {
        id: id(12),
        carriers: name("atlas").into(),
        first: InboundPart {
            from: "447700900123".to_owned(),
            to: "57575".to_owned(),
            charset: Charset::Ucs2,
            data_coding: 8,
            header: Bytes::from_static(&[5, 0, 3, 1, 3, 1]),
            octets: Bytes::new(),
            place: None,
            name: String::new(),
        },
        total: 3,
        began_at: UnixMs(1_767_225_600_000),
        stage: GatherStage::Publishing,
        since: UnixMs(1_767_225_601_000),
        rules: GatherRules {
            repeats: Duration::from_secs(120),
            within: Duration::from_secs(300),
        },
        digests: BTreeMap::from([(1, 17), (2, 18)]),
        parts: BTreeMap::from([(1, Bytes::from_static(b"one"))]),
    };
    let shared = || Carriers::new([name("atlas"), name("borealis")]).unwrap();
    let over_shared = Inbound {
        carriers: shared(),
        ..full.clone()
    };
    let gathering_over_shared = Gathering {
        carriers: shared(),
        ..gathering.clone()
    };
    vec![
        Sample::new("inbound", full, inbound_to_bytes, inbound_from_bytes),
        Sample::new("inbound.others", over_shared, inbound_to_bytes, inbound_from_bytes),
        Sample::new(
            "gathering.others",
            gathering_over_shared,
            gathering_to_bytes,
            gathering_from_bytes,
        ),
        Sample::new("inbound.bare", bare, inbound_to_bytes, inbound_from_bytes),
        Sample::new("gathering", gathering, gathering_to_bytes, gathering_from_bytes),
    ]
}

pub(super) fn others() -> Vec<Sample> {
    let dead = DeadRecord {
        topic: "signalbox.outcomes".to_owned(),
        octets: Bytes::from_static(&[0xFD, 0x7F]),
        reason: "octets end within the seal, after 2".to_owned(),
        fault: Fault::Truncated,
        stored_at: Some(UnixMs(1_767_225_600_000)),
        omitted: 3,
    };
    let replayed: DeadId = "19aaa5b4c00-0f1e2d3c".parse().unwrap();
    let looked_up = LookedUp {
        network: "23415".to_owned(),
        ported: Some(true),
        reach: HandsetReach::Absent,
        roaming: Some(false),
        provider: "north".to_owned(),
        asked_at: 1_767_225_600,
        expires_at: 1_767_830_400,
        reach_until: 1_767_226_200,
    };
    let key = |is_final| KeyEntry {
        is_final,
        id: id(13),
        digest: [9; 32],
    };
    let read_key = |octets: &Bytes| KeyEntry::from_bytes(octets).ok_or("no entry");
    let lost_at = UnixMs(1_767_225_600_000);
    let read_rebuilt = |octets: &Bytes| {
        let rebuilt: pb::Rebuilt = seal::open(Kind::Rebuilt, octets)?;
        Ok::<_, Invalid>(UnixMs(rebuilt.lost_at))
    };
    let read_doubt = |octets: &Bytes| doubt_from_bytes(octets, None);
    vec![
        Sample::new(
            "dead",
            DeadWord::Aside(Box::new(dead.clone())),
            move |_| dead_to_bytes(&dead),
            dead_word_from_bytes,
        ),
        Sample::new(
            "dead.replayed",
            DeadWord::Replayed(replayed),
            move |_| replayed_to_bytes(replayed),
            dead_word_from_bytes,
        ),
        Sample::new("looked_up", looked_up, LookedUp::to_bytes, LookedUp::from_bytes),
        Sample::new("idempotency.final", key(true), KeyEntry::to_bytes, read_key),
        Sample::new("idempotency.pending", key(false), KeyEntry::to_bytes, read_key),
        Sample::new("rebuilt", lost_at, |at| rebuilt_to_bytes(*at), read_rebuilt),
        Sample::new("doubt", lost_at, |at| doubt_to_bytes(*at), read_doubt),
        Sample::new(
            "replayed_at",
            lost_at,
            |at| replayed_at_to_bytes(*at),
            |octets| replayed_at_from_bytes(octets),
        ),
    ]
}
