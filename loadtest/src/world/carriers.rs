//! Names of carriers that do not exist.

use anyhow::{Result, ensure};
use sms::CarrierName;

/// Most carriers a generated table has.
pub const CARRIERS_MAX: usize = 1_000;

/// Invented: clouds, winds, birds and lights.
const NAMES: [&str; 40] = [
    "atlas",
    "borealis",
    "cirrus",
    "dorado",
    "ember",
    "fjordline",
    "gannet",
    "halcyon",
    "icefall",
    "juniper",
    "kestrel",
    "lantern",
    "mistral",
    "nimbus",
    "osprey",
    "petrel",
    "quartzite",
    "ridgeway",
    "solstice",
    "tundra",
    "umbra",
    "vesper",
    "willowbay",
    "xenolith",
    "yarrow",
    "zephyrus",
    "alpenglow",
    "bramble",
    "curlew",
    "driftwood",
    "estuary",
    "foxglove",
    "greylag",
    "heron",
    "inglenook",
    "jackdaw",
    "kittiwake",
    "lodestar",
    "marram",
    "northlight",
];

/// The first `count` invented carriers: always the same, in the same order.
///
/// # Errors
/// `count` is 0 or over [`CARRIERS_MAX`].
pub fn carriers(count: usize) -> Result<Vec<CarrierName>> {
    ensure!(
        (1..=CARRIERS_MAX).contains(&count),
        "{count} carriers asked, allowed are 1 to {CARRIERS_MAX}"
    );
    let name = |at: usize| match at / NAMES.len() {
        0 => NAMES[at].to_owned(),
        round => format!("{}-{}", NAMES[at % NAMES.len()], round + 1),
    };
    Ok((0..count)
        .map(|at| CarrierName::new(&name(at)).expect("the names are lower case and short"))
        .collect())
}
