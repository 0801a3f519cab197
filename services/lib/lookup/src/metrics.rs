//! Names of the metrics of look-ups.

use metrics::{Unit, counter, describe_counter};
use table::Micros;

use crate::Why;

const VERDICTS: &str = "signalbox_lookup_verdicts_total";
const UNSPENT: &str = "signalbox_lookup_unspent_micros_total";
const SAVED: &str = "signalbox_lookup_saved_micros_total";

/// Describes the metrics of look-ups to the recorder in place.
pub fn describe() {
    describe_counter!(
        VERDICTS,
        Unit::Count,
        "messages whose route looks up when it matters, by verdict: worth and curious ask, dear, nothing, told and nobody do not"
    );
    describe_counter!(
        UNSPENT,
        Unit::Count,
        "price of the queries that were not made, in millionths of the table's currency, by verdict"
    );
    describe_counter!(
        SAVED,
        Unit::Count,
        "what answers saved by another carrier or price, in millionths of the table's currency"
    );
}

/// Counts a verdict, and the `price` of the query where that is not made.
pub(crate) fn verdict(why: Why, price: Micros) {
    counter!(VERDICTS, "verdict" => why.as_str()).increment(1);
    if matches!(why, Why::Dear | Why::Nothing) {
        counter!(UNSPENT, "verdict" => why.as_str()).increment(micros(price));
    }
}

/// Counts what an answer saved, see `table::Table::saving`.
pub fn saved(saving: Micros) {
    counter!(SAVED).increment(micros(saving));
}

/// Nothing below zero is counted.
fn micros(amount: Micros) -> u64 {
    u64::try_from(amount.0).unwrap_or(0)
}
