//! Who is ejected for which answers, from which networks, and who is asked all the same.

use journey::{Cause, OnUnknown, Order, OrderNumber, Outcome, Terms};
use proptest::prelude::*;
use service::Dice;
use sms::{AccountId, Class, Content, Encoding, Message, Msisdn, RecordKey, Sender};
use table::{Table, files::Files};

use super::*;
use crate::{
    carriers::Carriers,
    figures::Summary,
    place::{Ask, Decisions, Placed},
};

const START: UnixMs = UnixMs(1_795_262_400_000);
const CARRIERS: [&str; 3] = ["a", "b", "c"];

fn at(millis: u64) -> UnixMs {
    START + Duration::from_millis(millis)
}

fn name(carrier: &str) -> CarrierName {
    CarrierName::new(carrier).unwrap()
}

fn network(text: &str) -> Option<Network> {
    text.parse().ok()
}

/// A table whose route asks `a`, then `b`, then `c`, and of which only they are known.
fn table() -> Table {
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"\n");
    files.insert("policies.toml", "");
    let entries = CARRIERS.map(|name| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n"));
    files.insert("carriers.toml", entries.concat());
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n336,208,01,FR,\n337,208,10,FR,\n",
    );
    for (price, name) in CARRIERS.iter().enumerate() {
        let sheet = format!("mcc,mnc,prefix,price,from,until\n208,,,0.0{},,\n", price + 1);
        files.insert(format!("rates/{name}.csv"), sheet);
    }
    table::build(&files).unwrap().0
}

fn carriers() -> Carriers {
    let carriers = Carriers::default();
    carriers.have_topics(&CARRIERS.map(name));
    carriers
}

fn message(to: &str) -> Message {
    Message {
        id: Dice::seeded(7).message_id(START),
        account: AccountId::new("acme").unwrap(),
        key: RecordKey(7),
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new(to).unwrap(),
        content: Content::Text("hello".into()),
        encoding: Encoding::Gsm7,
        segments: 1,
        class: Class::Transactional,
        accepted_at: START,
        ttl: Some(Duration::from_secs(24 * 3_600)),
        receipt: true,
        reference: String::new(),
        copy_of: None,
        trace: None,
    }
}

/// The order that a new message to `to` becomes at `now`, if it becomes one.
fn order(carriers: &Carriers, table: &Table, to: &str, now: UnixMs) -> Option<Order> {
    let (snapshot, figures) = (carriers.snapshot(now), Summary::default());
    let mut decisions = Decisions::new(table, &snapshot, &figures, None, now);
    match decisions.place(Ask::first(message(to))) {
        Placed::Order(order) => Some(*order),
        _ => None,
    }
}

fn cause(code: &str) -> Cause {
    Cause::new(code, "")
}

fn taken() -> Outcome {
    Outcome::Accepted { remote_ids: Vec::new() }
}

fn fails() -> Outcome {
    Outcome::Next {
        cause: cause("system_error"),
    }
}

/// `carrier` answers so many orders of that moment for a number of `network`.
fn answer(carriers: &Carriers, (carrier, network): (&str, &str), count: u32, outcome: &Outcome, now: UnixMs) {
    let order = Order {
        carrier: name(carrier),
        network: network.to_owned(),
        looked_up: None,
        issued_at: now,
        ..bare()
    };
    for _ in 0..count {
        let answer = OrderAnswer {
            charge: None,
            order: order.order_ref(),
            outcome: outcome.clone(),
            at: now,
            returned: Box::new(order.clone()),
        };
        carriers.answered(&answer, now);
    }
}

fn bare() -> Order {
    Order {
        message: message("33612345678"),
        number: OrderNumber::FIRST,
        carrier: name("a"),
        network: String::new(),
        looked_up: None,
        price: None,
        mask: journey::Mask::default(),
        receipt: true,
        terms: Terms {
            attempts_max: 3,
            deadline: at(3_600_000),
            grace: Duration::from_secs(600),
            on_unknown: OnUnknown::Wait,
            receipt_within: None,
            spill_after: None,
        },
        table: String::new(),
        policy: String::new(),
        issued_at: START,
        attempts: Vec::new(),
    }
}

fn lets(carriers: &Carriers, carrier: &str, on: &str) -> bool {
    carriers.breakers.ejected().lets(&name(carrier), network(on))
}

#[test]
fn a_carrier_is_ejected_from_the_network_it_fails_on() {
    let carriers = carriers();
    answer(&carriers, ("a", "20801"), 9, &fails(), at(0));
    assert!(lets(&carriers, "a", "20801"));
    answer(&carriers, ("a", "20801"), 1, &fails(), at(0));
    assert!(!lets(&carriers, "a", "20801"));
    assert!(lets(&carriers, "a", "20810") && lets(&carriers, "a", "") && lets(&carriers, "b", "20801"));
    // What was under way says nothing new, of the other networks neither.
    answer(&carriers, ("a", "20801"), 500, &fails(), at(0));
    assert!(lets(&carriers, "a", "20810"));
}

#[test]
fn a_carrier_that_fails_on_every_network_is_ejected_from_all() {
    let carriers = carriers();
    answer(&carriers, ("a", "20801"), 10, &fails(), at(0));
    answer(&carriers, ("a", "20810"), 9, &fails(), at(0));
    assert!(lets(&carriers, "a", "23415"));
    answer(&carriers, ("a", "20815"), 1, &fails(), at(0));
    assert!(!lets(&carriers, "a", "23415") && !lets(&carriers, "a", ""));
}

#[test]
fn only_answers_that_speak_of_the_carrier_eject_it() {
    let next = |code| Outcome::Next { cause: cause(code) };
    let neutral = [
        next("bad_number"),
        next("bad_sender"),
        next("not_permitted"),
        next("words of an operator"),
        Outcome::Fail {
            cause: cause("bad_number"),
        },
        Outcome::LinkDown {
            cause: cause("unbound"),
        },
        Outcome::Hold {
            retry_after: Duration::from_secs(1),
            cause: cause("throttled"),
        },
        Outcome::Unknown { since: at(10_000) },
    ];
    for outcome in neutral {
        let carriers = carriers();
        answer(&carriers, ("a", ""), 500, &outcome, at(10_999));
        assert!(lets(&carriers, "a", ""), "{outcome:?}");
    }
    for outcome in [fails(), next("unmapped"), Outcome::Unknown { since: at(10_000) }] {
        let carriers = carriers();
        answer(&carriers, ("a", ""), 20, &outcome, at(11_000));
        assert!(!lets(&carriers, "a", ""), "{outcome:?}");
    }
}

/// Every 200 ms one message of those that are decided goes to the carrier that is probed.
#[test]
fn a_carrier_that_is_probed_is_asked_five_times_a_second() {
    let (table, carriers) = (table(), carriers());
    answer(&carriers, ("a", "20801"), 10, &fails(), at(0));
    let mut asked = Vec::new();
    for millis in (0..10_000).step_by(10) {
        if millis % 200 == 0 {
            carriers.breakers.tick(at(millis));
        }
        let order = order(&carriers, &table, "33612345678", at(millis)).unwrap();
        if order.carrier == name("a") {
            asked.push(millis);
        }
    }
    assert_eq!(asked, (5_000..10_000).step_by(200).collect::<Vec<_>>());
    answer(&carriers, ("a", "20801"), 5, &taken(), at(10_000));
    assert!(lets(&carriers, "a", "20801"));
    assert_eq!(
        order(&carriers, &table, "33612345678", at(10_000)).unwrap().carrier,
        name("a")
    );
}

#[test]
fn what_says_nothing_any_more_is_forgotten() {
    let carriers = carriers();
    answer(&carriers, ("a", "20801"), 10, &fails(), at(0));
    answer(&carriers, ("b", "20801"), 1, &taken(), at(0));
    let kept = |millis| {
        carriers.breakers.tick(at(millis));
        let kept = carriers.breakers.kept.lock().unwrap();
        (
            kept.carriers.keys().map(CarrierName::to_string).collect::<Vec<_>>(),
            kept.networks,
        )
    };
    assert_eq!(kept(3_600_000), (vec!["a".to_owned()], 1), "a was not asked again yet");
    assert_eq!(kept(3_606_000), (Vec::new(), 0));
}

#[test]
fn no_more_networks_are_watched_than_fit() {
    let mut kept = Kept::default();
    for at in 0..NETWORKS_MAX + 10 {
        let network = network(&format!("{:03}{:03}", at / 1_000, at % 1_000));
        kept.hear(&name("a"), network, (true, START), START);
    }
    assert_eq!(kept.networks, NETWORKS_MAX);
    assert_eq!(kept.carriers[&name("a")].networks.len(), NETWORKS_MAX);
}

#[test]
fn a_carrier_that_recovered_between_two_looks_is_shown_without_ejections() {
    let mut kept = Kept::default();
    let hear = |kept: &mut Kept, is_taken, now| {
        kept.hear(&name("a"), network("20801"), (is_taken, now), now);
    };
    let shown = |kept: &mut Kept, now| {
        let ejected = kept.ejected(now);
        kept.gauges(&ejected)
    };
    (0..10).for_each(|_| hear(&mut kept, false, at(0)));
    assert_eq!(shown(&mut kept, at(0)), [(name("a"), 1)]);
    (0..5).for_each(|_| hear(&mut kept, true, at(5_100)));
    // Decisions have a snapshot without it by now.
    assert!(kept.ejected(at(5_100)).0.is_empty());
    assert_eq!(shown(&mut kept, at(5_200)), [(name("a"), 0)]);
    assert_eq!(shown(&mut kept, at(5_400)), []);
}

/// What a router called `router` says, heard at `now`.
fn told(carriers: &Carriers, router: &str, ejected: &[(&str, &str)], now: UnixMs) {
    let ejection = |(carrier, network): &(&str, &str)| Ejection {
        carrier: name(carrier),
        network: (*network).to_owned(),
    };
    let said = Ejections {
        router: router.to_owned(),
        said_at: now,
        ejected: ejected.iter().map(ejection).collect(),
    };
    carriers.breakers.told(said, now, now);
}

#[test]
fn whom_another_router_ejects_is_refused_until_it_says_otherwise_or_falls_silent() {
    let carriers = carriers();
    told(&carriers, "r1", &[("a", "20801"), ("b", "")], at(0));
    assert!(!lets(&carriers, "a", "20801") && !lets(&carriers, "b", "20801") && lets(&carriers, "a", "20810"));
    told(&carriers, "r2", &[("b", "20810")], at(1_000));
    told(&carriers, "r1", &[("a", "20801")], at(1_000));
    assert!(lets(&carriers, "b", "20801") && !lets(&carriers, "b", "20810"));
    told(&carriers, "r2", &[], at(1_500));
    assert!(lets(&carriers, "b", "20810"));
    carriers.breakers.tick(at(3_999));
    assert!(!lets(&carriers, "a", "20801"));
    carriers.breakers.tick(at(4_000));
    assert!(lets(&carriers, "a", "20801"));
}

#[test]
fn own_words_are_not_believed() {
    let carriers = carriers();
    assert_eq!(carriers.run(|| "r1".to_owned()), carriers.run(|| "another".to_owned()));
    told(&carriers, "r1", &[("a", "")], at(0));
    assert!(lets(&carriers, "a", ""));
}

#[test]
fn a_carrier_that_is_probed_here_is_probed_whatever_others_say() {
    let carriers = carriers();
    answer(&carriers, ("a", "20801"), 10, &fails(), at(0));
    told(&carriers, "r2", &[("a", "20801")], at(5_000));
    carriers.breakers.tick(at(5_000));
    assert!(lets(&carriers, "a", "20801"));
}

/// A router without messages for a carrier must not keep the others from it for ever.
#[test]
fn others_hear_of_an_ejection_until_nobody_is_there_to_probe() {
    let carriers = carriers();
    answer(&carriers, ("a", "20801"), 10, &fails(), at(0));
    let said = |millis| carriers.ejected_here(at(millis));
    let ejection = Ejection {
        carrier: name("a"),
        network: "20801".to_owned(),
    };
    assert_eq!((said(0), said(14_999)), (vec![ejection.clone()], vec![ejection]));
    assert_eq!(said(15_000), []);
    answer(&carriers, ("a", "20801"), 1, &taken(), at(16_000));
    assert_eq!(said(25_999).len(), 1, "a probe was answered");
    answer(&carriers, ("a", "20801"), 4, &taken(), at(26_000));
    assert_eq!(said(26_000), []);
}

#[test]
fn an_order_where_the_carrier_is_shut_takes_no_probe_from_elsewhere() {
    let carriers = carriers();
    answer(&carriers, ("a", "20801"), 10, &fails(), at(0));
    answer(&carriers, ("a", "20815"), 1, &taken(), at(0));
    answer(&carriers, ("a", "20810"), 10, &fails(), at(1_000));
    carriers.breakers.tick(at(5_500));
    assert!(lets(&carriers, "a", "20801") && !lets(&carriers, "a", "20810"));
    let asked = |on| carriers.breakers.ejected().asked(&name("a"), network(on));
    asked("20810");
    assert!(lets(&carriers, "a", "20801"));
    asked("20801");
    assert!(!lets(&carriers, "a", "20801"));
}

#[test]
fn whole_carriers_are_said_before_networks() {
    let carriers = carriers();
    for number in 0..EJECTED_MAX + 10 {
        let network = format!("{:03}{:03}", number / 1_000, number % 1_000);
        answer(&carriers, ("a", &network), 10, &fails(), at(0));
    }
    answer(&carriers, ("b", ""), 20, &fails(), at(0));
    let said = carriers.ejected_here(at(0));
    let whole = Ejection {
        carrier: name("b"),
        network: String::new(),
    };
    assert_eq!(said.len(), EJECTED_MAX);
    assert!(said.contains(&whole));
}

/// Answers as (milliseconds since the one before, carrier, network, whether it was taken), most of them failures.
fn answers() -> impl Strategy<Value = Vec<(u64, usize, usize, bool)>> {
    let gap = prop_oneof![9 => Just(0_u64), 1 => 0..2_000_u64];
    prop::collection::vec((gap, 0..3_usize, 0..2_usize, prop::bool::weighted(0.1)), 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever all carriers answer, a message for which the table has a way gets an order.
    #[test]
    fn the_last_candidate_is_never_ejected(answers in answers()) {
        let (table, carriers) = (table(), carriers());
        let mut millis = 0;
        for (gap, carrier, network, is_taken) in answers {
            millis += gap;
            if gap % 2 == 1 {
                told(&carriers, "another", &CARRIERS.map(|name| (name, "")), at(millis));
            }
            carriers.breakers.tick(at(millis));
            let outcome = if is_taken { taken() } else { fails() };
            let target = (CARRIERS[carrier], ["20801", "20810"][network]);
            answer(&carriers, target, 4, &outcome, at(millis));
            for to in ["33612345678", "33712345678"] {
                prop_assert!(order(&carriers, &table, to, at(millis)).is_some(), "{} after {}", to, millis);
            }
        }
    }
}
