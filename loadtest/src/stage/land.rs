//! An invented country with a network for each carrier, and messages to numbers there, no two to one.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use anyhow::Context as _;
use sms::{CarrierName, Class, Content, Msisdn, Sender};
use table::Network;

use crate::world::{Letter, Traffic};

/// Time to live of every message.
pub const TTL: Duration = Duration::from_secs(30);
/// How numbers begin, up to the place of their carrier; 999 is a country code that nobody has.
const PREFIX: &str = "9999";
/// Numbers of each network, and a step between them that is prime to that.
const NUMBERS: u64 = 10_000_000;
const STRIDE: u64 = 7_919_993;
/// What undoes that step.
const STRIDE_INVERSE: u64 = 1_062_857;
const _: () = assert!(STRIDE * STRIDE_INVERSE % NUMBERS == 1, "a number tells its place");
/// Of ten messages, those of several parts.
const LONG_OF_TEN: [usize; 3] = [1, 4, 7];
/// Most texts put together for one message.
const TEXTS_MAX: usize = 12;
/// Most letters looked at for one of so many parts.
const LETTERS_MAX: usize = 1_000;
/// A password goes again where an answer is lost, as its class says, and nothing else does: it ends so.
const POLICIES: &str =
    "[[policy]]\nname = \"once\"\nmatch = { class = \"transactional\" }\nroute = { on_unknown = \"fail\" }\n";

/// Who may take what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A carrier reaches its own network alone, so that a message stays with it.
    Own,
    /// Every carrier reaches all networks, its own at the best price.
    All,
}

/// How messages are routed where nobody says otherwise, as table.toml has it.
pub const DEFAULTS: &str = "strategy = \"least_cost\"\nlookup = \"never\"\n";

/// Writes the table to `dir`; `defaults` are the lines of its `[defaults]`.
///
/// # Errors
/// A file cannot be written.
pub fn write_table(dir: &Path, carriers: &[CarrierName], reach: Reach, defaults: &str) -> anyhow::Result<()> {
    fs::create_dir_all(dir.join("rates"))?;
    let table = "name = \"land\"\ncurrency = \"EUR\"\n[defaults]\n";
    fs::write(dir.join("table.toml"), format!("{table}{defaults}"))?;
    fs::write(dir.join("policies.toml"), POLICIES)?;
    let entry = |name: &CarrierName| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
    let entries: String = carriers.iter().map(entry).collect();
    fs::write(dir.join("carriers.toml"), entries)?;
    let networks = || carriers.iter().enumerate();
    let row = |(place, name): (usize, &CarrierName)| format!("{PREFIX}{place},999,0{place},QW,{name}\n");
    let rows: String = networks().map(row).collect();
    let plan = format!("prefix,mcc,mnc,country,operator\n{rows}");
    fs::write(dir.join("numbering.csv"), plan)?;
    for (own, carrier) in networks() {
        let rate = |(place, _): (usize, &CarrierName)| match (place == own, reach) {
            (true, _) => Some(format!("999,0{place},,0.01,,\n")),
            (false, Reach::All) => Some(format!("999,0{place},,0.0{},,\n", 2 + own)),
            (false, Reach::Own) => None,
        };
        let rates: String = networks().filter_map(rate).collect();
        let sheet = format!("mcc,mnc,prefix,price,from,until\n{rates}");
        fs::write(dir.join(format!("rates/{carrier}.csv")), sheet)?;
    }
    Ok(())
}

/// The networks of numbers by their first digits: the one that gave them out, then those to which ported ones went.
///
/// # Errors
/// There are not so many networks.
pub fn networks(count: usize) -> anyhow::Result<BTreeMap<String, Vec<Network>>> {
    let network = |place: usize| Ok(Network::parse("999", &format!("0{}", place % count))?);
    let of_prefix = |own: usize| {
        let all = (own..own + count).map(network).collect::<anyhow::Result<_>>();
        Ok((format!("{PREFIX}{own}"), all?))
    };
    (0..count).map(of_prefix).collect()
}

/// Whether a carrier may have `letter` twice where an answer is lost.
pub fn may_come_twice(letter: &Letter) -> bool {
    letter.class == Class::Otp
}

/// Parts that `text` takes.
pub fn parts(text: &str) -> u32 {
    sms::count(&Content::Text(text.to_owned())).segments.into()
}

/// Messages of all classes and languages, three of ten of several parts, no two to one number.
///
/// Those of several parts are passwords: where the answer to one part is lost and receipts of others come, a message waits for the
/// rest until its grace is over, which takes a password a minute and others ten.
#[derive(Clone, Debug)]
pub struct Letters {
    traffic: Traffic,
    networks: usize,
    place: usize,
}

impl Letters {
    /// Messages to so many networks that `seed` fixes.
    ///
    /// # Errors
    /// The texts in the repository were edited and no longer hold together.
    pub fn new(seed: u64, networks: usize) -> anyhow::Result<Self> {
        Ok(Self {
            traffic: Traffic::new(seed)?,
            networks,
            place: 0,
        })
    }
}

impl Iterator for Letters {
    type Item = anyhow::Result<Letter>;

    /// `None` once every number has a message.
    fn next(&mut self) -> Option<Self::Item> {
        let place = self.place;
        self.place += 1;
        ((place as u64) < NUMBERS).then(|| letter(&mut self.traffic, place, self.networks))
    }
}

/// Where in the sequence the message to `number` stands; `None` = it is no number of the country.
pub fn place_of(number: &str) -> Option<usize> {
    let number: u64 = number.strip_prefix(PREFIX)?.get(1..)?.parse().ok()?;
    (number < NUMBERS).then(|| (number * STRIDE_INVERSE % NUMBERS) as usize)
}

fn letter(traffic: &mut Traffic, place: usize, networks: usize) -> anyhow::Result<Letter> {
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
    // Tens go to one network after the other, so that each gets its share of all kinds.
    address(&mut letter, place, place / 10 % networks)?;
    Ok(letter)
}

/// A letter of `class` in so many parts, to whomever.
///
/// # Errors
/// No texts of the class make so many.
pub fn of_parts(traffic: &mut Traffic, class: Class, wanted: u32) -> anyhow::Result<Letter> {
    for _ in 0..LETTERS_MAX {
        let mut letter = traffic.of_class(class)?;
        while parts(&letter.text) < wanted {
            let more = traffic.of_class(class)?;
            letter.text = format!("{} {}", letter.text, more.text);
        }
        if parts(&letter.text) == wanted {
            return Ok(letter);
        }
    }
    anyhow::bail!("no texts for {class} make {wanted} parts")
}

/// Addresses `letter` to the number at `place`, in the network of that number.
///
/// # Errors
/// There are not so many networks.
pub fn address(letter: &mut Letter, place: usize, network: usize) -> anyhow::Result<()> {
    let number = place as u64 * STRIDE % NUMBERS;
    letter.to = Msisdn::new(&format!("{PREFIX}{network}{number:07}"))?;
    letter.country = "";
    Ok(())
}

fn next(traffic: &mut Traffic, is_fit: impl Fn(&Letter) -> bool) -> anyhow::Result<Letter> {
    traffic.find(|letter| is_fit(letter)).context("traffic has no end")
}

/// The sender as carriers see it: a number without its plus.
pub fn sender_on_link(sender: &Sender) -> &str {
    sender.as_str().trim_start_matches('+')
}

#[cfg(test)]
mod tests;
