//! Carriers and the processes of an installation, all over the loopback.

use std::{fs, net::SocketAddr, path::Path};

use bus::{Bus as _, EmbeddedBus, Position};
use disk::Disk;
use service::Clock;
use signalbox_loadtest::{
    smsc::{Behaviour, Config, Handle, Smsc},
    stage::{Cast, Ground, Link, Part, Roles, land, write},
    submit::Target,
};
use signalbox_proto::topics;
use sms::{CarrierName, Lane};
use tempfile::TempDir;

/// The account's password at every carrier.
pub(crate) const LINK_PASSWORD: &str = "pAssw0rd";
/// What keys of the store are made with.
pub(crate) const NUMBER_SECRET: &str = "a4f09bd2c4e15d7788e1f6023bd95c11";

/// How processes name the place of their metrics in a log.
const PROBES: &str = "probes and metrics";

/// Everything, running.
pub(crate) struct Rig {
    // Ahead of what it runs on.
    pub(crate) cast: Cast,
    pub(crate) carriers: Vec<Handle>,
    pub(crate) folder: TempDir,
}

impl Rig {
    /// Starts a carrier of each of `behaviours`, and the processes that `ground` says, with metrics, look-ups and links of two
    /// binds. `more` is written into the `[telemetry]` of each process.
    pub(crate) async fn start(ground: &Ground, behaviours: Vec<Behaviour>, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (mut carriers, mut links) = (Vec::new(), Vec::new());
        for (place, behaviour) in behaviours.into_iter().enumerate() {
            let carrier = carrier(place);
            let handle = Smsc::start(config(&carrier, behaviour)).await.unwrap();
            links.push(Link {
                carrier,
                address: handle.addr(),
                rate: None,
                concatenation: "udh8",
                window: 50,
            });
            carriers.push(handle);
        }
        let names: Vec<_> = links.iter().map(|link| link.carrier.clone()).collect();
        let defaults = "strategy = \"least_cost\"\nlookup = \"always\"\nattempts = 5\non_unknown = \"resend\"\n";
        land::write_table(&folder.path().join("table"), &names, land::Reach::All, defaults).unwrap();
        fs::write(folder.path().join("providers.toml"), providers(names.len())).unwrap();
        let lookup = format!("[lookup]\nproviders = \"providers.toml\"\nsecret = \"{NUMBER_SECRET}\"\n");
        let roles = Roles {
            routers: 1,
            connectors: Some(1),
            ..Roles::default()
        };
        let parts = write(folder.path(), ground, &lookup, &links, &roles).unwrap();
        let password = format!("password = \"{LINK_PASSWORD}\"\nbinds = {{ transceiver = 2 }}");
        edit(&folder.path().join("links.toml"), "password = \"demo\"", &password);
        for part in &parts {
            tell(folder.path(), part, more);
        }
        let program = Path::new(env!("CARGO_BIN_EXE_signalbox"));
        let cast = Cast::start(program, folder.path(), &parts).await.unwrap();
        Self { cast, carriers, folder }
    }

    /// Where messages are taken.
    pub(crate) fn target(&self) -> Target {
        self.cast.address().unwrap().parse().unwrap()
    }

    /// Records about messages on an embedded log whose process has ended, and headers of theirs.
    pub(crate) async fn on_the_log(&self) -> (usize, usize) {
        let disk = Disk::open(self.folder.path().join("data/log")).unwrap();
        let log = EmbeddedBus::open(disk, Clock::wall().as_millis_fn()).unwrap();
        let carriers: Vec<_> = (0..self.carriers.len()).map(carrier).collect();
        let of_lane = |lane| {
            let dispatch = carriers.iter().map(move |carrier| topics::dispatch(carrier, lane));
            dispatch.chain([topics::accepted(lane), topics::lookup(lane)])
        };
        let mut topics: Vec<_> = Lane::ALL.into_iter().flat_map(of_lane).collect();
        topics.extend([topics::outcomes(), topics::receipts(), topics::events()]);
        let (mut records, mut headers) = (0, 0);
        for topic in topics {
            let mut read = log.read(&topic, Position::Start).await.unwrap();
            loop {
                let stored = read.poll(1_000).await.unwrap();
                if stored.is_empty() {
                    break;
                }
                records += stored.len();
                headers += stored.iter().map(|stored| stored.headers.len()).sum::<usize>();
            }
        }
        (records, headers)
    }

    /// Each process and where its metrics are.
    pub(crate) fn probes(&self) -> Vec<(String, SocketAddr)> {
        let of_line = |line: &str| line.rsplit_once("address=").unwrap().1.trim().parse().unwrap();
        let said = self.cast.said(PROBES).into_iter();
        said.map(|(name, line)| (name, of_line(&line))).collect()
    }
}

fn carrier(place: usize) -> CarrierName {
    CarrierName::new(&format!("carrier-{place}")).unwrap()
}

fn config(carrier: &CarrierName, behaviour: Behaviour) -> Config {
    Config {
        name: carrier.to_string(),
        password: Some(LINK_PASSWORD.to_owned()),
        behaviour,
        ..Config::default()
    }
}

/// A provider that knows the networks of the invented country, and fails now and then.
fn providers(networks: usize) -> String {
    let row = |place: usize| format!("9999{place} = [\"9990{place}\"]\n");
    let rows: String = (0..networks).map(row).collect();
    format!(
        "[[provider]]\nname = \"clearing-house\"\nkind = \"simulator\"\nprice = \"0.001\"\nerror_rate = 0.05\n\
         [provider.networks]\n{rows}"
    )
}

fn tell(folder: &Path, part: &Part, more: &str) {
    let file = folder.join(&part.config);
    let config = fs::read_to_string(&file).unwrap();
    fs::write(file, format!("{config}[telemetry]\nhttp = \"127.0.0.1:0\"\n{more}")).unwrap();
}

/// Writes `new` for every `old` in `file`, where one is at least.
pub(crate) fn edit(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{text}");
    fs::write(file, text.replace(old, new)).unwrap();
}
