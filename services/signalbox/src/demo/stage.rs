//! What the demonstration runs on: files, carriers, and a router in a process of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use service::time;
use signalbox_loadtest::{
    smsc::{Behaviour, Config, Delay, Handle, Received, Smsc, read_log},
    world,
};
use sms::CarrierName;
use table::Table;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use crate::cli::{Demo, Server};

/// Share of the plan's prefixes that a carrier lists by themselves; the rest goes by its price for the country.
const COVERAGE: f64 = 0.85;
/// What the demonstration's account calls itself.
const API_KEY: &str = "key-of-the-demonstration";
/// The new price of the carrier that gets cheaper, in percent of the old one.
const CHEAPER_PERCENT: u64 = 60;
/// Longest wait for the router to start, and to drain.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);

/// Carriers and router, running.
pub(super) struct Stage {
    folder: Folder,
    carriers: Vec<Carrier>,
    child: Child,
    server: Server,
    tables: Vec<Table>,
    seed: u64,
}

/// A carrier: running, or killed and waiting to be started again on the same address and log.
struct Carrier {
    name: CarrierName,
    config: Config,
    handle: Option<Handle>,
}

/// What is left when everything has stopped.
pub(super) struct Scene {
    folder: Folder,
    /// The tables that were in force, oldest first.
    pub(super) tables: Vec<Table>,
    /// What each carrier wrote down, in the order in which it was received.
    pub(super) logs: Vec<(CarrierName, Vec<Received>)>,
}

enum Folder {
    Temporary(TempDir),
    Kept(PathBuf),
}

impl Folder {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }
}

impl Stage {
    /// Writes the files, starts the carriers and the router, and waits until it takes messages.
    pub(super) async fn set(demo: &Demo) -> anyhow::Result<Self> {
        let folder = match &demo.keep {
            Some(path) => {
                ensure!(
                    !path.join("data").exists(),
                    "{} holds an earlier run: give another folder",
                    path.display()
                );
                fs::create_dir_all(path)?;
                Folder::Kept(path.clone())
            }
            None => Folder::Temporary(tempfile::tempdir()?),
        };
        let path = folder.path();
        let names = world::carriers(3)?;
        let mut carriers = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let log = path.join(format!("{name}.log"));
            let seed = demo.seed.wrapping_add(number as u64);
            let config = Config {
                name: name.to_string(),
                log: Some(log),
                seed,
                behaviour: behaviour(),
                ..Config::default()
            };
            carriers.push(Carrier::start(name.clone(), config).await?);
        }
        let table = write_files(path, &carriers, demo.seed)?;
        let (child, server) = start_router(path).await?;
        Ok(Self {
            folder,
            carriers,
            child,
            server,
            tables: vec![table],
            seed: demo.seed,
        })
    }

    /// How to reach the router.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// The carriers' names.
    pub(super) fn carriers(&self) -> impl Iterator<Item = &CarrierName> {
        self.carriers.iter().map(|carrier| &carrier.name)
    }

    /// Ends the carrier called `name` as a killed process ends: no answer leaves any more, and nobody listens.
    pub(super) fn kill_carrier(&mut self, name: &CarrierName) {
        for carrier in self.carriers.iter_mut().filter(|carrier| carrier.name == *name) {
            if let Some(handle) = carrier.handle.take() {
                handle.kill();
            }
        }
    }

    /// Starts the carrier called `name` again; from its log it knows the receipts it owes.
    pub(super) async fn revive_carrier(&mut self, name: &CarrierName) -> anyhow::Result<()> {
        for carrier in self.carriers.iter_mut().filter(|carrier| carrier.name == *name) {
            carrier.handle = Some(Smsc::start(carrier.config.clone()).await?);
        }
        Ok(())
    }

    /// Makes `carrier` cheaper, by saving its rate sheet as a traffic engineer would.
    pub(super) fn make_cheaper(&mut self, carrier: &CarrierName) -> anyhow::Result<()> {
        let dir = self.folder.path().join("table");
        world::write_rates(&dir, carrier, COVERAGE, self.seed, CHEAPER_PERCENT)?;
        self.tables.push(load(&dir)?);
        Ok(())
    }

    /// Kills the router's process: no drain, no flush, no goodbye.
    pub(super) async fn kill_router(&mut self) -> anyhow::Result<()> {
        self.child.kill().await.context("the router could not be killed")
    }

    /// Starts the router again on the same files.
    pub(super) async fn restart_router(&mut self) -> anyhow::Result<()> {
        (self.child, self.server) = start_router(self.folder.path()).await?;
        Ok(())
    }

    /// Whether the router is still there.
    pub(super) fn ensure_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("the router ended by itself: {status}"),
            None => Ok(()),
        }
    }

    /// Prints the end of the router's log.
    pub(super) fn show_log(&self) {
        let log = fs::read_to_string(self.folder.path().join("router.log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        eprintln!("The router's last words:");
        for line in &lines[lines.len().saturating_sub(20)..] {
            eprintln!("  {line}");
        }
    }

    /// Drains the router as an operator would, with SIGTERM, and stops the carriers.
    pub(super) async fn strike(mut self) -> anyhow::Result<Scene> {
        let id = self.child.id().context("the router ended by itself")?;
        let sent = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(sent.success(), "the router could not be asked to stop");
        let status = time::timeout(PROCESS_TIMEOUT, self.child.wait())
            .await
            .context("the router did not drain")??;
        ensure!(status.success(), "the router drained with {status}");
        let mut logs = Vec::new();
        for carrier in self.carriers {
            if let Some(handle) = carrier.handle {
                handle.stop().await;
            }
            let log = carrier.config.log.context("every carrier keeps a log")?;
            logs.push((carrier.name, read_log(&log)?));
        }
        Ok(Scene {
            folder: self.folder,
            tables: self.tables,
            logs,
        })
    }
}

impl Carrier {
    /// Starts on a free port, and stays on it through later starts.
    async fn start(name: CarrierName, config: Config) -> anyhow::Result<Self> {
        let handle = Smsc::start(config.clone()).await?;
        let config = Config {
            listen: handle.addr(),
            ..config
        };
        Ok(Self {
            name,
            config,
            handle: Some(handle),
        })
    }
}

impl Scene {
    /// Where the router's database lies.
    pub(super) fn database(&self) -> PathBuf {
        self.folder.path().join("data/log")
    }
}

/// Answers within some milliseconds and receipts within a second or two, as real carriers at their best.
fn behaviour() -> Behaviour {
    Behaviour {
        answer: Delay::Uniform(Duration::from_millis(2), Duration::from_millis(8)),
        receipt_delay: Delay::Exponential(Duration::from_millis(400)),
        ..Behaviour::default()
    }
}

fn load(dir: &Path) -> anyhow::Result<Table> {
    let (table, _warnings) = table::load(dir).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    Ok(table)
}

fn write_files(path: &Path, carriers: &[Carrier], seed: u64) -> anyhow::Result<Table> {
    let names: Vec<_> = carriers.iter().map(|carrier| carrier.name.clone()).collect();
    let dir = path.join("table");
    world::write_table(&dir, &names, COVERAGE, seed)?;
    // A carrier goes dark with answers open. Sending those messages again at once, whatever their class, shows the
    // failover within the minute that a demonstration lasts.
    let table_toml = fs::read_to_string(dir.join("table.toml"))? + "on_unknown = \"resend\"\n";
    fs::write(dir.join("table.toml"), table_toml)?;
    fs::write(
        path.join("accounts.toml"),
        format!("[[account]]\nname = \"demo\"\nkeys = [\"{API_KEY}\"]\nin_flight = 100000\n"),
    )?;
    let mut links = String::new();
    for Carrier { name, config, .. } in carriers {
        links.push_str(&format!(
            "[[link]]\nname = \"{name}\"\nkind = \"smpp\"\ncarriers = [\"{name}\"]\naddress = \"{}\"\n\
             system_id = \"demo\"\npassword = \"demo\"\nwindow = 200\nreconnect_max = \"1s\"\n\n",
            config.listen
        ));
    }
    fs::write(path.join("links.toml"), links)?;
    fs::write(path.join("signalbox.toml"), CONFIG)?;
    load(&dir)
}

const CONFIG: &str = r#"[bus]
kind = "embedded"
path = "data/log"
[store]
kind = "embedded"
path = "data/log"
[table]
path = "table"
[ingest]
grpc = "127.0.0.1:0"
accounts = "accounts.toml"
[connector]
links = "links.toml"
"#;

async fn start_router(path: &Path) -> anyhow::Result<(Child, Server)> {
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(path.join("router.log"))?;
    let mut child = Command::new(env::current_exe()?)
        .arg("standalone")
        .arg("--config")
        .arg(path.join("signalbox.toml"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    let stdout = child.stdout.take().context("standard output was piped")?;
    let mut lines = BufReader::new(stdout).lines();
    let started = async {
        while let Some(line) = lines.next_line().await? {
            if let Some(address) = line.strip_prefix(crate::roles::READY_PREFIX) {
                return Ok(address.trim().to_owned());
            }
        }
        let log = fs::read_to_string(path.join("router.log")).unwrap_or_default();
        bail!("the router did not start:\n{log}")
    };
    let address: String = time::timeout(PROCESS_TIMEOUT, started)
        .await
        .context("the router did not start in time")??;
    let server = Server {
        server: format!("http://{address}"),
        api_key: API_KEY.to_owned(),
        ca: None,
    };
    Ok((child, server))
}
