//! The configuration file: one per role, or one for `standalone`. Every problem is reported at once, with its line.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use source::{Document, Log, Problems, Section};

mod overrides;
mod shown;

pub(crate) use shown::shown;

/// Where the log lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// One database on this machine.
    Embedded { path: PathBuf },
    /// Gone with the process: for trying things out.
    Memory,
}

/// Everything a process reads from its file. A section that a role does not need may be absent.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) bus: Engine,
    pub(crate) store: Engine,
    pub(crate) partitions: u32,
    pub(crate) table: Option<PathBuf>,
    pub(crate) ingest: Option<Ingest>,
    pub(crate) links: Option<PathBuf>,
    pub(crate) probes: Option<SocketAddr>,
    pub(crate) log_json: bool,
    pub(crate) drain_limit: Duration,
}

/// The `[ingest]` section.
#[derive(Clone, Debug)]
pub(crate) struct Ingest {
    pub(crate) grpc: SocketAddr,
    pub(crate) accounts: PathBuf,
    pub(crate) key_secret: Option<source::SecretSource>,
    pub(crate) tls: Option<Tls>,
}

/// Certificate and key of a server, PEM files.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Reads `file`, with `SIGNALBOX__SECTION__KEY` variables in place of what it says. Relative paths start at its folder.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub(crate) fn load(file: &Path) -> anyhow::Result<Config> {
    let text = fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let text = overrides::apply(&text, env::vars()).with_context(|| format!("{}: environment", file.display()))?;
    let folder = file.parent().map(Path::to_owned).unwrap_or_default();
    parse(&file.display().to_string(), &text, &folder).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// Reads `text`; `name` is what problems call it, `folder` where relative paths start.
pub(crate) fn parse(name: &str, text: &str, folder: &Path) -> Result<Config, Problems> {
    let log = Log::new('C');
    let config = Document::parse(name, text, &log).map(|document| {
        let root = document.root(&log);
        read(&root, folder)
    });
    let problems = log.into_problems();
    match config {
        Some(config) if !problems.has_errors() => Ok(config),
        _ => Err(problems),
    }
}

fn read(root: &Section<'_>, folder: &Path) -> Config {
    let bus_section = root.key("bus").required().section();
    let partitions = bus_section
        .as_ref()
        .and_then(|bus| bus.key("partitions").integer(1..=256));
    let telemetry = root.key("telemetry").section();
    let service = root.key("service").section();
    let config = Config {
        bus: engine(bus_section.as_ref(), "kafka", folder),
        store: engine(root.key("store").required().section().as_ref(), "redis", folder),
        partitions: partitions.unwrap_or(signalbox_proto::topics::PARTITIONS_DEFAULT),
        table: root
            .key("table")
            .section()
            .and_then(|table| path(&table, "path", folder)),
        ingest: root
            .key("ingest")
            .section()
            .and_then(|section| ingest(&section, folder)),
        links: root
            .key("connector")
            .section()
            .and_then(|section| path(&section, "links", folder)),
        probes: telemetry
            .as_ref()
            .and_then(|section| section.key("http").parse(str::parse)),
        log_json: telemetry
            .as_ref()
            .and_then(|section| section.key("log").word(&[("text", false), ("json", true)]))
            .unwrap_or(false),
        drain_limit: service
            .and_then(|section| section.key("drain").duration("1s", "5m"))
            .unwrap_or(connector::DRAIN_LIMIT_DEFAULT),
    };
    if config.bus != config.store {
        let place = root.place_of("store");
        let what = "bus and store are not on one database";
        let why = "an embedded bus and store share one database, so that one write covers both";
        root.log()
            .error(place, 50, what, why, "give both the same kind and path");
    }
    config
}

fn engine(section: Option<&Section<'_>>, distributed: &str, folder: &Path) -> Engine {
    let Some(section) = section else { return Engine::Memory };
    let kind = section.key("kind").required();
    match kind.word(&[("embedded", 0), ("memory", 1), (distributed, 2)]) {
        Some(0) => Engine::Embedded {
            path: path(section, "path", folder).unwrap_or_default(),
        },
        Some(2) => {
            kind.refuse(
                51,
                format!("is \"{distributed}\", which this version does not offer yet"),
                "",
                "use \"embedded\"",
            );
            Engine::Memory
        }
        _ => Engine::Memory,
    }
}

fn path(section: &Section<'_>, key: &str, folder: &Path) -> Option<PathBuf> {
    section.key(key).required().string(4_096).map(|path| folder.join(path))
}

fn ingest(section: &Section<'_>, folder: &Path) -> Option<Ingest> {
    let grpc = section.key("grpc").required().parse(str::parse);
    let accounts = path(section, "accounts", folder);
    let key_secret = section.key("key_secret").secret();
    let tls = section.key("tls").section().and_then(|tls| {
        let (certificate, key) = (path(&tls, "certificate", folder), path(&tls, "key", folder));
        Some(Tls {
            certificate: certificate?,
            key: key?,
        })
    });
    Some(Ingest {
        grpc: grpc?,
        accounts: accounts?,
        key_secret,
        tls,
    })
}

#[cfg(test)]
mod tests;
