//! The reference, second half: who may take the message, at which cost, and in which order.

use std::cmp::Ordering;

use crate::{
    counts::Counts,
    walk::{Message, glob, in_span, sender_kind},
    world::{Carrier, Live, RateRow, Route, SenderRow, Sheet, World},
};

/// The route as it is used: what it says, else what the defaults say, else what the format says for the class.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) strategy: &'static str,
    pub(crate) attempts: usize,
    pub(crate) deadline: u64,
    pub(crate) receipt_within: Option<u64>,
    pub(crate) spill_after: Option<u64>,
    pub(crate) on_unknown: &'static str,
    pub(crate) lookup: &'static str,
    route_types: Option<Vec<&'static str>>,
    max_price: Option<i128>,
    min_margin: Option<i128>,
    min_delivery_rate: Option<f64>,
}

/// One carrier of the route, in candidate order.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) carrier: String,
    pub(crate) currency: &'static str,
    pub(crate) receipts: bool,
    pub(crate) refused: Option<&'static str>,
    /// In millionths of the carrier's currency.
    pub(crate) price: Option<i128>,
    /// All segments, in millionths of the table's currency.
    pub(crate) cost: Option<i128>,
    pub(crate) from: String,
    place: usize,
    weight: u64,
    p95: f64,
    /// What decides `best_value`: the delivery rate in units of 10^-18, 10^18 for a carrier charged on delivery.
    value: i128,
}

const WHOLE: i128 = 1_000_000_000_000_000_000;

pub(crate) fn terms(world: &World, route: &Route, class: &str) -> Terms {
    let base = &world.defaults;
    let hours = |count: u64| count * 3_600_000;
    let (deadline, spill_after, on_unknown) = match class {
        "otp" => (120_000, Some(2_000), "resend"),
        "transactional" => (hours(4), Some(30_000), "wait"),
        _ => (hours(24), None, "fail"),
    };
    let rate = route.min_delivery_rate.or(base.min_delivery_rate);
    Terms {
        strategy: route.strategy.or(base.strategy).unwrap_or("least_cost"),
        attempts: route.attempts.or(base.attempts).unwrap_or(3),
        deadline: route.deadline.or(base.deadline).unwrap_or(deadline),
        receipt_within: route.receipt_within.or(base.receipt_within),
        spill_after: route.spill_after.or(base.spill_after).or(spill_after),
        on_unknown: route.on_unknown.or(base.on_unknown).unwrap_or(on_unknown),
        lookup: route.lookup.or(base.lookup).unwrap_or("never"),
        route_types: route.route_types.clone().or_else(|| base.route_types.clone()),
        max_price: route.max_price.or(base.max_price),
        min_margin: route.min_margin.or(base.min_margin),
        min_delivery_rate: rate.map(|rate| rate.parse().expect("a number")),
    }
}

/// The row that prices a message, by reading every row.
fn rate<'w>(rows: &'w [RateRow], message: &Message, counts: &mut Counts) -> Option<&'w RateRow> {
    let latest = |fits: &dyn Fn(&RateRow) -> bool| {
        let rows = rows.iter().filter(|row| in_span(row.span, message.at) && fits(row));
        rows.max_by_key(|row| row.span.0.unwrap_or(i64::MIN))
    };
    let net = message.resolved.net.map(|(net, _)| net);
    let exact = net.filter(|(_, mnc)| !mnc.is_empty());
    let by_network = exact.and_then(|net| latest(&|row| (row.mcc, row.mnc) == net));
    let longest = || {
        let lengths = (1..=message.to.len()).rev();
        lengths
            .map(|len| &message.to[..len])
            .find_map(|start| latest(&|row| row.prefix == start))
    };
    let by_prefix = || longest().map(|row| ("prefix", row));
    let by_mcc = || {
        net.and_then(|(mcc, _)| latest(&|row| row.mcc == mcc && row.mnc.is_empty()))
            .map(|row| ("mcc", row))
    };
    let found = by_network
        .map(|row| ("mcc+mnc", row))
        .or_else(by_prefix)
        .or_else(by_mcc);
    counts.add("rate", found.map_or("none", |(how, _)| how));
    found.map(|(_, row)| row)
}

/// What the account pays for a segment; closed counts as none.
pub(crate) fn sell_price(world: &World, message: &Message, counts: &mut Counts) -> Option<i128> {
    let sheet = |name: &str| world.sells.iter().find(|sheet: &&Sheet| sheet.of == name);
    let (how, sheet) = match (sheet(&message.account), sheet("default")) {
        (Some(own), _) => ("own sheet", own),
        (None, Some(default)) => ("default sheet", default),
        (None, None) => return None,
    };
    let row = rate(&sheet.rows, message, &mut Counts::default());
    counts.add(
        "sell",
        match row {
            None => "none",
            Some(row) if row.price.is_none() => "closed",
            Some(_) => how,
        },
    );
    row.and_then(|row| row.price)
}

/// `price` × `fx` in millionths, half to even.
fn convert(price: i128, fx: i128, counts: &mut Counts) -> i128 {
    let product = price * fx;
    let (whole, rest) = (product.div_euclid(1_000_000), product.rem_euclid(1_000_000));
    counts.add(
        "money",
        match rest {
            0 => "exact",
            500_000 => "half to even",
            _ => "rounded",
        },
    );
    match rest.cmp(&500_000) {
        Ordering::Less => whole,
        Ordering::Equal => whole + whole % 2,
        Ordering::Greater => whole + 1,
    }
}

/// Lower end of the 95 % Wilson interval, and p95 seconds; both of carrier and network. What a running router counted
/// stands in place of the row from 30 attempts up.
fn quality(
    world: &World,
    carrier: &str,
    message: &Message,
    live: Option<&Live>,
    counts: &mut Counts,
) -> (f64, Option<f64>) {
    let net = message.resolved.net.map(|(net, _)| net);
    let counted = live.and_then(|live| {
        let mut rows = live.figures.iter();
        rows.find(|row| row.carrier == carrier && Some(row.net) == net)
    });
    if let Some(row) = counted {
        counts.add("quality", if row.attempts < 30 { "few live attempts" } else { "live" });
        if row.attempts >= 30 {
            let p95 = row.p95.map(|ms| ms as f64 / 1_000.0);
            return (wilson(row.attempts, row.delivered), p95);
        }
    }
    let row = world
        .quality
        .iter()
        .find(|row| row.carrier == carrier && Some(row.net) == net);
    let p95 = row.and_then(|row| row.p95).map(|text| text.parse().expect("a number"));
    let Some(row) = row.filter(|row| row.attempts >= 30) else {
        counts.add("quality", if row.is_some() { "few attempts" } else { "none" });
        return (0.9, p95);
    };
    counts.add("quality", "bound");
    (wilson(row.attempts, row.delivered), p95)
}

fn wilson(attempts: u64, delivered: u64) -> f64 {
    if delivered == 0 {
        return 0.0;
    }
    let z = 1.959_964_f64;
    let (n, p) = (attempts as f64, delivered as f64 / attempts as f64);
    let centre = p + z * z / (2.0 * n);
    let spread = z * ((p * (1.0 - p) + z * z / (4.0 * n)) / n).sqrt();
    ((centre - spread) / (1.0 + z * z / n)).max(0.0)
}

/// The sender towards `carrier`: `None` = refused.
fn shown<'m>(world: &'m World, carrier: &str, message: &'m Message) -> Option<&'m str> {
    let fits = |row: &&SenderRow| {
        (row.account.is_empty() || glob(row.account.as_bytes(), message.account.as_bytes()))
            && (row.sender.is_empty() || glob(row.sender.as_bytes(), message.from.as_bytes()))
            && (row.carrier.is_empty() || row.carrier == carrier)
            && (row.country.is_empty() || message.resolved.country == Some(row.country))
    };
    match world.senders.iter().find(fits) {
        Some(row) if row.shown == "-" => None,
        Some(row) => Some(row.shown),
        None => Some(&message.from),
    }
}

/// What speaks against a carrier before money does.
fn barred(world: &World, carrier: &Carrier, message: &Message, terms: &Terms) -> Option<&'static str> {
    let country = message.resolved.country;
    let shown = shown(world, &carrier.name, message);
    let kind = shown.map(sender_kind);
    let type_of = carrier.route_type.unwrap_or("direct");
    let refusals = [
        ("disabled", !carrier.enabled),
        ("avoided", message.avoided.contains(&carrier.name)),
        (
            "route_type",
            terms
                .route_types
                .as_ref()
                .is_some_and(|types| !types.contains(&type_of)),
        ),
        (
            "country",
            carrier
                .countries
                .as_ref()
                .is_some_and(|list| !world.any(list, |one| country == Some(one))),
        ),
        ("sender", shown.is_none()),
        (
            "sender_kind",
            kind.is_some_and(|kind| {
                carrier
                    .sender_kinds
                    .as_ref()
                    .is_some_and(|kinds| !kinds.contains(&kind))
            }),
        ),
        (
            "encoding",
            carrier
                .encodings
                .as_ref()
                .is_some_and(|list| !list.contains(&message.encoding)),
        ),
        ("concatenation", !carrier.concatenation && message.segments > 1),
        ("receipts", !carrier.receipts && terms.receipt_within.is_some()),
        ("ported", !carrier.accepts_ported && message.resolved.ported),
    ];
    refusals.into_iter().find(|(_, is)| *is).map(|(why, _)| why)
}

/// What speaks against a carrier just now.
fn held_back(carrier: &str, live: &Live, at: i64, terms: &Terms) -> Option<&'static str> {
    let deadline = live.accepted_at.unwrap_or(at) + live.ttl.unwrap_or(terms.deadline) as i64;
    let wait = live
        .waits
        .iter()
        .find(|(name, _)| name == carrier)
        .map(|(_, wait)| *wait);
    let is_saturated = wait.is_some_and(|wait| {
        terms.spill_after.is_some_and(|limit| wait > limit) || wait as i64 > (deadline - at).max(0)
    });
    if live.down.iter().any(|name| name == carrier) {
        Some("circuit_open")
    } else if is_saturated {
        Some("saturated")
    } else if live.tried.iter().any(|name| name == carrier) {
        Some("already_tried")
    } else {
        None
    }
}

fn offer(
    world: &World,
    carrier: &Carrier,
    message: &Message,
    route: &Route,
    terms: &Terms,
    live: Option<&Live>,
    counts: &mut Counts,
) -> Offer {
    let rows = world
        .rates
        .iter()
        .find(|sheet| sheet.of == carrier.name)
        .map_or(&[][..], |sheet| &sheet.rows);
    let row = rate(rows, message, counts);
    let fx = world
        .fx
        .iter()
        .find(|(name, _)| *name == carrier.currency)
        .map_or(1_000_000, |(_, fx)| *fx);
    let price = row.and_then(|row| row.price);
    let unit = price.map(|price| convert(price, fx, counts));
    let (delivery, p95) = quality(world, &carrier.name, message, live, counts);
    let by_money = || {
        let Some(unit) = unit else {
            return Some(if row.is_some() { "closed" } else { "no_rate" });
        };
        if terms.max_price.is_some_and(|limit| unit > limit) {
            return Some("max_price");
        }
        if let Some(least) = terms.min_margin {
            match sell_price(world, message, &mut Counts::default()) {
                None => return Some("no_sell_price"),
                Some(sell) if sell - unit < least => return Some("min_margin"),
                Some(_) => {}
            }
        }
        terms
            .min_delivery_rate
            .filter(|least| delivery < *least)
            .map(|_| "min_delivery_rate")
    };
    let refused = barred(world, carrier, message, terms)
        .or_else(by_money)
        .or_else(|| live.and_then(|live| held_back(&carrier.name, live, message.at, terms)));
    let is_charged_on_delivery = carrier.charged == Some("delivered");
    Offer {
        carrier: carrier.name.clone(),
        currency: carrier.currency,
        receipts: carrier.receipts,
        refused,
        price,
        cost: unit.map(|unit| unit * i128::from(message.segments)),
        from: shown(world, &carrier.name, message).unwrap_or(&message.from).to_owned(),
        place: 0,
        weight: route
            .weights
            .iter()
            .find(|(name, _)| *name == carrier.name)
            .map_or(0, |(_, weight)| *weight),
        p95: p95.unwrap_or(f64::INFINITY),
        value: if is_charged_on_delivery {
            WHOLE
        } else {
            (delivery * 1e18) as i128
        },
    }
}

/// Every candidate of `route` in candidate order, refused or not.
pub(crate) fn offers(
    world: &World,
    message: &Message,
    route: &Route,
    terms: &Terms,
    live: Option<&Live>,
    counts: &mut Counts,
) -> Vec<Offer> {
    let names = match &route.carriers {
        Some(list) => world.flat(list),
        None => {
            let open = world.carriers.iter().filter(|carrier| !carrier.only_named);
            let mut names: Vec<String> = open.map(|carrier| carrier.name.clone()).collect();
            names.sort();
            names
        }
    };
    let carriers = names.iter().map(|name| {
        let carrier = world.carriers.iter().find(|carrier| carrier.name == *name);
        carrier.expect("a carrier of the table")
    });
    let mut offers: Vec<Offer> = carriers
        .map(|carrier| offer(world, carrier, message, route, terms, live, counts))
        .collect();
    for (place, offer) in offers.iter_mut().enumerate() {
        offer.place = place;
    }
    offers
}

/// cost ÷ rate, a rate of 0 last.
fn by_value(a: &Offer, b: &Offer) -> Ordering {
    match (a.value, b.value) {
        (0, 0) => Ordering::Equal,
        (0, _) => Ordering::Greater,
        (_, 0) => Ordering::Less,
        (of_a, of_b) => (a.cost.unwrap_or(0) * of_b).cmp(&(b.cost.unwrap_or(0) * of_a)),
    }
}

/// Those that are left, the first first.
pub(crate) fn ranked(offers: &[Offer], strategy: &str, roll: u64) -> Vec<Offer> {
    let mut left: Vec<Offer> = offers.iter().filter(|offer| offer.refused.is_none()).cloned().collect();
    match strategy {
        "least_cost" => left.sort_by(|a, b| (a.cost, &a.carrier).cmp(&(b.cost, &b.carrier))),
        "fastest" => left.sort_by(|a, b| a.p95.total_cmp(&b.p95).then(a.carrier.cmp(&b.carrier))),
        "best_value" => left.sort_by(|a, b| by_value(a, b).then(a.carrier.cmp(&b.carrier))),
        "weighted" if !left.is_empty() => {
            let total: u64 = left.iter().map(|offer| offer.weight).sum();
            let mut rest = roll % total;
            let mut first = 0;
            while rest >= left[first].weight {
                rest -= left[first].weight;
                first += 1;
            }
            let first = left.remove(first);
            left.sort_by(|a, b| b.weight.cmp(&a.weight).then(a.place.cmp(&b.place)));
            left.insert(0, first);
        }
        _ => {}
    }
    left
}
