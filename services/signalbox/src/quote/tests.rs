//! How quotes are shown.

use super::*;

fn network() -> Option<pb::Network> {
    Some(pb::Network {
        mcc: "208".to_owned(),
        mnc: "01".to_owned(),
        operator: Some("Orange".to_owned()),
        ..pb::Network::default()
    })
}

fn refused(carrier: &str, reason: &str) -> pb::Refused {
    pb::Refused {
        carrier: carrier.to_owned(),
        reason: reason.to_owned(),
    }
}

#[test]
fn every_destination_is_a_line_with_what_keeps_carriers_from_it() {
    let quotes = [
        pb::Quote {
            action: pb::Action::Route.into(),
            network: network(),
            offer: Some(pb::Offer {
                carrier: "boreas".to_owned(),
                price: "0.050000".to_owned(),
                currency: "USD".to_owned(),
                cost: "0.045000".to_owned(),
                from: String::new(),
            }),
            fallbacks: 1,
            sell_price: Some("0.040000".to_owned()),
            margin: Some("-0.005000".to_owned()),
            refused: vec![refused("atlas", "circuit_open")],
            ..pb::Quote::default()
        },
        pb::Quote {
            action: pb::Action::Reject.into(),
            reason: Some("no adverts".to_owned()),
            ..pb::Quote::default()
        },
        pb::Quote {
            action: pb::Action::Wait.into(),
            refused: vec![refused("atlas", "circuit_open"), refused("boreas", "closed")],
            ..pb::Quote::default()
        },
    ];
    let names = ["+33612345678", "4915100000", "20801"].map(str::to_owned);
    let wanted = "\
TO            NETWORK       CARRIER  PRICE         COST      SELL      MARGIN     FALLBACKS
+33612345678  20801 Orange  boreas   0.050000 USD  0.045000  0.040000  -0.005000  1          just now: atlas circuit_open
4915100000    unknown       -        -             -         -         -          0          rejected: no adverts
20801         unknown       -        -             -         -         -          0          waits: atlas circuit_open, boreas closed
";
    assert_eq!(text(&names, &quotes), wanted);
}
