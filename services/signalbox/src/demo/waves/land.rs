//! An invented country with a network for each carrier, so that a message has one carrier and stays with it; and what is sent there.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;
use signalbox_loadtest::world::{Letter, Traffic};
use sms::{CarrierName, Class, Content, Msisdn, Sender};

use super::WAYS;

/// Time to live of every message.
pub(in super::super) const TTL: Duration = Duration::from_secs(30);
/// How numbers begin, up to the place of their carrier; 999 is a country code that nobody has.
const PREFIX: &str = "9999";
/// Numbers of each network, and a step between them that is prime to that.
const NUMBERS: u64 = 10_000_000;
const STRIDE: u64 = 7_919_993;
/// Of ten messages, those of several parts.
const LONG_OF_TEN: [usize; 3] = [1, 4, 7];
/// Most texts put together for one message.
const TEXTS_MAX: usize = 12;
/// Waves are waited out, whoever waits.
const TABLE: &str = "name = \"waves\"\ncurrency = \"EUR\"\n[defaults]\nstrategy = \"least_cost\"\nlookup = \"never\"\n\
     attempts = 5\nspill_after = \"25s\"\n";
/// A password goes again where an answer is lost, as its class says, and nothing else does: it ends so.
const POLICIES: &str =
    "[[policy]]\nname = \"once\"\nmatch = { class = \"transactional\" }\nroute = { on_unknown = \"fail\" }\n";

/// Writes the table to `dir`.
///
/// # Errors
/// A file cannot be written.
pub(in super::super) fn write_table(dir: &Path, carriers: &[CarrierName]) -> anyhow::Result<()> {
    fs::create_dir_all(dir.join("rates"))?;
    fs::write(dir.join("table.toml"), TABLE)?;
    fs::write(dir.join("policies.toml"), POLICIES)?;
    let entry = |name: &CarrierName| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
    let entries: String = carriers.iter().map(entry).collect();
    fs::write(dir.join("carriers.toml"), entries)?;
    let row = |place: usize| format!("{PREFIX}{place},999,0{place},QW,{}\n", WAYS[place]);
    let rows: String = (0..WAYS.len()).map(row).collect();
    let plan = format!("prefix,mcc,mnc,country,operator\n{rows}");
    fs::write(dir.join("numbering.csv"), plan)?;
    for (place, carrier) in carriers.iter().enumerate() {
        let sheet = format!("mcc,mnc,prefix,price,from,until\n999,0{place},,0.01,,\n");
        fs::write(dir.join(format!("rates/{carrier}.csv")), sheet)?;
    }
    Ok(())
}

/// Whether a carrier may have `letter` twice where an answer is lost.
pub(super) fn may_come_twice(letter: &Letter) -> bool {
    letter.class == Class::Otp
}

/// Parts that `text` takes.
pub(super) fn parts(text: &str) -> u32 {
    sms::count(&Content::Text(text.to_owned())).segments.into()
}

/// `count` messages of all classes and languages, three of ten of several parts, no two to one number.
///
/// Those of several parts are passwords: where the answer to one part is lost and receipts of others come, a message waits for the
/// rest until its grace is over, which takes a password a minute and others ten.
///
/// # Errors
/// The texts in the repository were edited and no longer hold together.
pub(in super::super) fn letters(seed: u64, count: usize) -> anyhow::Result<Vec<Letter>> {
    let mut traffic = Traffic::new(seed)?;
    (0..count).map(|place| letter(&mut traffic, place)).collect()
}

fn letter(traffic: &mut Traffic, place: usize) -> anyhow::Result<Letter> {
    let is_long = LONG_OF_TEN.contains(&(place % 10));
    let is_fit = |letter: &Letter| match is_long {
        true => letter.class == Class::Otp,
        false => parts(&letter.text) == 1,
    };
    let mut letter = next(traffic, is_fit)?;
    // Some of two parts, some of three, and some of four.
    let wanted = if is_long { 2 + place as u32 / 10 % 3 } else { 1 };
    for _ in 0..TEXTS_MAX {
        if parts(&letter.text) >= wanted {
            break;
        }
        let more = next(traffic, |other| other.class == letter.class)?;
        letter.text = format!("{} {}", letter.text, more.text);
    }
    let number = place as u64 * STRIDE % NUMBERS;
    // Tens go to one carrier after the other, so that each gets its share of all kinds.
    letter.to = Msisdn::new(&format!("{PREFIX}{}{number:07}", place / 10 % WAYS.len()))?;
    letter.country = "";
    Ok(letter)
}

fn next(traffic: &mut Traffic, is_fit: impl Fn(&Letter) -> bool) -> anyhow::Result<Letter> {
    traffic.find(|letter| is_fit(letter)).context("traffic has no end")
}

/// The sender as carriers see it: a number without its plus.
pub(super) fn sender_on_link(sender: &Sender) -> &str {
    sender.as_str().trim_start_matches('+')
}
