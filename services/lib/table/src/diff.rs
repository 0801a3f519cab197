//! What changes from one table to another: what it means, not how it is written. Rows in another order, a list rewritten or a
//! default spelled out are no difference.

mod defaults;
mod fields;
mod line;
mod merge;
mod names;
mod rates;
mod text;
mod things;

use serde::Serialize;
use source::Problems;

use crate::{check::checked, files::Files, spec::Spec};

/// Everything that differs between two tables. Serialized, it is the JSON of `table diff`.
#[derive(Clone, Debug, Serialize)]
pub struct Diff {
    /// Content hash of the old table.
    pub old: String,
    /// Content hash of the new one.
    pub new: String,
    /// Whether anything differs.
    pub differs: bool,
    /// `table.toml`.
    pub settings: Vec<FieldChange>,
    /// `carriers.toml`.
    pub carriers: Vec<Change>,
    /// `policies.toml`, where the order counts.
    pub policies: Vec<Change>,
    /// `senders.csv`, where the order counts.
    pub senders: Vec<Change>,
    /// `sets/`.
    pub sets: Vec<Change>,
    /// `quality.csv`.
    pub quality: Vec<Change>,
    /// `numbering.csv`.
    pub numbering: Vec<Change>,
    /// `ported.csv`.
    pub ported: Vec<Change>,
    /// `rates/`, of each carrier whose prices differ.
    pub rates: Vec<SheetChange>,
    /// `sell/`, of each account whose prices differ.
    pub sell: Vec<SheetChange>,
}

/// One thing with a name that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `added`, `removed`, `changed` or `moved`; one that changed may have moved as well.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its place before and after, from 1, where it moved past others.
    pub moved: Option<(usize, usize)>,
    /// What differs of it; of one that was added or removed, all that it says and that is no default.
    pub fields: Vec<FieldChange>,
}

/// One key that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The key.
    pub key: String,
    /// Its values before; empty = it was not there.
    pub from: Vec<String>,
    /// Its values after; empty = it is not there.
    pub to: Vec<String>,
}

/// One rate sheet that differs.
#[derive(Clone, Debug, Serialize)]
pub struct SheetChange {
    /// Carrier or account.
    pub owner: String,
    /// Currency of the prices before; empty = there was no such carrier.
    pub currency_old: String,
    /// Currency of the prices after.
    pub currency_new: String,
    /// How many prices came where there was none.
    pub added: usize,
    /// How many went without another in their place.
    pub removed: usize,
    /// How many rose.
    pub raised: usize,
    /// How many fell.
    pub lowered: usize,
    /// How many are closed now.
    pub closed: usize,
    /// How many were closed.
    pub opened: usize,
    /// Each of them, the heaviest first: closed, by how far they moved, removed, opened, added.
    pub changes: Vec<RateChange>,
}

/// One price that differs for some time.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RateChange {
    /// `closed`, `raised`, `lowered`, `removed`, `opened` or `added`.
    pub kind: &'static str,
    /// What it is for: `network 20801`, `mcc 208` or `prefix 33612`.
    pub key: String,
    /// Operator and country by the numbering plan; empty = it does not know.
    pub name: String,
    /// When the difference begins, RFC 3339; `None` = it always was.
    pub from: Option<String>,
    /// When it ends; `None` = it does not.
    pub until: Option<String>,
    /// Price before, or `closed`; `None` = none.
    pub old: Option<String>,
    /// Price after, or `closed`; `None` = none.
    pub new: Option<String>,
    /// By how much it moved, in percent of the old; `None` = not from a price to a price, or from zero.
    pub percent: Option<f64>,
}

/// One of two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The one before.
    Old,
    /// The one after.
    New,
}

/// Compares the table in `old` with the one in `new`.
///
/// # Errors
/// Everything that is wrong with the old table, then everything that is wrong with the new one.
pub fn diff(old: &Files, new: &Files) -> Result<Diff, Vec<(Side, Problems)>> {
    let sides = (checked(old), checked(new));
    if let (Ok((old_spec, _)), Ok((new_spec, _))) = &sides {
        return Ok(compare(old, old_spec.spec(), new, new_spec.spec()));
    }
    let sides = [(Side::Old, sides.0.err()), (Side::New, sides.1.err())];
    let unsound = sides.into_iter().filter_map(|(side, problems)| Some((side, problems?)));
    Err(unsound.collect())
}

fn compare(old_files: &Files, old: &Spec, new_files: &Files, new: &Spec) -> Diff {
    let mut diff = Diff {
        old: old.version.clone(),
        new: new.version.clone(),
        differs: false,
        settings: merge::fields(&things::settings(&old.settings), &things::settings(&new.settings)),
        carriers: things::carrier_changes(old, new),
        policies: merge::ordered(things::policies(old, new), things::policies(new, old)),
        senders: merge::ordered(things::senders(old), things::senders(new)),
        sets: merge::unordered(things::sets(old_files), things::sets(new_files)),
        quality: merge::unordered(things::quality(old), things::quality(new)),
        numbering: things::numbering(old, new),
        ported: things::ported(old, new),
        rates: rates::carriers(old, new),
        sell: rates::sell(old, new),
    };
    let named = [
        &diff.carriers,
        &diff.policies,
        &diff.senders,
        &diff.sets,
        &diff.quality,
        &diff.numbering,
        &diff.ported,
    ];
    diff.differs = !diff.settings.is_empty()
        || named.iter().any(|changes| !changes.is_empty())
        || !diff.rates.is_empty()
        || !diff.sell.is_empty();
    diff
}
