//! Knot comes up with the zones it is given and is gone with its handle.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::net::TcpStream;

use backing::{Knot, KnotZone};

#[test]
fn it_answers_for_its_zones_and_is_gone_when_dropped() {
    let records = "example. 60 SOA ns.example. admin.example. 1 60 60 60 60\nexample. 60 NS ns.example.\n";
    let zone = |name, records| KnotZone { name, records };
    let knot = Knot::start(&[zone("example", Some(records)), zone("broken.test", None)]).unwrap();
    let address = knot.address();
    TcpStream::connect(address).unwrap();
    drop(knot);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_configuration_that_it_refuses_is_told() {
    let zone = KnotZone {
        name: "e\nx",
        records: None,
    };
    let said = Knot::start(&[zone]).unwrap_err().to_string();
    assert!(said.starts_with("start of knotd: "), "{said}");
}
