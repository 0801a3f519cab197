//! Sheets to books: what carriers charge, and what customers pay.

use sms::CarrierName;

use super::{CarrierNames, index};
use crate::{
    digits::Digits,
    money::Fx,
    rates::{CarrierIndex, KeyId, Price, Rate, RateBook},
    sell::SellBook,
    spec::{RateKey, RateRow, Sheet, Spec},
    trie::Trie,
};

/// Each rated prefix in order, with its key.
pub(super) type PrefixKeys = Vec<(Digits, KeyId)>;

/// The book of all carriers' sheets.
pub(super) fn rates(spec: &Spec, names: &CarrierNames<'_>) -> (RateBook, PrefixKeys) {
    let sheets = spec.sheets.iter().map(|sheet| {
        let name = CarrierName::new(&sheet.owner).expect("check() refuses sheets of undefined carriers");
        let carrier = spec.carriers.iter().flatten().find(|carrier| carrier.name == name);
        let fx = carrier.and_then(|carrier| spec.settings.fx(&carrier.currency));
        (
            names.of(&name),
            sheet,
            fx.expect("check() wants an exchange rate for each currency"),
        )
    });
    book(sheets, names.0.len())
}

/// The book of what customers pay. `None` = there is no sheet.
pub(super) fn sell(spec: &Spec) -> Option<SellBook> {
    if spec.sell.is_empty() {
        return None;
    }
    // By name, which is not the order of the files: `a-b.csv` stands before `a.csv`.
    let mut by_name: Vec<&Sheet> = spec.sell.iter().collect();
    by_name.sort_unstable_by(|a, b| a.owner.cmp(&b.owner));
    let sheets = by_name
        .iter()
        .enumerate()
        .map(|(at, sheet)| (index(at), *sheet, Fx::ONE));
    let (rates, prefix_keys) = book(sheets, by_name.len());
    let (prefixes, keys): (Vec<Digits>, Vec<KeyId>) = prefix_keys.into_iter().unzip();
    let sheets = by_name.iter().map(|sheet| sheet.owner.clone()).collect();
    Some(SellBook {
        sheets,
        rates,
        trie: Trie::new(&prefixes),
        keys,
    })
}

fn book<'a>(sheets: impl Iterator<Item = (CarrierIndex, &'a Sheet, Fx)>, count: usize) -> (RateBook, PrefixKeys) {
    let mut rows: Vec<(CarrierIndex, &RateRow, Fx)> = Vec::new();
    for (owner, sheet, fx) in sheets {
        rows.extend(sheet.rows.iter().map(|row| (owner, row, fx)));
    }
    // Sheets are sorted by key and `from` already: a stable sort only merges them.
    rows.sort_by_key(|(owner, row, _)| (row.key, *owner));
    let mut book = RateBook::new(count);
    let mut prefixes = Vec::new();
    let mut last = None;
    for (owner, row, fx) in rows {
        let price = row.price.map(|unit| {
            let cost = unit.convert(fx).expect("check() refuses prices that do not convert");
            Price { unit, cost }
        });
        let is_new = last != Some(row.key);
        let key = book.push(is_new, row.key, owner, Rate { span: row.span, price });
        if let (true, RateKey::Prefix(prefix)) = (is_new, row.key) {
            prefixes.push((prefix, key));
        }
        last = Some(row.key);
    }
    (book.finish(), prefixes)
}
