//! The files the demonstration's processes read.

use std::{fs, net::SocketAddr, path::Path};

use sms::CarrierName;

use super::cast::Part;

/// What the demonstration's account calls itself.
pub(super) const API_KEY: &str = "key-of-the-demonstration";
/// Routers at the start, where each role has processes of its own.
const ROUTERS: usize = 2;

/// A link to a carrier.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub(super) carrier: CarrierName,
    pub(super) address: SocketAddr,
    /// Parts a second; `None` = no limit.
    pub(super) rate: Option<u32>,
    /// How long messages are cut, as links.toml calls it.
    pub(super) concatenation: &'static str,
    /// Parts that may be unanswered.
    pub(super) window: u32,
}

/// Where the log and the state are.
#[derive(Clone, Debug)]
pub(super) enum Ground {
    /// In the folder, with all roles in one process.
    Embedded,
    /// Apache Kafka at `brokers` and Redis at `redis`, each role in processes of its own.
    Apart { brokers: String, redis: String },
}

/// Writes accounts, links and configurations to `folder`; returns who shall run, in the order in which they are stopped.
/// Routers are told `lookup` beside the rest.
pub(super) fn write(folder: &Path, ground: &Ground, lookup: &str, links: &[Link]) -> anyhow::Result<Vec<Part>> {
    let accounts = format!("[[account]]\nname = \"demo\"\nkeys = [\"{API_KEY}\"]\nin_flight = 100000\n");
    fs::write(folder.join("accounts.toml"), accounts)?;
    let table = "[table]\npath = \"table\"\n";
    let ingest = "[ingest]\ngrpc = \"127.0.0.1:0\"\naccounts = \"accounts.toml\"\n";
    match ground {
        Ground::Embedded => {
            let links: String = links.iter().map(Link::write).collect();
            fs::write(folder.join("links.toml"), links)?;
            let place = "kind = \"embedded\"\npath = \"data/log\"\n";
            let connector = "[connector]\nlinks = \"links.toml\"\n";
            let config = format!("[bus]\n{place}[store]\n{place}{table}{lookup}{ingest}{connector}");
            fs::write(folder.join("signalbox.toml"), config)?;
            Ok(vec![Part::new("router", "standalone", "signalbox.toml")])
        }
        Ground::Apart { brokers, redis } => {
            let store = format!("[store]\nkind = \"redis\"\nurl = \"{redis}\"\n");
            let bus = format!("[bus]\nkind = \"kafka\"\nbrokers = \"{brokers}\"\n");
            let secret = "key_secret = \"00112233445566778899aabbccddeeff\"\n";
            fs::write(folder.join("ingest.toml"), format!("{bus}{store}{ingest}{secret}"))?;
            fs::write(folder.join("router.toml"), format!("{bus}{store}{table}{lookup}"))?;
            let mut parts = vec![Part::new("ingest", "ingest", "ingest.toml")];
            for link in links {
                let name = &link.carrier;
                let (links, config) = (format!("links-{name}.toml"), format!("connector-{name}.toml"));
                fs::write(folder.join(&links), link.write())?;
                // A connector that comes back under its name finds its queues as it left them.
                let bus = format!("{bus}instance = \"connector-{name}\"\n");
                let connector = format!("[connector]\nlinks = \"{links}\"\n");
                fs::write(folder.join(&config), format!("{bus}{store}{connector}"))?;
                parts.push(Part::new(format!("connector-{name}"), "connector", config));
            }
            parts.extend((1..=ROUTERS).map(router));
            Ok(parts)
        }
    }
}

/// The router of that number.
pub(super) fn router(number: usize) -> Part {
    Part::new(format!("router-{number}"), "router", "router.toml")
}

impl Link {
    fn write(&self) -> String {
        let Self {
            carrier,
            address,
            rate,
            concatenation,
            window,
        } = self;
        let rate = rate.map_or_else(String::new, |rate| format!("rate = {rate}\n"));
        format!(
            "[[link]]\nname = \"{carrier}\"\nkind = \"smpp\"\ncarriers = [\"{carrier}\"]\naddress = \"{address}\"\n\
             system_id = \"demo\"\npassword = \"demo\"\nwindow = {window}\nreconnect_max = \"1s\"\n\
             concatenation = \"{concatenation}\"\n{rate}\n"
        )
    }
}
