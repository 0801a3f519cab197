//! Prices side by side: of each key the price over time, so that rows may be cut and ordered differently and mean the same.

use std::{cmp::Ordering, collections::BTreeMap};

use sms::UnixMs;

use super::{RateChange, SheetChange, merge, names::Names};
use crate::{
    instant::{Span, instant_text},
    money::{Fx, Micros},
    spec::{RateKey, RateRow, Sheet, Spec},
};

/// What is charged at some instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// No row is in force.
    Nothing,
    Closed,
    Price(Micros),
}

/// A price that differs for some time.
struct Difference {
    key: RateKey,
    span: Span,
    old: Charge,
    new: Charge,
}

/// Currency of a sheet, and what it is in the table's.
#[derive(Clone, Default)]
struct Money {
    currency: String,
    fx: Option<Fx>,
}

/// The sheets of carriers.
pub(super) fn carriers(old: &Spec, new: &Spec) -> Vec<SheetChange> {
    let money = |spec: &Spec, owner: &str| {
        let carrier = spec.carriers.iter().flatten().find(|one| one.name.as_str() == owner);
        carrier.map_or_else(Money::default, |carrier| Money {
            currency: carrier.currency.clone(),
            fx: spec.settings.fx(&carrier.currency),
        })
    };
    sheets(old, new, &old.sheets, &new.sheets, money)
}

/// The sheets of accounts, which pay in the table's currency.
pub(super) fn sell(old: &Spec, new: &Spec) -> Vec<SheetChange> {
    let money = |spec: &Spec, _: &str| Money {
        currency: spec.settings.currency.clone(),
        fx: Some(Fx::ONE),
    };
    sheets(old, new, &old.sell, &new.sell, money)
}

fn sheets(
    old: &Spec,
    new: &Spec,
    old_sheets: &[Sheet],
    new_sheets: &[Sheet],
    money: impl Fn(&Spec, &str) -> Money,
) -> Vec<SheetChange> {
    let names = Names::new(old, new);
    let by_owner = |sheets: &'_ [Sheet]| -> BTreeMap<String, usize> {
        let owners = sheets.iter().enumerate();
        owners.map(|(at, sheet)| (sheet.owner.clone(), at)).collect()
    };
    let (olds, news) = (by_owner(old_sheets), by_owner(new_sheets));
    let mut owners: Vec<&String> = olds.keys().chain(news.keys()).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
        .into_iter()
        .filter_map(|owner| {
            let (before, after) = (money(old, owner), money(new, owner));
            let is_other =
                !before.currency.is_empty() && !after.currency.is_empty() && before.currency != after.currency;
            let (olds, news) = (rows(old_sheets, olds.get(owner)), rows(new_sheets, news.get(owner)));
            let differences = differences(olds, news, is_other);
            (!differences.is_empty()).then(|| sheet(owner, differences, &before, &after, &names))
        })
        .collect()
}

fn rows<'a>(sheets: &'a [Sheet], at: Option<&usize>) -> &'a [RateRow] {
    at.map(|at| &sheets[*at].rows[..]).unwrap_or_default()
}

/// The report on one sheet.
fn sheet(owner: &str, differences: Vec<Difference>, old: &Money, new: &Money, names: &Names<'_>) -> SheetChange {
    let mut changes: Vec<RateChange> = differences
        .into_iter()
        .map(|difference| rate(&difference, old, new, names))
        .collect();
    changes.sort_by(heaviest_first);
    let count = |kind: &str| changes.iter().filter(|change| change.kind == kind).count();
    SheetChange {
        owner: owner.to_owned(),
        currency_old: old.currency.clone(),
        currency_new: new.currency.clone(),
        added: count("added"),
        removed: count("removed"),
        raised: count("raised"),
        lowered: count("lowered"),
        closed: count("closed"),
        opened: count("opened"),
        changes,
    }
}

fn heaviest_first(a: &RateChange, b: &RateChange) -> Ordering {
    let rank = |change: &RateChange| match change.kind {
        "closed" => 0,
        "raised" | "lowered" => 1,
        "removed" => 2,
        "opened" => 3,
        _ => 4,
    };
    // From zero to anything is farther than any percent.
    let far = |change: &RateChange| change.percent.map_or(f64::INFINITY, f64::abs);
    rank(a).cmp(&rank(b)).then_with(|| far(b).total_cmp(&far(a)))
}

fn rate(difference: &Difference, old: &Money, new: &Money, names: &Names<'_>) -> RateChange {
    let text = |charge: Charge| match charge {
        Charge::Nothing => None,
        Charge::Closed => Some("closed".to_owned()),
        Charge::Price(price) => Some(price.to_string()),
    };
    let (kind, percent) = match (difference.old, difference.new) {
        (_, Charge::Closed) => ("closed", None),
        (_, Charge::Nothing) => ("removed", None),
        (Charge::Nothing, Charge::Price(_)) => ("added", None),
        (Charge::Closed, Charge::Price(_)) => ("opened", None),
        (Charge::Price(before), Charge::Price(after)) => {
            // In one currency as they stand, between two as the table converts them.
            let costs = if old.currency == new.currency {
                None
            } else {
                costs(before, old, after, new)
            };
            let (before, after) = costs.unwrap_or((before, after));
            let percent = (after.0 - before.0) as f64 / before.0 as f64 * 100.0;
            let kind = if after < before { "lowered" } else { "raised" };
            (kind, (before.0 != 0).then(|| (percent * 10.0).round() / 10.0))
        }
    };
    let instant = |ms: i64| u64::try_from(ms).ok().map(|ms| instant_text(UnixMs(ms)));
    RateChange {
        kind,
        key: difference.key.to_string(),
        name: names.of(difference.key),
        from: instant(difference.span.from),
        until: (difference.span.until < i64::MAX)
            .then(|| instant(difference.span.until))
            .flatten(),
        old: text(difference.old),
        new: text(difference.new),
        percent,
    }
}

fn costs(before: Micros, old: &Money, after: Micros, new: &Money) -> Option<(Micros, Micros)> {
    Some((before.convert(old.fx?)?, after.convert(new.fx?)?))
}

/// Everything that differs between two sheets, whose rows are in order of their keys. With `is_other` the currency does, and so
/// does every price.
fn differences(old: &[RateRow], new: &[RateRow], is_other: bool) -> Vec<Difference> {
    let same = |a: &[RateRow], b: &[RateRow]| {
        !is_other && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.price == b.price && a.span == b.span)
    };
    let mut found = Vec::new();
    merge::sorted(
        old.chunk_by(|a, b| a.key == b.key),
        new.chunk_by(|a, b| a.key == b.key),
        |rows| rows[0].key,
        |before, after| {
            let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
            if !same(before, after) {
                over_time(before, after, is_other, &mut found);
            }
        },
    );
    found
}

/// Where the prices of one key differ.
fn over_time(old: &[RateRow], new: &[RateRow], is_other: bool, found: &mut Vec<Difference>) {
    let Some(key) = old.iter().chain(new).next().map(|row| row.key) else {
        return;
    };
    let spans = old.iter().chain(new).map(|row| row.span);
    let mut edges: Vec<i64> = spans.flat_map(|span| [span.from, span.until]).collect();
    edges.push(i64::MAX);
    edges.sort_unstable();
    edges.dedup();
    let (mut old, mut new) = (Timeline::new(old), Timeline::new(new));
    let first = found.len();
    for pair in edges.windows(2) {
        let [from, until] = [pair[0], pair[1]];
        let (before, after) = (old.at(from), new.at(from));
        let is_priced = matches!((before, after), (Charge::Price(_), Charge::Price(_)));
        if before == after && !(is_other && is_priced) {
            continue;
        }
        match found[first..].last_mut() {
            Some(last) if last.span.until == from && (last.old, last.new) == (before, after) => last.span.until = until,
            _ => found.push(Difference {
                key,
                span: Span { from, until },
                old: before,
                new: after,
            }),
        }
    }
}

/// The price of one key at rising instants.
struct Timeline<'a> {
    /// Rows that have not begun, the earliest last.
    coming: &'a [RateRow],
    /// Rows that have begun, the latest last. One that is over stays until it comes to the end.
    begun: Vec<RateRow>,
}

impl<'a> Timeline<'a> {
    /// Of rows with the latest `from` first.
    fn new(rows: &'a [RateRow]) -> Self {
        Self {
            coming: rows,
            begun: Vec::new(),
        }
    }

    fn at(&mut self, at: i64) -> Charge {
        while let Some((next, rest)) = self.coming.split_last().filter(|(next, _)| next.span.from <= at) {
            self.begun.push(*next);
            self.coming = rest;
        }
        while self.begun.last().is_some_and(|row| row.span.until <= at) {
            self.begun.pop();
        }
        match self.begun.last().map(|row| row.price) {
            None => Charge::Nothing,
            Some(None) => Charge::Closed,
            Some(Some(price)) => Charge::Price(price),
        }
    }
}
