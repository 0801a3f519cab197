//! The files that processes read.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use backing::{Kafka, Redis};
use sms::CarrierName;

use super::cast::Part;

/// The key of the one account.
pub const API_KEY: &str = "key-of-the-demonstration";
/// Where one process that plays all roles keeps log and store, from its folder.
const DATABASE: &str = "data/log";
/// The start of every `[ingest]`; its address follows.
const INGEST: &str = "[ingest]\naccounts = \"accounts.toml\"\n";

/// A link to a carrier.
#[derive(Clone, Debug)]
pub struct Link {
    /// The carrier, and the name of the link.
    pub carrier: CarrierName,
    /// Where the carrier listens.
    pub address: SocketAddr,
    /// Parts a second; `None` = no limit.
    pub rate: Option<u32>,
    /// How long messages are cut, as links.toml calls it.
    pub concatenation: &'static str,
    /// Parts that may be unanswered.
    pub window: u32,
}

/// Where the log and the state are.
#[derive(Clone, Debug)]
pub enum Ground {
    /// In the folder, with all roles in one process.
    Embedded,
    /// Apart from the processes, with each role in processes of its own.
    Apart {
        /// Addresses of Apache Kafka's brokers.
        brokers: String,
        /// Address of Redis.
        redis: String,
    },
}

impl Ground {
    /// On what was started; `None` = nothing was.
    pub fn of(backing: Option<&(Kafka, Redis)>) -> Self {
        match backing {
            None => Self::Embedded,
            Some((kafka, redis)) => Self::Apart {
                brokers: kafka.bootstrap(),
                redis: redis.url(),
            },
        }
    }
}

/// Who runs where each role has processes of its own.
#[derive(Clone, Debug)]
pub struct Roles {
    /// Where each ingest listens; port 0 = any free one.
    pub ingests: Vec<SocketAddr>,
    /// How many routers.
    pub routers: usize,
    /// How many connectors with all links; `None` = one for each link.
    pub connectors: Option<usize>,
}

impl Default for Roles {
    /// One ingest on any port, two routers, and a connector for each link.
    fn default() -> Self {
        Self {
            ingests: vec![any_port()],
            routers: 2,
            connectors: None,
        }
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Where the log and the store of a process that plays all roles lie, in `folder`.
pub fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// Writes accounts, links and configurations to `folder`; returns who shall run, in the order in which they are stopped.
/// Routers are told `lookup` beside the rest. Where one process plays all `roles` it listens where the first ingest would.
///
/// # Errors
/// A file cannot be written.
pub fn write(folder: &Path, ground: &Ground, lookup: &str, links: &[Link], roles: &Roles) -> anyhow::Result<Vec<Part>> {
    let accounts = format!("[[account]]\nname = \"demo\"\nkeys = [\"{API_KEY}\"]\nin_flight = 100000\n");
    fs::write(folder.join("accounts.toml"), accounts)?;
    let all_links: String = links.iter().map(Link::write).collect();
    fs::write(folder.join("links.toml"), all_links)?;
    let table = "[table]\npath = \"table\"\n";
    match ground {
        Ground::Embedded => {
            let address = roles.ingests.first().copied().unwrap_or_else(any_port);
            let place = format!("kind = \"embedded\"\npath = \"{DATABASE}\"\n");
            let connector = "[connector]\nlinks = \"links.toml\"\n";
            let grpc = format!("grpc = \"{address}\"\n");
            let config = format!("[bus]\n{place}[store]\n{place}{table}{lookup}{INGEST}{grpc}{connector}");
            fs::write(folder.join("signalbox.toml"), config)?;
            Ok(vec![Part::new("router", "standalone", "signalbox.toml")])
        }
        Ground::Apart { brokers, redis } => {
            let bus = format!("[bus]\nkind = \"kafka\"\nbrokers = \"{brokers}\"\n");
            let store = format!("[store]\nkind = \"redis\"\nurl = \"{redis}\"\n");
            fs::write(folder.join("router.toml"), format!("{bus}{store}{table}{lookup}"))?;
            let mut parts = write_ingests(folder, &format!("{bus}{store}"), roles)?;
            for (name, links) in connectors(folder, links, roles)? {
                let config = format!("{name}.toml");
                // A connector that comes back under its name finds its queues as it left them.
                let instance = format!("instance = \"{name}\"\n");
                let connector = format!("[connector]\nlinks = \"{links}\"\n");
                fs::write(folder.join(&config), format!("{bus}{instance}{store}{connector}"))?;
                parts.push(Part::new(name, "connector", config));
            }
            parts.extend((1..=roles.routers).map(router));
            Ok(parts)
        }
    }
}

fn write_ingests(folder: &Path, ground: &str, roles: &Roles) -> anyhow::Result<Vec<Part>> {
    let secret = "key_secret = \"00112233445566778899aabbccddeeff\"\n";
    let many = roles.ingests.len() > 1;
    let write_one = |(number, address): (usize, &SocketAddr)| {
        let name = if many {
            format!("ingest-{number}")
        } else {
            "ingest".to_owned()
        };
        let config = format!("{name}.toml");
        let text = format!("{ground}{INGEST}grpc = \"{address}\"\n{secret}");
        fs::write(folder.join(&config), text)?;
        Ok(Part::new(name, "ingest", config))
    };
    (1..).zip(&roles.ingests).map(write_one).collect()
}

/// Names of the connectors, each with its file of links.
fn connectors(folder: &Path, links: &[Link], roles: &Roles) -> anyhow::Result<Vec<(String, String)>> {
    if let Some(count) = roles.connectors {
        let connector = |number: usize| (format!("connector-{number}"), "links.toml".to_owned());
        return Ok((1..=count).map(connector).collect());
    }
    let of_one = |link: &Link| {
        let (name, file) = (
            format!("connector-{}", link.carrier),
            format!("links-{}.toml", link.carrier),
        );
        fs::write(folder.join(&file), link.write())?;
        Ok((name, file))
    };
    links.iter().map(of_one).collect()
}

/// The router of that number.
pub fn router(number: usize) -> Part {
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
