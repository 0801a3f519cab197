//! Two invented countries: one whose numbers are looked up, each of them ported, and one whose numbers never are.

use std::{fs, net::SocketAddr, path::Path};

use signalbox_loadtest::world::Letter;
use sms::{CarrierName, Class, Msisdn, Sender};

use super::super::ported::{self, FLAT, NETWORKS, PREFIXES};

/// What our requests show, and what no log may show.
pub(super) const SECRET: &str = "Zx81-Quince-Marmalade";
/// Names of the providers: one with a breaker that soon tries again, and one whose breaker hardly ever opens.
pub(super) const PROVIDERS: [&str; 2] = ["clearing-house", "register"];
/// Which of the countries is looked up.
const POLICIES: &str =
    "[[policy]]\nname = \"looked-up\"\nmatch = { country = \"QM\" }\nroute = { lookup = \"always\" }\n";
/// What nobody answered waits for its receipt: of a carrier that a busy machine makes late no other is asked.
const TABLE: &str = "name = \"bad provider\"\ncurrency = \"EUR\"\n[defaults]\nstrategy = \"least_cost\"\n\
     lookup = \"never\"\non_unknown = \"wait\"\n";
/// Numbers of a prefix, and a step between them that is prime to that.
const NUMBERS: u64 = 10_000_000;
const STRIDE: u64 = 7_919_993;
const TEXT: &str = "Larkspur: your table is ready.";

/// What routers are told beside the rest: the budgets are those of a router that is told nothing.
pub(in super::super) const SECTION: &str =
    "[lookup]\nproviders = \"providers.toml\"\nsecret = \"00112233445566778899aabbccddeeff\"\n";

/// Writes the table to `dir`.
///
/// # Errors
/// A file cannot be written.
pub(in super::super) fn write_table(dir: &Path, carriers: &[CarrierName]) -> anyhow::Result<()> {
    ported::write_table(dir, carriers)?;
    fs::write(dir.join("table.toml"), TABLE)?;
    Ok(fs::write(dir.join("policies.toml"), POLICIES)?)
}

/// Writes `providers.toml` to `folder`: both are the one at `address`.
///
/// # Errors
/// The file cannot be written.
pub(in super::super) fn write_providers(folder: &Path, address: SocketAddr) -> anyhow::Result<()> {
    let breakers = [
        "{ pause = \"500ms\", pause_max = \"1s\" }",
        "{ failures = 1000, pause = \"100ms\", pause_max = \"100ms\" }",
    ];
    let providers = PROVIDERS.iter().zip(breakers).map(|(name, breaker)| {
        format!(
            "[[provider]]\nname = \"{name}\"\nkind = \"http\"\nprice = \"0.001\"\nbreaker = {breaker}\n\
             url = \"http://{address}/v1/{{msisdn}}\"\n[provider.secrets]\nkey = \"{SECRET}\"\n\
             [provider.headers]\nAuthorization = \"Bearer {{key}}\"\n\
             [provider.answer]\nnumber = \"/msisdn\"\nmccmnc = \"/mccmnc\"\nported = \"/ported\"\nerror = \"/error\"\n\
             [provider.answer.errors]\nnone = \"none\"\n"
        )
    });
    Ok(fs::write(folder.join("providers.toml"), providers.collect::<String>())?)
}

/// The letter at that place: every other one is looked up, and of both kinds every other one is a password. No two go to one number.
pub(super) fn letter(at: usize) -> Letter {
    let prefix = if at.is_multiple_of(2) {
        PREFIXES[at / 2 % PREFIXES.len()]
    } else {
        FLAT
    };
    let number = at as u64 * STRIDE % NUMBERS;
    Letter {
        to: Msisdn::new(&format!("{prefix}{number:07}")).expect("it is all digits"),
        country: "",
        from: Sender::new("LARKSPUR").expect("it is short"),
        class: if (at / 2).is_multiple_of(2) {
            Class::Otp
        } else {
            Class::Transactional
        },
        text: TEXT.to_owned(),
    }
}

/// Whether a message to `to` is looked up.
pub(super) fn needs_look_up(to: &Msisdn) -> bool {
    !to.digits().starts_with(FLAT)
}

/// The network that `number` was given out by, as the numbering plan has it.
pub(super) fn planned(number: &str) -> &'static str {
    network(number, 0)
}

/// The network that serves `number`: each of them was ported.
pub(super) fn moved(number: &str) -> &'static str {
    network(number, 1)
}

/// A network that neither gave `number` out nor serves it.
pub(super) fn elsewhere(number: &str) -> &'static str {
    network(number, 2)
}

fn network(number: &str, further: usize) -> &'static str {
    let given_out = PREFIXES.iter().position(|prefix| number.starts_with(prefix));
    NETWORKS[(given_out.unwrap_or_default() + further) % NETWORKS.len()]
}
