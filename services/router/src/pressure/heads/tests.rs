//! Where messages went, and what that says about the next one.

use journey::{Answer, Mask, OnUnknown, Order, OrderNumber, Terms};
use sms::{AccountId, Class, Content, Encoding, MessageId, Msisdn, RecordKey, Sender};

use super::*;

const START: UnixMs = UnixMs(1_795_262_400_000);

fn at(seconds: u64) -> UnixMs {
    START + Duration::from_secs(seconds)
}

fn carrier(name: &str) -> CarrierName {
    CarrierName::new(name).unwrap()
}

/// A campaign's message to a number that begins with `head`, accepted that many seconds after the start.
fn message(head: u32, accepted: u64) -> Message {
    Message {
        id: MessageId::of(START, [0; 10]),
        account: AccountId::new("acme").unwrap(),
        key: RecordKey(1),
        from: Sender::new("ACME").unwrap(),
        to: Msisdn::new(&format!("{head}12345678")).unwrap(),
        content: Content::Text("hello".into()),
        encoding: Encoding::Gsm7,
        segments: 1,
        class: Class::Promotional,
        accepted_at: at(accepted),
        ttl: None,
        receipt: true,
        reference: String::new(),
        copy_of: None,
        trace: None,
    }
}

fn order(head: u32, name: &str) -> Placed {
    let terms = Terms {
        attempts_max: 1,
        deadline: at(86_400),
        grace: Duration::ZERO,
        on_unknown: OnUnknown::Fail,
        receipt_within: None,
        spill_after: None,
    };
    Placed::Order(Box::new(Order {
        message: message(head, 0),
        number: OrderNumber::FIRST,
        carrier: carrier(name),
        network: String::new(),
        looked_up: None,
        price: None,
        mask: Mask::default(),
        terms,
        table: String::new(),
        policy: String::new(),
        issued_at: START,
        receipt: true,
        attempts: Vec::new(),
    }))
}

fn waiting(head: u32, accepted: u64) -> Waiting {
    Waiting {
        message: message(head, accepted),
        number: OrderNumber::FIRST,
        attempts: Vec::new(),
        until: START,
        deadline: at(86_400),
        stay: None,
        again: true,
        look_again: false,
    }
}

/// A message accepted that long ago that nobody takes, and that is looked at again after `delay` seconds.
fn held(head: u32, accepted: u64, delay: u64) -> Placed {
    Placed::Wait(Box::new(waiting(head, accepted)), ("", Duration::from_secs(delay)))
}

fn count(heads: &mut Heads, times: usize, placed: &Placed, is_new: bool, seconds: u64) {
    (0..times).for_each(|_| heads.count(placed, is_new, at(seconds)));
}

/// Seconds of waiting for each head in bulk where it is a second and more, while a queue is as long as `waits` says.
fn seconds(heads: &Heads, now: u64, waits: &[(&str, u64)]) -> Vec<(u32, u64)> {
    let wait = |name: &CarrierName, lane: Lane| {
        assert_eq!(lane, Lane::Bulk);
        let found = waits.iter().find(|(known, _)| *known == name.as_str());
        found.map(|(_, seconds)| Duration::from_secs(*seconds))
    };
    let congested = heads.congested(at(now), Duration::from_secs(1), wait);
    let named = congested.iter().map(|one| (one.head.number(), one.wait.as_secs()));
    named.collect()
}

#[test]
fn a_new_message_waits_where_those_before_it_went() {
    let mut heads = Heads::default();
    count(&mut heads, 300, &order(336, "a"), true, 0);
    count(&mut heads, 300, &order(447, "b"), true, 0);
    assert_eq!(seconds(&heads, 0, &[("a", 600), ("b", 30)]), [(336, 599), (447, 29)]);
    // No message is counted in the meantime, and the queue gets shorter.
    assert_eq!(seconds(&heads, 500, &[("a", 100), ("b", 0)]), [(336, 99)]);
    assert_eq!(seconds(&heads, 500, &[]), [], "nothing is known of either");
}

#[test]
fn messages_that_go_elsewhere_wait_there() {
    let mut heads = Heads::default();
    count(&mut heads, 300, &order(336, "a"), true, 0);
    count(&mut heads, 22, &order(336, "b"), true, 0);
    let [(336, half)] = seconds(&heads, 0, &[("a", 600), ("b", 0)])[..] else {
        panic!()
    };
    assert!((250..350).contains(&half), "{half}");
    count(&mut heads, 300, &order(336, "b"), true, 0);
    assert_eq!(seconds(&heads, 0, &[("a", 600), ("b", 0)]), []);
}

#[test]
fn orders_of_messages_that_failed_elsewhere_say_nothing_of_new_ones() {
    let mut heads = Heads::default();
    count(&mut heads, 300, &order(336, "a"), true, 0);
    count(&mut heads, 300, &order(336, "b"), false, 0);
    assert_eq!(seconds(&heads, 0, &[("a", 600)]), [(336, 599)]);
}

#[test]
fn few_carriers_of_a_head_are_told_apart() {
    let mut heads = Heads::default();
    for name in ["a", "b", "c", "d", "e"] {
        count(&mut heads, 40, &order(336, name), true, 0);
    }
    let cell = heads.0.values().next().unwrap();
    assert_eq!(cell.carriers.len(), CARRIERS_MAX);
    assert!(!cell.carriers.iter().any(|(name, _)| *name == carrier("a")), "{cell:?}");
}

/// A country whose carriers are all down, for half an hour: those that wait come back every two minutes.
#[test]
fn messages_that_nobody_takes_count_with_the_time_they_wait() {
    let mut heads = Heads::default();
    for second in 0..1_800 {
        count(&mut heads, 4, &held(336, second, 5), true, second);
        let back = 4 * second as usize / 120;
        count(&mut heads, back, &held(336, second / 2, 120), false, second);
    }
    let [(336, wait)] = seconds(&heads, 1_800, &[])[..] else {
        panic!()
    };
    assert!((700..900).contains(&wait), "they wait for a quarter of an hour: {wait}");
    // Ingest refuses everything by now, and one straggler stays that no carrier is ever going to take.
    let mut waits = Vec::new();
    for minute in 31..40 {
        count(&mut heads, 1, &held(336, 0, 120), false, minute * 60);
        waits.push(seconds(&heads, minute * 60, &[]).first().map_or(0, |(_, wait)| *wait));
    }
    assert!(
        waits.is_sorted_by(|one, next| one > next),
        "a few may try again: {waits:?}"
    );
    assert!(waits[4] < 60, "{waits:?}");
}

#[test]
fn waits_of_those_that_are_gone_are_forgotten() {
    let mut heads = Heads::default();
    count(&mut heads, 300, &held(336, 0, 120), true, 900);
    assert_eq!(seconds(&heads, 900, &[]), [(336, 899)]);
    count(&mut heads, 300, &order(336, "a"), true, 901);
    assert_eq!(seconds(&heads, 901, &[]), [], "new ones are taken");
    count(&mut heads, 300, &held(336, 0, 120), true, 901);
    assert_eq!(seconds(&heads, 901 + 150, &[]), [], "nobody came back to wait on");
    heads.forget(at(901 + 3_599));
    assert_eq!(heads.0.len(), 1);
    heads.forget(at(901 + 3_600));
    assert_eq!(heads.0.len(), 0);
}

#[test]
fn who_waits_for_something_else_is_none_of_them() {
    let mut heads = Heads::default();
    let mut waits = |change: fn(&mut Waiting)| {
        let mut waiting = waiting(336, 0);
        change(&mut waiting);
        let placed = Placed::Wait(Box::new(waiting), ("", Duration::from_secs(5)));
        count(&mut heads, 300, &placed, true, 900);
        seconds(&heads, 900, &[]).len()
    };
    assert_eq!(waits(|waiting| waiting.again = false), 0, "its carrier asked for it");
    assert_eq!(
        waits(|waiting| waiting.attempts = vec![attempt(true)]),
        0,
        "it was tried everywhere"
    );
    assert_eq!(
        waits(|waiting| waiting.attempts = vec![attempt(false)]),
        1,
        "the link was gone"
    );
}

/// A message of `account`.
fn of(account: &str, mut placed: Placed) -> Placed {
    match &mut placed {
        Placed::Order(order) => order.message.account = AccountId::new(account).unwrap(),
        Placed::Wait(waiting, _) => waiting.message.account = AccountId::new(account).unwrap(),
        _ => unreachable!("tests place no others"),
    }
    placed
}

#[test]
fn who_has_a_dead_route_is_named_alone() {
    let mut heads = Heads::default();
    count(&mut heads, 300, &of("globex", held(336, 0, 120)), true, 900);
    count(&mut heads, 300, &order(336, "a"), true, 900);
    let congested = heads.congested(at(900), Duration::from_secs(1), |_, _| None);
    let named: Vec<_> = congested
        .iter()
        .map(|one| one.account.as_ref().unwrap().as_str())
        .collect();
    assert_eq!(named, ["globex"]);
}

#[test]
fn messages_that_nobody_takes_count_where_nearly_all_are_such() {
    let mut heads = Heads::default();
    for _ in 0..30 {
        count(&mut heads, 4, &held(336, 0, 120), true, 900);
        count(&mut heads, 1, &order(336, "a"), true, 900);
        assert_eq!(seconds(&heads, 900, &[]), [], "one of five is taken");
    }
    count(&mut heads, 60, &held(336, 0, 120), true, 900);
    assert_eq!(seconds(&heads, 900, &[]).len(), 1);
}

/// A queue that all accounts have in common is said of everybody, so that none of them is left out for want of room.
#[test]
fn what_many_accounts_wait_for_is_said_of_everybody_where_it_is_too_much() {
    let mut heads = Heads::default();
    for number in 0..400 {
        count(&mut heads, 300, &of(&number.to_string(), order(336, "a")), true, 0);
    }
    count(&mut heads, 300, &order(447, "b"), true, 0);
    let congested = heads.congested(at(0), Duration::from_secs(1), |_, _| Some(Duration::from_secs(600)));
    let named: Vec<_> = congested
        .iter()
        .map(|one| (one.head.number(), one.account.as_ref().map(AccountId::as_str)))
        .collect();
    assert_eq!(named, [(336, None), (447, Some("acme"))]);
}

#[test]
fn no_more_heads_are_known_than_there_is_room_for() {
    let mut heads = Heads::default();
    let fill = |heads: &mut Heads, second| {
        (0..CELLS_MAX + 10).for_each(|number| {
            let account = format!("{second}-{number}");
            count(heads, 1, &of(&account, order(336, "a")), true, second);
        });
    };
    fill(&mut heads, 0);
    assert_eq!(heads.0.len(), CELLS_MAX);
    heads.forget(at(2_000));
    assert_eq!(heads.0.len(), 0, "nobody wrote to them for long");
    fill(&mut heads, 2_000);
    heads.forget(at(2_000));
    assert_eq!(heads.0.len(), CELLS_MAX, "all of it is new");
}

#[test]
fn the_worst_are_named() {
    let mut heads = Heads::default();
    for head in 100..=999 {
        count(&mut heads, 300, &order(head, &head.to_string()), true, 0);
    }
    let wait = |name: &CarrierName, _| Some(Duration::from_secs(name.as_str().parse().unwrap()));
    let congested = heads.congested(at(0), Duration::from_secs(1), wait);
    let named: Vec<_> = congested.iter().map(|one| one.head.number()).collect();
    let worst: Vec<_> = (100..=999).rev().take(CONGESTED_MAX).collect();
    assert_eq!(named, worst);
}

fn attempt(spent: bool) -> Attempt {
    Attempt {
        number: OrderNumber::FIRST,
        carrier: carrier("a"),
        network: String::new(),
        looked_up: None,
        price: None,
        table: String::new(),
        policy: String::new(),
        issued_at: START,
        answer: Answer {
            charge: None,
            outcome: "next".to_owned(),
            code: String::new(),
            detail: String::new(),
            at: START,
        },
        spent,
        remote_ids: Vec::new(),
        receipts: Vec::new(),
    }
}
