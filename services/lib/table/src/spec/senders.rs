//! `senders.csv`: the sender that each carrier shows, or that it takes none.

use sms::{CarrierName, Sender};
use source::{Code, Log, Place};

use super::csv;
use crate::{files::Files, glob::Glob, network::Country};

/// Most rows.
const LIMIT: csv::Limit = csv::Limit {
    rows_max: 1_000_000,
    help: "join rows by a * in account or sender",
};
/// Name of the file.
const PATH: &str = "senders.csv";

/// One row; absent parts fit anything.
#[derive(Debug)]
pub(crate) struct SenderRow {
    pub(crate) place: Place,
    pub(crate) account: Option<Glob>,
    pub(crate) sender: Option<Glob>,
    pub(crate) carrier: Option<CarrierName>,
    pub(crate) country: Option<Country>,
    /// What the carrier shows; `None` = it is refused.
    pub(crate) shown: Option<String>,
}

/// The rows in file order. Nothing, if the file is not there.
pub(super) fn read(files: &Files, log: &Log) -> Vec<SenderRow> {
    let Some(content) = files.get(PATH) else {
        return Vec::new();
    };
    let file = Place::file(PATH);
    let mut rows = Vec::new();
    csv::read(
        PATH,
        content,
        ["account", "sender", "carrier", "country", "use"],
        LIMIT,
        log,
        |row| {
            rows.extend(read_row(row.fields, file.at(row.line), log));
        },
    );
    rows
}

fn read_row([account, sender, carrier, country, shown]: [&str; 5], place: Place, log: &Log) -> Option<SenderRow> {
    let refuse = |what: String| log.error(place.clone(), Code::FORMAT, what, "", "");
    let glob = |text: &str| (!text.is_empty()).then(|| Glob::new(text));
    let carrier = match carrier {
        "" => Ok(None),
        name => CarrierName::new(name)
            .map(Some)
            .map_err(|error| refuse(format!("carrier is refused: {error}"))),
    };
    let country = match country {
        "" => Ok(None),
        code => {
            let refused = |error| refuse(format!("country \"{code}\" is refused: {error}"));
            Country::parse(code).map(Some).map_err(refused)
        }
    };
    let shown = match shown {
        "-" => Ok(None),
        sender => Sender::new(sender)
            .map(|sender| Some(sender.as_str().to_owned()))
            .map_err(|error| refuse(format!("use \"{sender}\" is refused: {error}; - stands for none"))),
    };
    let (carrier, country, shown) = (carrier.ok()?, country.ok()?, shown.ok()?);
    Some(SenderRow {
        account: glob(account),
        sender: glob(sender),
        carrier,
        country,
        shown,
        place,
    })
}
