//! What connectors say, there and back.

use proptest::{option, prelude::*};
use prost::Message as _;

use super::*;
use crate::record::{carrier_from_bytes, carrier_to_bytes, carrier_word_from_bytes, router_report_to_bytes};

fn lane() -> impl Strategy<Value = LaneLoad> {
    (any::<u64>(), option::of(any::<u64>().prop_map(Duration::from_millis)))
        .prop_map(|(orders, wait)| LaneLoad { orders, wait })
}

fn pressure() -> impl Strategy<Value = Pressure> {
    let span = || any::<u64>().prop_map(Duration::from_millis);
    let lane = prop::sample::select(Lane::ALL.to_vec());
    let account = option::of("[a-z0-9._-]{1,64}".prop_map(|name| AccountId::new(&name).unwrap()));
    let congestion = (lane, account, 0..1_000_u32, span()).prop_map(|(lane, account, head, wait)| Congestion {
        lane,
        account,
        head: Head::new(head).unwrap(),
        wait,
    });
    ([span(), span(), span()], prop::collection::vec(congestion, 0..5))
        .prop_map(|(lags, congested)| Pressure { lags, congested })
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
    fn words_of_routers_come_back_and_are_none_of_connectors(
        router in ".{0,32}",
        said_at in any::<u64>(),
        ejected in prop::collection::vec(("[a-z0-9-]{1,32}", ".{0,6}"), 0..5),
        pressure in pressure(),
    ) {
        let ejection = |(carrier, network): (String, String)| Ejection {
            carrier: CarrierName::new(&carrier).unwrap(),
            network,
        };
        let ejections = Ejections {
            router,
            said_at: UnixMs(said_at),
            ejected: ejected.into_iter().map(ejection).collect(),
        };
        let said = RouterReport { ejections, pressure };
        let octets = router_report_to_bytes(&said);
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

/// What routers said before they knew of pressure, and what later ones may say.
#[test]
fn a_word_without_pressure_has_none_and_what_is_not_understood_is_left_out() {
    let mut told = pb::CarrierReport {
        ejections: Some(pb::Ejections::default()),
        ..Default::default()
    };
    let read = |told: &pb::CarrierReport| match carrier_word_from_bytes(&told.encode_to_vec().into()) {
        Ok(CarrierWord::Router(report)) => report.pressure,
        other => panic!("{other:?}"),
    };
    assert!(read(&told).is_none());
    let lag = |lane: &str| pb::LaneLag {
        lane: lane.into(),
        lag_ms: 7_000,
    };
    let congestion = |lane: &str, head| pb::Congestion {
        lane: lane.into(),
        head,
        wait_ms: 700_000,
        account: String::new(),
    };
    let mut of_no_account = congestion("bulk", 337);
    of_no_account.account = "No such name".into();
    let mut congested = vec![
        congestion("bulk", 336),
        congestion("later", 336),
        of_no_account,
        congestion("bulk", 1_000),
    ];
    congested.extend((0..400).map(|head| congestion("normal", head)));
    told.pressure = Some(pb::Pressure {
        lags: vec![lag("later"), lag("bulk")],
        congested,
    });
    let pressure = read(&told);
    assert_eq!(pressure.lags, [0, 0, 7].map(Duration::from_secs));
    assert_eq!(
        (pressure.congested[0].head.number(), pressure.congested[1].head.number()),
        (336, 0)
    );
    assert_eq!(pressure.congested.len(), CONGESTED_MAX);
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
    assert!(time_key() != router_key("a") && !keys.contains(&time_key()));
}
