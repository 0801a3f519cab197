//! What is decided with: a table of realistic size and variety, as values. [`Scene::files`] writes them as the files of a
//! table; the reference reads the very same values.

mod books;
mod carriers;
mod money;
mod policies;
mod sheets;

use anyhow::Result;
use sms::{CarrierName, UnixMs};
use table::{files::Files, instant_text};

pub(crate) use books::{QualityRow, SenderRow, by_mcc};
pub(crate) use carriers::CarrierDef;
pub(crate) use money::{Money, fx};
pub(crate) use policies::{Conditions, Policy, Rewrite, Route, Strategy};
pub(crate) use sheets::{Key, Net, RateRow, Sheet};

use crate::world::{Plan, carriers as carrier_names};

/// The first instant of the week that the traffic comes from: Friday 2027-01-15, 08:00 UTC.
pub(crate) const WEEK_BEGINS: UnixMs = UnixMs(1_800_000_000_000);
/// Its length.
pub(crate) const WEEK_MS: u64 = 7 * 24 * 3_600 * 1_000;

/// Accounts that submit.
pub(crate) const ACCOUNTS: [&str; 40] = [
    "northbank",
    "northbank-eu",
    "northbank-us",
    "northbank-test",
    "swiftmail",
    "swiftmail-eu",
    "swiftmail-us",
    "swiftmail-test",
    "larkspur",
    "larkspur-eu",
    "larkspur-us",
    "larkspur-test",
    "bergfink",
    "bergfink-eu",
    "bergfink-us",
    "bergfink-test",
    "riverside",
    "riverside-eu",
    "riverside-us",
    "riverside-test",
    "harbour",
    "harbour-eu",
    "harbour-us",
    "harbour-test",
    "meadow",
    "meadow-eu",
    "meadow-us",
    "meadow-test",
    "quill",
    "quill-eu",
    "quill-us",
    "quill-test",
    "saffron",
    "saffron-eu",
    "saffron-us",
    "saffron-test",
    "tramway",
    "tramway-eu",
    "tramway-us",
    "tramway-test",
];
/// Families of accounts: what stands before the first hyphen.
pub(crate) const FAMILIES: [&str; 10] = [
    "northbank",
    "swiftmail",
    "larkspur",
    "bergfink",
    "riverside",
    "harbour",
    "meadow",
    "quill",
    "saffron",
    "tramway",
];
/// Senders that are asked for: names, long codes and short codes.
pub(crate) const SENDERS: [&str; 24] = [
    "NORTHLIGHT",
    "BOREALIS ID",
    "NORDWIND",
    "SWIFTMAIL",
    "RIVERSIDE",
    "LARKSPUR",
    "BERGFINK",
    "Harbour",
    "Meadow",
    "QUILL",
    "SAFFRON",
    "Tramway",
    "NB-ALERT",
    "NB-LOGIN",
    "SwiftTrack",
    "LarkClub",
    "+447700900123",
    "+4915112345678",
    "12025550143",
    "57575",
    "80080",
    "+33612345678",
    "447700900456",
    "2255",
];

/// The largest part of a table and what lies around it.
pub(crate) struct Scene {
    pub(crate) plan: Plan,
    pub(crate) carriers: Vec<CarrierDef>,
    /// Of each carrier, in their order.
    pub(crate) sheets: Vec<Sheet>,
    /// What customers pay; `default` among them.
    pub(crate) sell: Vec<(String, Sheet)>,
    pub(crate) senders: Vec<SenderRow>,
    pub(crate) quality: Vec<QualityRow>,
    /// Numbers that moved.
    pub(crate) ported: Vec<(String, Net)>,
    pub(crate) policies: Vec<Policy>,
}

/// How large a scene is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) rows: usize,
    pub(crate) carriers: usize,
    pub(crate) policies: usize,
    pub(crate) seed: u64,
}

impl Scene {
    /// The scene of `size`; the same on every machine.
    ///
    /// # Errors
    /// Sizes that no table has.
    pub(crate) fn new(size: Size) -> Result<Self> {
        let plan = Plan::load()?;
        let names = carrier_names(size.carriers)?;
        let places = books::places(&plan, size.seed);
        Ok(Self {
            carriers: carriers::carriers(&names),
            sheets: sheets::sheets(&plan, &names, size.rows, size.seed)?,
            sell: books::sell(&plan, &names, size.seed),
            senders: books::senders(&names, &places, size.seed),
            quality: books::quality(&plan, &names, size.seed),
            ported: books::ported(&plan, size.seed),
            policies: policies::policies(size.policies, &names, &places, size.seed),
            plan,
        })
    }

    /// Rows of the carriers' rate sheets.
    pub(crate) fn rate_rows(&self) -> usize {
        self.sheets.iter().map(|sheet| sheet.0.len()).sum()
    }

    /// `files` after the first carrier has made all it lists a little cheaper.
    pub(crate) fn repriced(&self, mut files: Files) -> Files {
        let mut sheet = self.sheets[0].clone();
        for price in sheet.0.iter_mut().filter_map(|row| row.price.as_mut()) {
            price.0 = price.0 * 97 / 100;
        }
        files.insert(format!("rates/{}.csv", self.carriers[0].name), sheet.csv());
        files
    }

    /// The files of the table.
    pub(crate) fn files(&self) -> Files {
        let mut files = Files::default();
        files.insert("table.toml", TABLE);
        files.insert("numbering.csv", crate::world::NUMBERING);
        files.insert("carriers.toml", carriers::toml(&self.carriers));
        files.insert("policies.toml", policies::toml(&self.policies));
        files.insert("senders.csv", books::senders_csv(&self.senders));
        files.insert("quality.csv", books::quality_csv(&self.quality, &self.carriers));
        files.insert("ported.csv", books::ported_csv(&self.ported));
        for (carrier, sheet) in self.carriers.iter().zip(&self.sheets) {
            files.insert(format!("rates/{}.csv", carrier.name), sheet.csv());
        }
        for (account, sheet) in &self.sell {
            files.insert(format!("sell/{account}.csv"), sheet.csv());
        }
        files
    }
}

/// Prices of three currencies; the defaults route most of the traffic.
const TABLE: &str = "\
# Written by `signalbox-loadtest decide`. The numbering is real; all else is invented.
name = \"decide\"
currency = \"EUR\"

[fx]
USD = \"0.9213\"
GBP = \"1.1734\"

[defaults]
strategy = \"least_cost\"
attempts = 3
";

/// An instant of the week, so many hours after its beginning.
pub(crate) fn hours_in(hours: u64) -> UnixMs {
    UnixMs(WEEK_BEGINS.0 + hours * 3_600_000)
}

/// An instant as the files of a table hold it; absent = empty.
fn instant(at: Option<UnixMs>) -> String {
    at.map(instant_text).unwrap_or_default()
}

/// The name of the carrier `at` places after the first, around the end.
fn round(names: &[CarrierName], at: usize) -> &CarrierName {
    &names[at % names.len()]
}
