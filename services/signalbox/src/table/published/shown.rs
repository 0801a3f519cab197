//! Versions and routers for people, and for programs.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::{Value, json};
use signalbox_proto::pb::signalbox::routing::v1 as pb;

use crate::terminal::plain;

/// One version in a line: what is said of it, its number, hash, who and why.
pub(super) fn line(word: &str, table: &pb::PublishedTable) -> String {
    let mut line = format!("{word}: version {} ({})", table.number, table.version);
    if table.again > 0 {
        let _ = write!(line, ", which is {} again", table.again);
    }
    if !table.who.is_empty() {
        let _ = write!(line, ", by {}", plain(&table.who));
    }
    if !table.note.is_empty() {
        let _ = write!(line, ": {}", plain(&table.note));
    }
    if table.state() == pb::TableState::Pending {
        let _ = write!(
            line,
            "\n  until {} unless it is confirmed",
            instant(table.confirm_by.as_ref())
        );
    }
    line
}

/// The versions, each a line.
pub(super) fn history(tables: &[pb::PublishedTable]) -> String {
    let heads = ["NUMBER", "VERSION", "PUBLISHED", "STATE", "BY", "NOTE"].map(str::to_owned);
    let rows = tables.iter().map(|table| {
        let again = (table.again > 0).then(|| format!("{} again", table.again));
        let note = Some(plain(&table.note)).filter(|note| !note.is_empty());
        let note = again.into_iter().chain(note).collect::<Vec<_>>().join(". ");
        [
            table.number.to_string(),
            table.version.clone(),
            instant(table.at.as_ref()),
            state(table).to_owned(),
            plain(&table.who),
            note,
        ]
    });
    columns(std::iter::once(heads).chain(rows).collect())
}

/// What is in force and what each router serves.
pub(super) fn status(status: &pb::WatchTablesResponse) -> String {
    let mut text = String::new();
    match &status.in_force {
        Some(table) => {
            let _ = writeln!(text, "{}", line("in force", table));
        }
        None => text.push_str("no version was published\n"),
    }
    if let Some(table) = &status.returns_to {
        let _ = writeln!(text, "{}", line("then", table));
    }
    text + &routers(status)
}

/// What each router serves.
pub(super) fn routers(status: &pb::WatchTablesResponse) -> String {
    if status.routers.is_empty() {
        return "no router says what it serves\n".to_owned();
    }
    let heads = ["ROUTER", "NUMBER", "VERSION", "SAID", "FAULT"].map(str::to_owned);
    let rows = status.routers.iter().map(|router| {
        let number = if router.number > 0 {
            router.number.to_string()
        } else {
            "-".to_owned()
        };
        let version = if router.version.is_empty() {
            "none"
        } else {
            &router.version
        };
        let said = instant(router.said_at.as_ref());
        [
            plain(&router.router),
            number,
            version.to_owned(),
            said,
            plain(&router.fault),
        ]
    });
    columns(std::iter::once(heads).chain(rows).collect())
}

pub(super) fn object(table: &pb::PublishedTable) -> Value {
    let or_null = |at: &Option<prost_types::Timestamp>| at.as_ref().map(|at| instant(Some(at)));
    json!({
        "number": table.number,
        "version": table.version,
        "at": or_null(&table.at),
        "state": state(table),
        "confirm_by": or_null(&table.confirm_by),
        "confirmed": table.is_confirmed,
        "again": (table.again > 0).then_some(table.again),
        "who": table.who,
        "note": table.note,
        "packed_octets": table.packed_octets,
    })
}

pub(super) fn status_object(status: &pb::WatchTablesResponse) -> Value {
    let routers = status.routers.iter().map(|router| {
        json!({
            "router": router.router,
            "number": (router.number > 0).then_some(router.number),
            "version": router.version,
            "said_at": instant(router.said_at.as_ref()),
            "fault": router.fault,
        })
    });
    json!({
        "in_force": status.in_force.as_ref().map(object),
        "returns_to": status.returns_to.as_ref().map(object),
        "converged": status.is_converged,
        "routers": routers.collect::<Vec<_>>(),
    })
}

fn state(table: &pb::PublishedTable) -> &'static str {
    match table.state() {
        pb::TableState::InForce => "in force",
        pb::TableState::Pending => "to confirm",
        pb::TableState::Replaced => "replaced",
        pb::TableState::Lapsed => "not confirmed",
        pb::TableState::Unspecified => "",
    }
}

/// Rows with their cells below each other; the last cell ends its line.
fn columns<const N: usize>(rows: Vec<[String; N]>) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn instant(at: Option<&prost_types::Timestamp>) -> String {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
        .map_or_else(String::new, |at| format!("{at:.0}"))
}

#[cfg(test)]
mod tests;
