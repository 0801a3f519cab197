//! Reads carriers, and what becomes of them for a while.

use std::{fmt::Display, str::FromStr, time::Duration};

use smpp::Status;
use sms::CarrierName;
use source::{Code, Entry, Section};

use super::super::spec::{CARRIERS_MAX, Carrier, Change};
use crate::{
    smsc::{Behaviour, Delay},
    world,
};

/// Carriers where a file names none.
const USUAL: usize = 3;
const _: () = assert!(USUAL <= CARRIERS_MAX, "they can be had");
/// Parts that may be unanswered on a link.
const WINDOW: u32 = 1_000;
/// Messages a second that a carrier takes, or a link keeps to.
const RATE_MAX: u32 = 1_000_000;
/// Words of one kind.
const WORDS_MAX: usize = 16;

/// Every `[[carrier]]`, or the usual ones.
pub(super) fn read(root: &Section<'_>) -> Vec<Carrier> {
    let sections = root.key("carrier").sections(CARRIERS_MAX);
    if sections.is_empty() {
        let names = world::carriers(USUAL).unwrap_or_default();
        return names.into_iter().map(usual).collect();
    }
    let mut carriers: Vec<Carrier> = Vec::new();
    for section in &sections {
        let entry = section.key("name").required();
        let name = entry.parse(CarrierName::new);
        let mut carrier = usual(name.unwrap_or_else(|| usual_name(carriers.len())));
        if carriers.iter().any(|other| other.name == carrier.name) {
            entry.refuse(
                Code::DUPLICATE,
                format_args!("{} stands twice", carrier.name),
                "",
                "give another name",
            );
        }
        carrier.price = price(&section.key("price"));
        carrier.window = section.key("window").integer(1..=WINDOW).unwrap_or(WINDOW);
        carrier.link_rate = section.key("link_rate").integer(1..=RATE_MAX);
        carrier.behaviour = behaviour(section, &carrier.behaviour);
        carriers.push(carrier);
    }
    carriers
}

/// What an event makes of the carrier that it names; `None` = it says nothing that could be.
pub(super) fn change(section: &Section<'_>, named: &Entry<'_>, carriers: &[Carrier]) -> Option<Change> {
    let cut = section.key("links").word(&[("cut", ())]);
    let name = named.str();
    let place = name.and_then(|name| carriers.iter().position(|carrier| carrier.name.as_str() == name));
    if let (Some(name), None) = (name, place) {
        let known: Vec<_> = carriers.iter().map(|carrier| carrier.name.as_str()).collect();
        let what = format_args!("is \"{name}\", there are {}", known.join(", "));
        named.refuse(Code::UNDEFINED, what, "", "name one of them");
    }
    let usual = place.map_or_else(Behaviour::default, |place| carriers[place].behaviour.clone());
    let behaviour = behaviour(section, &usual);
    match cut {
        Some(()) => Some(Change::LinksCut(place?)),
        None => Some(Change::Carrier(place?, Box::new(behaviour))),
    }
}

fn usual(name: CarrierName) -> Carrier {
    Carrier {
        name,
        price: None,
        behaviour: Behaviour {
            answer: Delay::Uniform(Duration::from_millis(2), Duration::from_millis(8)),
            receipt_delay: Delay::Uniform(Duration::from_millis(50), Duration::from_millis(250)),
            ..Behaviour::default()
        },
        window: WINDOW,
        link_rate: None,
    }
}

/// A name in the place of one that was refused.
fn usual_name(place: usize) -> CarrierName {
    let names = world::carriers(CARRIERS_MAX).unwrap_or_default();
    names[place % CARRIERS_MAX].clone()
}

/// A decimal number as rate sheets have it.
fn price(entry: &Entry<'_>) -> Option<String> {
    entry.parse(table::Micros::parse).map(|price| price.to_string())
}

/// What `section` says of a carrier; where it says nothing, as `usual`.
fn behaviour(section: &Section<'_>, usual: &Behaviour) -> Behaviour {
    fn or<T: FromStr<Err: Display>>(entry: &Entry<'_>, usual: T) -> T {
        entry.parse(str::parse).unwrap_or(usual)
    }
    let share = |name: &str, usual| section.key(name).number(0.0..=1.0).unwrap_or(usual);
    let statuses = section
        .key("error_status")
        .list(WORDS_MAX, |item| item.parse(str::parse::<Status>));
    let throughput = section.key("rate").integer(1..=RATE_MAX);
    Behaviour {
        answer: or(&section.key("answer"), usual.answer),
        receipt_delay: or(&section.key("receipt"), usual.receipt_delay),
        receipts: or(&section.key("receipts"), usual.receipts.clone()),
        error_rate: share("errors", usual.error_rate),
        error_statuses: statuses.unwrap_or_else(|| usual.error_statuses.clone()),
        throttle_rate: share("throttled", usual.throttle_rate),
        drop_rate: share("unanswered", usual.drop_rate),
        throughput: throughput.or(usual.throughput),
        ..usual.clone()
    }
}
