//! Rows of senders.csv from which an earlier row takes everything.

use std::collections::HashMap;

use sms::CarrierName;
use source::Log;

use crate::{code, glob::Glob, network::Country, spec::SenderRow};

/// Earlier rows with stars that a row is compared with, one by one.
const STARRED_MAX: usize = 1_000;
/// Comparisons of one check. Beyond them only rows that are wider without new stars are found.
const COMPARISONS_MAX: usize = 5_000_000;
const _: () = assert!(STARRED_MAX <= COMPARISONS_MAX, "one row is compared with all");

/// What a row asks for, as written in lower case; `None` = any.
type Key<'a> = (Option<String>, Option<String>, Option<&'a CarrierName>, Option<Country>);

/// Points out each row that an earlier one makes useless.
pub(super) fn warn(rows: &[SenderRow], log: &Log) {
    let mut plain: HashMap<Key<'_>, u32> = HashMap::new();
    let mut starred: Vec<&SenderRow> = Vec::new();
    let mut comparisons_left = COMPARISONS_MAX;
    for row in rows {
        let text = |glob: &Option<Glob>| glob.as_ref().map(|glob| glob.to_string().to_ascii_lowercase());
        let (account, sender) = (text(&row.account), text(&row.sender));
        let wider = wider(&account, &sender, row)
            .into_iter()
            .find_map(|key| plain.get(&key).copied());
        let above = wider.or_else(|| {
            let compared = &starred[..starred.len().min(comparisons_left)];
            comparisons_left -= compared.len();
            let covers = |above: &&&SenderRow| covers(above, row, account.as_deref(), sender.as_deref());
            compared.iter().find(covers).map(|above| above.place.line)
        });
        if let Some(line) = above {
            let why = format!("the first row that fits counts, and line {line} fits whatever this one does");
            let what = "the row is never reached";
            log.warning(
                row.place.clone(),
                code::SENDER_SHADOWED,
                what,
                why,
                "move it up, or remove it",
            );
            continue;
        }
        let has_star = [&account, &sender].into_iter().flatten().any(|text| text.contains('*'));
        if has_star && starred.len() < STARRED_MAX {
            starred.push(row);
        }
        plain
            .entry((account, sender, row.carrier.as_ref(), row.country))
            .or_insert(row.place.line);
    }
}

/// Every key without new stars that is at least as wide as that of `row`, itself first.
fn wider<'a>(account: &Option<String>, sender: &Option<String>, row: &'a SenderRow) -> Vec<Key<'a>> {
    let mut keys = Vec::with_capacity(16);
    for drop in 0..16_u8 {
        let kept = |bit: u8| drop & (1 << bit) == 0;
        keys.push((
            account.clone().filter(|_| kept(0)),
            sender.clone().filter(|_| kept(1)),
            row.carrier.as_ref().filter(|_| kept(2)),
            row.country.filter(|_| kept(3)),
        ));
    }
    keys
}

/// Whether `above` fits whatever `row` does, whose globs are given as written. A star of them stands in its text as itself, and
/// only a star can take it.
fn covers(above: &SenderRow, row: &SenderRow, account: Option<&str>, sender: Option<&str>) -> bool {
    let glob =
        |above: &Option<Glob>, text: Option<&str>| above.as_ref().is_none_or(|glob| glob.fits(text.unwrap_or("*")));
    (above.carrier.is_none() || above.carrier == row.carrier)
        && (above.country.is_none() || above.country == row.country)
        && glob(&above.account, account)
        && glob(&above.sender, sender)
}
