//! What lies around policies and rates: registered senders, quality, customers' prices, numbers that moved.

use std::{collections::BTreeMap, fmt::Write as _};

use sms::CarrierName;

use super::{ACCOUNTS, CarrierDef, FAMILIES, Key, Money, Net, RateRow, SENDERS, Sheet, round, sheets::networks};
use crate::world::{self, Draws, Plan, Recipients};

/// Rows of `senders.csv`.
const SENDERS_ROWS: usize = 150;
/// Rows of `ported.csv`.
const PORTED_ROWS: usize = 20_000;
/// Networks for which there are figures of quality.
const QUALITY_NETWORKS_ONE_IN: usize = 4;
/// Recipients that policies take their countries, networks and prefixes from: as frequent there as in the traffic.
const PLACES: usize = 4_000;

/// Where a recipient is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) country: String,
    /// Absent = the plan does not know the MNC.
    pub(crate) network: Option<Net>,
    pub(crate) prefix: String,
}

/// A row of `senders.csv`; empty text = any.
#[derive(Clone, Debug)]
pub(crate) struct SenderRow {
    pub(crate) account: String,
    pub(crate) sender: String,
    pub(crate) carrier: String,
    pub(crate) country: String,
    /// `-` = refused.
    pub(crate) shown: String,
}

/// A row of `quality.csv`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QualityRow {
    /// Place among the carriers.
    pub(crate) carrier: usize,
    pub(crate) network: Net,
    pub(crate) attempts: u64,
    pub(crate) delivered: u64,
    pub(crate) p95_seconds: u64,
}

/// Places drawn as the traffic draws its recipients.
pub(super) fn places(plan: &Plan, seed: u64) -> Vec<Place> {
    let recipients = Recipients::new(seed ^ 0x706c_6163).take(PLACES);
    let rows = recipients.filter_map(|recipient| plan.row_of(recipient.msisdn.digits()).cloned());
    let place = |row: world::PlanRow| Place {
        network: (!row.mnc.is_empty()).then(|| Net::new(&row.mcc, &row.mnc)),
        country: row.country.into(),
        prefix: row.prefix.into(),
    };
    rows.filter(|row| !row.country.is_empty()).map(place).collect()
}

/// Registered names by carrier and country; one in eight refuses.
pub(super) fn senders(names: &[CarrierName], places: &[Place], seed: u64) -> Vec<SenderRow> {
    let mut draws = Draws::new(seed ^ 0x7365_6e64);
    let mut row = |at: usize| {
        let sender = *draws.one_of(&SENDERS);
        let account = match at % 5 {
            0 => *draws.one_of(&ACCOUNTS),
            1 => *draws.one_of(&FAMILIES),
            _ => "",
        };
        SenderRow {
            account: if at % 5 == 1 {
                format!("{account}*")
            } else {
                account.to_owned()
            },
            sender: if at % 7 == 3 {
                format!("{}*", &sender[..2])
            } else {
                sender.to_owned()
            },
            carrier: if at % 9 == 8 {
                String::new()
            } else {
                draws.one_of(names).to_string()
            },
            country: draws.one_of(places).country.clone(),
            shown: if at % 8 == 5 {
                "-".to_owned()
            } else {
                format!("REG{at:05}")
            },
        }
    };
    (0..SENDERS_ROWS).map(&mut row).collect()
}

/// Figures for each carrier to a quarter of the networks; some are too few to count.
pub(super) fn quality(plan: &Plan, names: &[CarrierName], seed: u64) -> Vec<QualityRow> {
    let mut draws = Draws::new(seed ^ 0x7175_616c);
    let networks: Vec<Net> = networks(plan).into_iter().step_by(QUALITY_NETWORKS_ONE_IN).collect();
    let mut rows = Vec::with_capacity(networks.len() * names.len());
    for carrier in 0..names.len() {
        for network in &networks {
            let attempts = 10 + draws.below(5_000);
            rows.push(QualityRow {
                carrier,
                network: *network,
                attempts,
                delivered: attempts * (600 + draws.below(400)) / 1_000,
                p95_seconds: 2 + draws.below(60),
            });
        }
    }
    rows
}

/// What customers pay: a price for every MCC somewhat above the usual cost, and one account with prices of its own.
pub(super) fn sell(plan: &Plan, names: &[CarrierName], seed: u64) -> Vec<(String, Sheet)> {
    let prices = world::Sheet {
        carrier: round(names, 0),
        coverage: 0.0,
        seed,
        percent: 100,
    };
    let sheet = |percent: u64| {
        let row = |(mcc, country): (&str, &str)| {
            RateRow::always(
                Key::Mcc(Net::new(mcc, "")),
                prices.country_price(country) * percent / 100,
            )
        };
        Sheet(plan.mccs().into_iter().map(row).collect())
    };
    vec![("default".to_owned(), sheet(112)), (ACCOUNTS[0].to_owned(), sheet(104))]
}

/// Numbers that moved to another network of their country, each once.
pub(super) fn ported(plan: &Plan, seed: u64) -> Vec<(String, Net)> {
    let by_mcc = by_mcc(plan);
    let mut draws = Draws::new(seed ^ 0x706f_7274);
    let mut ported = BTreeMap::new();
    for recipient in Recipients::new(seed ^ 0x6d6f_7665) {
        let number = recipient.msisdn.digits();
        if let Some(networks) = plan.row_of(number).and_then(|row| by_mcc.get(&Net::new(&row.mcc, ""))) {
            ported.insert(number.to_owned(), *draws.one_of(networks));
        }
        if ported.len() == PORTED_ROWS {
            break;
        }
    }
    ported.into_iter().collect()
}

/// The networks under each MCC.
pub(crate) fn by_mcc(plan: &Plan) -> BTreeMap<Net, Vec<Net>> {
    let mut by_mcc: BTreeMap<Net, Vec<Net>> = BTreeMap::new();
    for network in networks(plan) {
        by_mcc.entry(network.mcc()).or_default().push(network);
    }
    by_mcc
}

pub(super) fn senders_csv(rows: &[SenderRow]) -> String {
    let mut text = String::from("account,sender,carrier,country,use\n");
    for row in rows {
        writeln!(
            text,
            "{},{},{},{},{}",
            row.account, row.sender, row.carrier, row.country, row.shown
        )
        .expect("writing to a string does not fail");
    }
    text
}

pub(super) fn quality_csv(rows: &[QualityRow], carriers: &[CarrierDef]) -> String {
    let mut text = String::from("carrier,mcc,mnc,attempts,delivered,p95_seconds\n");
    for row in rows {
        let (carrier, net) = (&carriers[row.carrier].name, row.network.digits());
        let (mcc, mnc) = net.split_at(3);
        let (attempts, delivered, p95) = (row.attempts, row.delivered, row.p95_seconds);
        writeln!(text, "{carrier},{mcc},{mnc},{attempts},{delivered},{p95}")
            .expect("writing to a string does not fail");
    }
    text
}

pub(super) fn ported_csv(rows: &[(String, Net)]) -> String {
    let mut text = String::from("msisdn,mcc,mnc\n");
    for (number, net) in rows {
        let net = net.digits();
        let (mcc, mnc) = net.split_at(3);
        writeln!(text, "{number},{mcc},{mnc}").expect("writing to a string does not fail");
    }
    text
}

/// An amount drawn from `from` to `until` − 1 hundred-thousandths.
pub(super) fn amount(draws: &mut Draws, from: u64, until: u64) -> Money {
    Money((from + draws.below(until - from)) as i64)
}
