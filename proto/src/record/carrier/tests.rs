//! What connectors say, there and back.

use proptest::{option, prelude::*};
use prost::Message as _;

use super::*;
use crate::record::{carrier_from_bytes, carrier_to_bytes, carrier_word_from_bytes, ejections_to_bytes};

fn lane() -> impl Strategy<Value = LaneLoad> {
    (any::<u64>(), option::of(any::<u64>().prop_map(Duration::from_millis)))
        .prop_map(|(orders, wait)| LaneLoad { orders, wait })
}

fn report() -> impl Strategy<Value = CarrierReport> {
    let state = prop::sample::select(vec![
        LinkState::Up,
        LinkState::Down,
        LinkState::Draining,
        LinkState::Gone,
    ]);
    let binds = option::of(any::<(u32, u32)>().prop_map(|(up, wanted)| Binds { up, wanted }));
    let names = ("[a-z0-9-]{1,32}", "[0-9a-f]{16}", ".{0,32}");
    let link = (
        state,
        any::<(u64, u64)>().prop_map(|(since, said_at)| (UnixMs(since), UnixMs(said_at))),
        binds,
        any::<(u32, u32)>(),
        option::of(any::<u32>()),
    );
    (names, link, 0.0..1e9_f64, [lane(), lane(), lane()]).prop_map(
        |(
            (carrier, incarnation, link),
            (state, (since, said_at), binds, window, rate_limit),
            taken_per_second,
            lanes,
        )| {
            CarrierReport {
                carrier: CarrierName::new(&carrier).unwrap(),
                incarnation,
                link,
                state,
                since,
                said_at,
                binds,
                window_slots: window.0,
                window_used: window.1,
                rate_limit,
                taken_per_second,
                lanes,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn reports_come_back(report in report()) {
        let octets = carrier_to_bytes(&report);
        prop_assert_eq!(carrier_from_bytes(&octets), Ok(report.clone()));
        prop_assert_eq!(carrier_word_from_bytes(&octets), Ok(CarrierWord::Link(Box::new(report))));
    }

    #[test]
    fn ejections_come_back_and_are_no_reports(
        router in ".{0,32}",
        said_at in any::<u64>(),
        ejected in prop::collection::vec(("[a-z0-9-]{1,32}", ".{0,6}"), 0..5),
    ) {
        let ejection = |(carrier, network): (String, String)| Ejection {
            carrier: CarrierName::new(&carrier).unwrap(),
            network,
        };
        let said = Ejections {
            router,
            said_at: UnixMs(said_at),
            ejected: ejected.into_iter().map(ejection).collect(),
        };
        let octets = ejections_to_bytes(&said);
        prop_assert!(carrier_from_bytes(&octets).is_err());
        prop_assert_eq!(carrier_word_from_bytes(&octets), Ok(CarrierWord::Router(said)));
    }
}

#[test]
fn a_report_without_a_state_or_with_an_odd_rate_is_refused() {
    let mut told = pb::CarrierReport {
        carrier: "atlas".into(),
        ..Default::default()
    };
    let read = |told: &pb::CarrierReport| carrier_from_bytes(&told.encode_to_vec().into());
    assert_eq!(read(&told), Err(Invalid::Missing("state")));
    told.set_state(pb::LinkState::Up);
    assert_eq!(read(&told).unwrap().lanes, [LaneLoad::default(); 3]);
    told.taken_per_second = f64::NAN;
    let refused = read(&told).unwrap_err().to_string();
    assert_eq!(refused, "field taken_per_second: NaN is no rate");
}

#[test]
fn every_connector_has_its_own_key_for_every_carrier() {
    let carrier = |name| CarrierName::new(name).unwrap();
    let keys = [
        carrier_key(&carrier("a"), "bc"),
        carrier_key(&carrier("ab"), "c"),
        carrier_key(&carrier("ab"), "d"),
    ];
    assert!(keys[0] != keys[1] && keys[1] != keys[2]);
    assert_eq!(keys[0], carrier_key(&carrier("a"), "bc"), "the same after a restart");
    assert!(router_key("a") != router_key("b") && !keys.contains(&router_key("a")));
}
