//! The straightforward way to decide, which the table is held against: a hash map per prefix length, policies read one by
//! one, candidates collected and sorted.
//!
//! It is written to be plain, not to be slow: digits are integers, nothing is allocated while deciding, sender rules and
//! figures of quality are found by carrier, and what can be read once is read once.

mod answer;
mod book;
mod conditions;
mod places;
mod policies;
mod quality;

use std::collections::HashMap;

use sms::{CarrierName, SenderKind};
use table::{Action, Query};

pub(crate) use self::answer::Answer;
use self::{
    answer::Ranked,
    book::Book,
    conditions::fits,
    places::Places,
    policies::{Ends, Message, Reader, Way},
    quality::{Figures, wilson},
};
use super::scene::{CarrierDef, Net, Scene, SenderRow, Strategy};

/// Everything the reference decides with.
pub(crate) struct Reference<'a> {
    carriers: &'a [CarrierDef],
    places: Places<'a>,
    books: Vec<Book>,
    sell: HashMap<&'a str, Book>,
    /// Of each carrier, in file order.
    senders: Vec<Vec<&'a SenderRow>>,
    quality: HashMap<(usize, Net), Figures>,
    reader: Reader<'a>,
}

impl<'a> Reference<'a> {
    /// The reference over the values of `scene`.
    pub(crate) fn new(scene: &'a Scene) -> Self {
        let places = Places::new(scene);
        let of_carrier = |carrier: &CarrierDef| {
            let may_fit = |row: &&SenderRow| row.carrier.is_empty() || row.carrier == carrier.name.as_str();
            scene.senders.iter().filter(may_fit).collect()
        };
        let books = scene.carriers.iter().zip(&scene.sheets);
        let quality = scene.quality.iter().map(|row| {
            let figures = Figures {
                rate: wilson(row.attempts, row.delivered),
                p95_seconds: row.p95_seconds as f64,
            };
            ((row.carrier, row.network), figures)
        });
        Self {
            carriers: &scene.carriers,
            books: books
                .map(|(carrier, sheet)| Book::new(sheet, carrier.currency))
                .collect(),
            sell: scene
                .sell
                .iter()
                .map(|(name, sheet)| (name.as_str(), Book::new(sheet, "EUR")))
                .collect(),
            senders: scene.carriers.iter().map(of_carrier).collect(),
            quality: quality.collect(),
            reader: Reader::new(scene, &places),
            places,
        }
    }

    /// The carrier at a place.
    pub(crate) fn carrier(&self, at: usize) -> &'a CarrierName {
        &self.carriers[at].name
    }

    /// The name of the policy at a place.
    pub(crate) fn policy(&self, at: usize) -> &'a str {
        self.reader.name(at)
    }

    /// Fills `answer`. `told` is the network that the query names.
    pub(crate) fn decide(&self, query: &Query<'a>, told: Option<Net>, answer: &mut Answer<'a>) {
        answer.clear();
        let mut message = self.message(query, told);
        let ends = self.reader.read(&mut message, answer);
        (answer.encoding, answer.segments) = (message.encoding, message.segments);
        let way = match ends {
            Ends::Reject => {
                answer.action = Action::Reject;
                return;
            }
            Ends::Route(way) => way,
        };
        let sell = way.min_margin.and_then(|_| self.sell_price(&message));
        for (place, carrier) in way.carriers.iter().copied().enumerate() {
            match self.judge(carrier, &message, way, sell, answer) {
                Ok(mut ranked) => {
                    ranked.place = place;
                    ranked.weight = way.weights.get(place).copied().unwrap_or(0);
                    answer.ranked.push(ranked);
                }
                Err(why) => answer.refused.push((carrier, why)),
            }
        }
        self.rank(way, query.roll, &mut answer.ranked);
        (answer.attempts, answer.lookup) = (way.attempts, way.lookup);
        answer.action = if answer.ranked.is_empty() {
            Action::NoRoute
        } else {
            Action::Route
        };
    }

    fn message(&self, query: &Query<'a>, told: Option<Net>) -> Message<'a> {
        Message {
            query: *query,
            to: query.to,
            place: self.places.of(query.to, told, query.ported),
            from: query.from,
            sender_kind: SenderKind::of(query.from),
            encoding: query.encoding,
            segments: query.segments,
            text: query.text,
        }
    }

    /// What the account pays for a segment.
    fn sell_price(&self, message: &Message<'_>) -> Option<i64> {
        let book = self
            .sell
            .get(message.query.account)
            .or_else(|| self.sell.get("default"))?;
        book.rate(message.place.net, message.place.number, message.query.at)
            .flatten()
    }

    /// The carrier with its cost, or the first reason that refuses it.
    fn judge(
        &self,
        at: usize,
        message: &Message<'a>,
        way: &Way<'a>,
        sell: Option<i64>,
        answer: &Answer<'a>,
    ) -> Result<Ranked<'a>, &'static str> {
        let (carrier, place) = (&self.carriers[at], &message.place);
        if let Some(why) = unfit(carrier, message, way, answer.avoided.contains(&at)) {
            return Err(why);
        }
        let shown = self.shown(at, message);
        let kind = shown.map_or(message.sender_kind, SenderKind::of);
        if shown == Some("-") {
            return Err("sender");
        } else if !carrier.sender_kinds.contains(&kind.as_str()) {
            return Err("sender_kind");
        } else if let Some(why) = unable(carrier, message, way) {
            return Err(why);
        }
        let rate = self.books[at].rate(place.net, place.number, message.query.at);
        let cost = rate.ok_or("no_rate")?.ok_or("closed")?;
        let figures = if way.needs_quality() {
            let net = place.net.unwrap_or(Net::NONE);
            self.quality.get(&(at, net)).copied().unwrap_or(Figures::UNTOLD)
        } else {
            Figures::UNTOLD
        };
        if way.max_price.is_some_and(|limit| cost > limit) {
            return Err("max_price");
        }
        if let Some(margin) = way.min_margin {
            let sell = sell.ok_or("no_sell_price")?;
            if sell - cost < margin {
                return Err("min_margin");
            }
        }
        if way.min_delivery_rate.is_some_and(|least| figures.rate < least) {
            return Err("min_delivery_rate");
        }
        Ok(Ranked {
            carrier: at,
            cost: cost * i64::from(message.segments),
            from: shown.or(answer.from),
            weight: 0,
            place: 0,
            figures,
        })
    }

    /// What the first rule that fits shows in place of the sender; `-` = nothing.
    fn shown(&self, at: usize, message: &Message<'_>) -> Option<&'a str> {
        let fit = |row: &&&SenderRow| {
            (row.country.is_empty() || message.place.country == Some(&*row.country))
                && (row.account.is_empty() || fits(&row.account, message.query.account))
                && (row.sender.is_empty() || fits(&row.sender, message.from))
        };
        self.senders[at].iter().find(fit).map(|row| row.shown.as_str())
    }

    fn rank(&self, way: &Way<'_>, roll: u64, left: &mut [Ranked<'_>]) {
        let name = |one: &Ranked<'_>| self.carrier(one.carrier);
        let value = |one: &Ranked<'_>| match self.carriers[one.carrier].charged {
            "submit" => one.cost as f64 / one.figures.rate,
            _ => one.cost as f64,
        };
        match way.strategy {
            Strategy::Priority => {}
            Strategy::LeastCost => left.sort_by(|a, b| a.cost.cmp(&b.cost).then_with(|| name(a).cmp(name(b)))),
            Strategy::BestValue => {
                left.sort_by(|a, b| value(a).total_cmp(&value(b)).then_with(|| name(a).cmp(name(b))))
            }
            Strategy::Fastest => left.sort_by(|a, b| {
                let figures = a.figures.p95_seconds.total_cmp(&b.figures.p95_seconds);
                figures.then_with(|| name(a).cmp(name(b)))
            }),
            Strategy::Weighted => weigh(roll, left),
        }
    }
}

/// The die picks the first; the others follow heaviest first, then as listed.
fn weigh(roll: u64, left: &mut [Ranked<'_>]) {
    let total: u64 = left.iter().map(|one| one.weight).sum();
    if total == 0 {
        return;
    }
    let mut rest = roll % total;
    let mut picked = 0;
    while rest >= left[picked].weight {
        rest -= left[picked].weight;
        picked += 1;
    }
    left[..=picked].rotate_right(1);
    left[1..].sort_by(|a, b| b.weight.cmp(&a.weight).then(a.place.cmp(&b.place)));
}

/// The first reason that says nothing of the message's form.
fn unfit(carrier: &CarrierDef, message: &Message<'_>, way: &Way<'_>, is_avoided: bool) -> Option<&'static str> {
    let serves = |list: &[&str]| message.place.country.is_some_and(|country| list.contains(&country));
    if !carrier.enabled {
        Some("disabled")
    } else if is_avoided {
        Some("avoided")
    } else if !way.route_types.is_empty() && !way.route_types.contains(&carrier.route_type) {
        Some("route_type")
    } else if carrier.countries.is_some_and(|list| !serves(list)) {
        Some("country")
    } else {
        None
    }
}

/// The first reason in what the carrier can do.
fn unable(carrier: &CarrierDef, message: &Message<'_>, way: &Way<'_>) -> Option<&'static str> {
    if !carrier.encodings.contains(&message.encoding.as_str()) {
        Some("encoding")
    } else if message.segments > 1 && !carrier.concatenation {
        Some("concatenation")
    } else if way.wants_receipt && !carrier.receipts {
        Some("receipts")
    } else if message.place.ported && !carrier.accepts_ported {
        Some("ported")
    } else {
        None
    }
}
