//! The difference as text, short enough to approve.

use std::fmt::Write as _;

use super::{Change, Diff, FieldChange, RateChange, SheetChange};

/// Changes shown of each group.
const SHOWN: usize = 10;
/// Entries shown of each list.
const ENTRIES_SHOWN: usize = 5;

impl Diff {
    /// The difference for people: of each group the ten heaviest changes, or with `all` every one.
    pub fn text(&self, all: bool) -> String {
        if !self.differs {
            return "no difference\n".to_owned();
        }
        let mut text = format!("{} -> {}\n", self.old, self.new);
        let limit = if all { usize::MAX } else { SHOWN };
        if !self.settings.is_empty() {
            text += "\nsettings\n";
            for field in &self.settings {
                let _ = writeln!(text, "  {}", field_text(field, all));
            }
        }
        let groups = [
            ("carriers", &self.carriers),
            ("policies", &self.policies),
            ("senders", &self.senders),
            ("sets", &self.sets),
            ("quality", &self.quality),
            ("numbering", &self.numbering),
            ("ported numbers", &self.ported),
        ];
        for (name, changes) in groups.iter().filter(|(_, changes)| !changes.is_empty()) {
            let _ = writeln!(text, "\n{name}: {}", counts(changes));
            for change in changes.iter().take(limit) {
                write_change(change, all, &mut text);
            }
            more(changes.len(), limit, &mut text);
        }
        for (name, sheets) in [("rates of", &self.rates), ("sell prices of", &self.sell)] {
            for sheet in sheets {
                let _ = writeln!(
                    text,
                    "\n{name} {}, {}: {}",
                    sheet.owner,
                    currency(sheet),
                    sheet_counts(sheet)
                );
                for change in sheet.changes.iter().take(limit) {
                    let _ = writeln!(text, "  {}", rate_text(change));
                }
                more(sheet.changes.len(), limit, &mut text);
            }
        }
        text
    }
}

fn more(count: usize, limit: usize, text: &mut String) {
    if count > limit {
        let _ = writeln!(text, "  and {} more", count - limit);
    }
}

pub(super) fn counts(changes: &[Change]) -> String {
    let kinds = ["added", "removed", "changed", "moved"];
    joined(kinds.map(|kind| (kind, changes.iter().filter(|change| change.kind == kind).count())))
}

pub(super) fn sheet_counts(sheet: &SheetChange) -> String {
    joined([
        ("closed", sheet.closed),
        ("raised", sheet.raised),
        ("lowered", sheet.lowered),
        ("removed", sheet.removed),
        ("opened", sheet.opened),
        ("added", sheet.added),
    ])
}

fn joined<const N: usize>(counts: [(&str, usize); N]) -> String {
    let parts = counts.iter().filter(|(_, count)| *count > 0);
    parts
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn currency(sheet: &SheetChange) -> String {
    match (&*sheet.currency_old, &*sheet.currency_new) {
        (old, new) if old == new => new.to_owned(),
        ("", one) | (one, "") => one.to_owned(),
        (old, new) => format!("{old} -> {new}"),
    }
}

fn write_change(change: &Change, all: bool, text: &mut String) {
    let name = &change.name;
    let whole = || {
        let fields = change.fields.iter().map(|field| {
            let values = if field.from.is_empty() { &field.to } else { &field.from };
            format!("{} {}", field.key, list(values, all))
        });
        fields.collect::<Vec<_>>().join(", ")
    };
    match change.kind {
        "added" => {
            let _ = writeln!(text, "  + {name}: {}", whole());
        }
        "removed" => {
            let _ = writeln!(text, "  - {name}: {}", whole());
        }
        _ => {
            let moved = change
                .moved
                .map(|(from, to)| format!(" moved from place {from} to {to}"));
            // One line says all of a small change.
            if let ([field], None) = (&change.fields[..], &moved) {
                let _ = writeln!(text, "  ~ {name}: {}", field_text(field, all));
                return;
            }
            let _ = writeln!(text, "  ~ {name}{}", moved.unwrap_or_default());
            for field in &change.fields {
                let _ = writeln!(text, "      {}", field_text(field, all));
            }
        }
    }
}

fn field_text(field: &FieldChange, all: bool) -> String {
    let (from, to) = (&field.from, &field.to);
    let is_short = from.len() <= 1 && to.len() <= 1;
    let gone: Vec<String> = from
        .iter()
        .filter(|value| to.binary_search(value).is_err())
        .cloned()
        .collect();
    let come: Vec<String> = to
        .iter()
        .filter(|value| from.binary_search(value).is_err())
        .cloned()
        .collect();
    // A list in another order gains and loses nothing, and one that is new or gone is said whole.
    if is_short || from.is_empty() || to.is_empty() || !from.is_sorted() || !to.is_sorted() {
        return format!("{}: {} -> {}", field.key, list(from, all), list(to, all));
    }
    let sides = [("+", &come), ("-", &gone)];
    let sides = sides.iter().filter(|(_, values)| !values.is_empty());
    let sides: Vec<String> = sides
        .map(|(sign, values)| format!("{sign} {}", list(values, all)))
        .collect();
    format!("{}: {}", field.key, sides.join("; "))
}

fn list(values: &[String], all: bool) -> String {
    let limit = if all { usize::MAX } else { ENTRIES_SHOWN };
    match values {
        [] => "none".to_owned(),
        values if values.len() > limit => {
            format!("{} and {} more", values[..limit].join(", "), values.len() - limit)
        }
        values => values.join(", "),
    }
}

fn rate_text(change: &RateChange) -> String {
    let mut text = format!("{:<8} {}", change.kind, change.key);
    if !change.name.is_empty() {
        text += &format!(" {}", change.name);
    }
    text += ": ";
    text += &match (&change.old, &change.new) {
        (Some(old), Some(new)) => format!("{old} -> {new}"),
        (None, Some(new)) => new.clone(),
        (old, None) => format!("{} -> none", old.as_deref().unwrap_or("none")),
    };
    if let Some(percent) = change.percent {
        text += &format!(" ({percent:+.1} %)");
    }
    for (word, end) in [("from", &change.from), ("until", &change.until)] {
        if let Some(end) = end {
            text += &format!(", {word} {}", end.strip_suffix("T00:00:00Z").unwrap_or(end));
        }
    }
    text
}
