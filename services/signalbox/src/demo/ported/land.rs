//! Two invented countries with numbers nobody has: one whose networks cost differently at every carrier, and one where they cost
//! the same, so that nobody needs to know them.

use std::{fs, path::Path};

use anyhow::Context as _;
use lookup::{ProviderKind, SimulatorConfig, read_providers};
use signalbox_loadtest::world::Letter;
use sms::{CarrierName, Class, Msisdn, Sender};

/// Share of the recipients that were ported.
const PORTED: f64 = 0.2;
/// How the numbers of each network begin; 999 is a country code and a mobile country code that nobody has.
pub(in super::super) const PREFIXES: [&str; 3] = ["99991", "99992", "99993"];
pub(in super::super) const NETWORKS: [&str; 3] = ["99901", "99902", "99903"];
/// How numbers begin of the country where all networks cost the same.
pub(in super::super) const FLAT: &str = "9979";
/// Digits after the prefix, and how many numbers that makes.
const DIGITS: usize = 7;
const NUMBERS: u64 = 10_000_000;
/// Prime to that, so that no number comes twice and all ranges are drawn from.
const STRIDE: u64 = 7_919_993;
/// What the cheapest carrier of a network takes for a message, and the others at least, in millionths.
const CHEAP: i64 = 10_000;
const DEAR: i64 = 30_000;
/// One message in so many goes to the flat country, and one to a recipient who had one before.
const ASIDE_ONE_IN: usize = 10;
const TEXT: &str = "Larkspur: your parcel is on its way.";

/// Writes the table to `dir`.
///
/// # Errors
/// A file cannot be written.
pub(in super::super) fn write_table(dir: &Path, carriers: &[CarrierName]) -> anyhow::Result<()> {
    fs::create_dir_all(dir.join("rates"))?;
    let table =
        "name = \"ported\"\ncurrency = \"EUR\"\n[defaults]\nstrategy = \"least_cost\"\nlookup = \"when_it_matters\"\n";
    fs::write(dir.join("table.toml"), table)?;
    let entry = |name: &CarrierName| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
    fs::write(
        dir.join("carriers.toml"),
        carriers.iter().map(entry).collect::<String>(),
    )?;
    fs::write(dir.join("policies.toml"), "")?;
    let row = |(prefix, network): (&str, &str)| format!("{prefix},{},{},QM,{network}\n", &network[..3], &network[3..]);
    let rows: String = PREFIXES.into_iter().zip(NETWORKS).map(row).collect();
    let plan = format!("prefix,mcc,mnc,country,operator\n{rows}{FLAT},997,01,QN,Flat\n");
    fs::write(dir.join("numbering.csv"), plan)?;
    for (at, carrier) in carriers.iter().enumerate() {
        let mut sheet = "mcc,mnc,prefix,price,from,until\n997,,,0.02,,\n".to_owned();
        for (network, name) in NETWORKS.iter().enumerate() {
            let price = table::Micros(price(at, network));
            sheet.push_str(&format!("{},{},,{price},,\n", &name[..3], &name[3..]));
        }
        fs::write(dir.join(format!("rates/{carrier}.csv")), sheet)?;
    }
    Ok(())
}

/// What the carrier at that place takes for a message to that network: each is the cheapest for one.
pub(super) const fn price(carrier: usize, network: usize) -> i64 {
    if carrier == network {
        CHEAP
    } else {
        DEAR + 2_000 * ((carrier + 2 * network) % 3) as i64
    }
}

/// Writes `providers.toml` to `folder`.
///
/// # Errors
/// The file cannot be written.
pub(in super::super) fn write_providers(folder: &Path, seed: u64) -> anyhow::Result<()> {
    Ok(fs::write(folder.join("providers.toml"), providers(seed))?)
}

fn providers(seed: u64) -> String {
    let others = |first: usize| {
        let networks = (0..NETWORKS.len()).map(|at| format!("\"{}\"", NETWORKS[(first + at) % NETWORKS.len()]));
        networks.collect::<Vec<_>>().join(", ")
    };
    let networks = PREFIXES.iter().enumerate();
    let networks = networks.map(|(at, prefix)| format!("{prefix} = [{}]\n", others(at)));
    format!(
        "[[provider]]\nname = \"clearing-house\"\nkind = \"simulator\"\nprice = \"0.001\"\nseed = {seed}\n\
         latency = \"20ms\"\nlatency_spread = \"30ms\"\nported = {PORTED}\n[provider.networks]\n{}",
        networks.collect::<String>()
    )
}

/// Who serves numbers in truth.
pub(super) struct Truth(SimulatorConfig);

impl Truth {
    /// What the provider of that seed knows.
    ///
    /// # Errors
    /// The file that is written for it cannot be read.
    pub(super) fn new(seed: u64) -> anyhow::Result<Self> {
        let read = read_providers("providers.toml", &providers(seed), Path::new(""));
        let read = read.map_err(|problems| anyhow::anyhow!("{problems}"))?;
        match read.into_iter().next().context("one is written")?.kind {
            ProviderKind::Simulator(config) => Ok(Self(*config)),
            _ => anyhow::bail!("the provider is simulated"),
        }
    }

    /// Places of the networks that `to` was given out by and is served by; `None` = it is in the flat country.
    pub(super) fn networks(&self, to: &Msisdn) -> Option<(usize, usize)> {
        let planned = PREFIXES.iter().position(|prefix| to.digits().starts_with(prefix))?;
        let real = self.0.reply(to).network?.to_string();
        Some((planned, NETWORKS.iter().position(|network| *network == real)?))
    }
}

/// The word of the network at that place.
pub(super) fn network(at: usize) -> &'static str {
    NETWORKS[at]
}

/// `recipients` recipients with a message each, and some more messages: to the flat country, and to recipients who had one.
pub(in super::super) fn letters(recipients: usize) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(recipients + recipients / 5);
    for at in 0..recipients {
        letters.push(letter(PREFIXES[at % PREFIXES.len()], at));
        match at % ASIDE_ONE_IN {
            4 => letters.push(letter(FLAT, at)),
            9 => {
                let before = at / 2;
                letters.push(letter(PREFIXES[before % PREFIXES.len()], before));
            }
            _ => {}
        }
    }
    letters
}

fn letter(prefix: &str, at: usize) -> Letter {
    let number = at as u64 * STRIDE % NUMBERS;
    Letter {
        to: Msisdn::new(&format!("{prefix}{number:0DIGITS$}")).expect("it is all digits"),
        country: "",
        from: Sender::new("LARKSPUR").expect("it is short"),
        class: Class::Transactional,
        text: TEXT.to_owned(),
    }
}
