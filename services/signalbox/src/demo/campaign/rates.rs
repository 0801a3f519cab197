//! How fast the carriers are, so that a campaign waits for all of them for as long.

use std::collections::BTreeMap;

use signalbox_loadtest::world::Letter;
use sms::{CarrierName, UnixMs};
use table::Table;

use super::super::placing::first_choice;

/// How long the carriers need for the campaign, in seconds: less than the ten minutes from which on ingest refuses one.
const QUEUE_SECONDS: u64 = 500;
/// Parts a second that a link takes at least: passwords alone leave nearly all of it free, as a real one.
const RATE_MIN: u64 = 500;
/// Letters of the campaign that the table is asked about.
const SAMPLE: usize = 3_000;

/// Parts a second of each carrier's link, for a campaign of so many `messages` that goes where `table` says.
pub(in super::super) fn rates(
    table: &Table,
    carriers: impl Iterator<Item = CarrierName>,
    letters: impl Iterator<Item = Letter>,
    messages: u32,
    now: UnixMs,
) -> BTreeMap<CarrierName, u32> {
    let mut shares: BTreeMap<_, u64> = carriers.map(|carrier| (carrier, 0)).collect();
    let choices = letters
        .take(SAMPLE)
        .filter_map(|letter| first_choice(table, &letter, now, &|_| false));
    for carrier in choices {
        *shares.entry(carrier).or_default() += 1;
    }
    let rate = |share: u64| (u64::from(messages) * share).div_ceil(SAMPLE as u64 * QUEUE_SECONDS);
    let rates = shares.into_iter().map(|(carrier, share)| {
        let rate = rate(share).max(RATE_MIN);
        (carrier, u32::try_from(rate).unwrap_or(u32::MAX))
    });
    rates.collect()
}
