//! Rows of senders.csv from which an earlier row takes everything.

use std::collections::HashMap;

use sms::CarrierName;
use source::Log;

use crate::{code, glob::Glob, network::Country, spec::SenderRow};

/// Earlier rows with stars that a row is compared with, one by one.
const STARRED_MAX: usize = 1_000;

/// What a row asks for, as written in lower case; `None` = any.
type Key<'a> = (Option<String>, Option<String>, Option<&'a CarrierName>, Option<Country>);

/// Points out each row that an earlier one makes useless.
pub(super) fn warn(rows: &[SenderRow], log: &Log) {
    let mut plain: HashMap<Key<'_>, u32> = HashMap::new();
    let mut starred: Vec<&SenderRow> = Vec::new();
    for row in rows {
        let text = |glob: &Option<Glob>| glob.as_ref().map(|glob| glob.to_string().to_ascii_lowercase());
        let (account, sender) = (text(&row.account), text(&row.sender));
        let wider = wider(&account, &sender, row)
            .into_iter()
            .find_map(|key| plain.get(&key).copied());
        let above = wider.or_else(|| {
            starred
                .iter()
                .find(|above| covers(above, row))
                .map(|above| above.place.line)
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

/// Whether `above` fits whatever `row` fits. A star of `row` stands in its text as itself, and only a star can take it.
fn covers(above: &SenderRow, row: &SenderRow) -> bool {
    let glob = |above: &Option<Glob>, row: &Option<Glob>| {
        let text = row.as_ref().map_or_else(|| "*".to_owned(), Glob::to_string);
        above.as_ref().is_none_or(|above| above.fits(&text))
    };
    (above.carrier.is_none() || above.carrier == row.carrier)
        && (above.country.is_none() || above.country == row.country)
        && glob(&above.account, &row.account)
        && glob(&above.sender, &row.sender)
}
