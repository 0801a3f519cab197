//! The configuration file: one per role, or one for `standalone`. Every problem is reported at once, with its line.

use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use ::connector::LinkControl;
use anyhow::Context as _;
use signalbox_proto::server::Tls;
use source::{Document, Log, Problems, Section};

mod engine;
mod lookup;
mod overrides;
mod shown;
mod traces;

pub(crate) use engine::{Engine, Kafka, Redis};
pub(crate) use lookup::LookUp;
pub(crate) use shown::shown;
pub(crate) use traces::Traces;

/// Most partitions of a topic.
pub(crate) const PARTITIONS_MAX: u32 = 256;

/// Everything a process reads from its file. A section that a role does not need may be absent.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where relative paths of secrets start.
    pub(crate) folder: PathBuf,
    pub(crate) engine: Engine,
    pub(crate) partitions: u32,
    pub(crate) table: Option<TableFrom>,
    /// Where the last good table is kept; absent = beside the database, where there is one.
    pub(crate) last_good: Option<PathBuf>,
    pub(crate) ingest: Option<Ingest>,
    pub(crate) router: Router,
    /// Absent = nobody is asked which network serves a number.
    pub(crate) lookup: Option<LookUp>,
    pub(crate) links: Option<PathBuf>,
    /// Where the connector answers operators; absent = nowhere.
    pub(crate) link_control: Option<LinkControl>,
    pub(crate) probes: Option<SocketAddr>,
    pub(crate) log_json: bool,
    /// Absent = nothing is traced.
    pub(crate) traces: Option<Traces>,
    pub(crate) drain_limit: Duration,
}

/// Where routers have their table from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TableFrom {
    /// The directory that holds it.
    Directory(PathBuf),
    /// Versions that are published on the log.
    Bus,
}

/// The `[ingest]` section.
#[derive(Clone, Debug)]
pub(crate) struct Ingest {
    pub(crate) grpc: SocketAddr,
    pub(crate) accounts: PathBuf,
    pub(crate) key_secret: Option<source::SecretSource>,
    pub(crate) tls: Option<Tls>,
}

/// The `[router]` section.
#[derive(Clone, Debug, Default)]
pub(crate) struct Router {
    /// Where questions about routing are answered; absent = nowhere.
    pub(crate) grpc: Option<SocketAddr>,
    pub(crate) tls: Option<Tls>,
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
    let bus = root.key("bus").required().section();
    let partitions = bus
        .as_ref()
        .and_then(|bus| bus.key("partitions").integer(1..=PARTITIONS_MAX));
    let table = root.key("table").section();
    let telemetry = root.key("telemetry").section();
    let service = root.key("service").section();
    let (router, connector) = (root.key("router").section(), root.key("connector").section());
    let config = Config {
        folder: folder.to_owned(),
        engine: engine::engine(root, bus.as_ref(), folder),
        partitions: partitions.unwrap_or(signalbox_proto::topics::PARTITIONS_DEFAULT),
        table: table.as_ref().and_then(|table| table_from(table, folder)),
        last_good: table
            .as_ref()
            .and_then(|table| optional_path(table, "last_good", folder)),
        ingest: root
            .key("ingest")
            .section()
            .and_then(|section| ingest(&section, folder)),
        router: router.map(|section| self::router(&section, folder)).unwrap_or_default(),
        lookup: root
            .key("lookup")
            .section()
            .and_then(|section| lookup::read(&section, folder)),
        links: connector.as_ref().and_then(|section| path(section, "links", folder)),
        link_control: connector.as_ref().and_then(|section| link_control(section, folder)),
        probes: telemetry
            .as_ref()
            .and_then(|section| section.key("http").parse(str::parse)),
        log_json: telemetry
            .as_ref()
            .and_then(|section| section.key("log").word(&[("text", false), ("json", true)]))
            .unwrap_or(false),
        traces: telemetry.as_ref().and_then(traces::read),
        drain_limit: service
            .and_then(|section| section.key("drain").duration("1s", "5m"))
            .unwrap_or(connector::DRAIN_LIMIT_DEFAULT),
    };
    let has_no_secret = config.ingest.as_ref().is_some_and(|ingest| ingest.key_secret.is_none());
    if has_no_secret && matches!(config.engine, Engine::Apart { .. }) {
        let what = "\"ingest.key_secret\" is missing";
        let why = "every process must make the same record keys, also after the store has lost what it held";
        let help = "add key_secret = { file = \"PATH\" }, a file with 32 hexadecimal digits: openssl rand -hex 16";
        root.log().error(root.place_of("ingest"), 52, what, why, help);
    }
    config
}

fn table_from(section: &Section<'_>, folder: &Path) -> Option<TableFrom> {
    let is_on_bus = section.key("source").word(&[("directory", false), ("bus", true)]);
    if is_on_bus != Some(true) {
        return path(section, "path", folder).map(TableFrom::Directory);
    }
    let path = section.key("path");
    if path.is_present() {
        let why = "with source = \"bus\" the table is what `signalbox table publish` brought";
        path.refuse(
            56,
            "names a directory that nobody reads",
            why,
            "remove it, or the source",
        );
        // Read, so that it is not called unknown besides.
        let _ = path.string(4_096);
    }
    Some(TableFrom::Bus)
}

fn path(section: &Section<'_>, key: &str, folder: &Path) -> Option<PathBuf> {
    section.key(key).required().string(4_096).map(|path| folder.join(path))
}

fn optional_path(section: &Section<'_>, key: &str, folder: &Path) -> Option<PathBuf> {
    section.key(key).string(4_096).map(|path| folder.join(path))
}

fn ingest(section: &Section<'_>, folder: &Path) -> Option<Ingest> {
    let grpc = section.key("grpc").required().parse(str::parse);
    let accounts = path(section, "accounts", folder);
    let key_secret = section.key("key_secret").secret();
    let tls = section.key("tls").section().and_then(|section| tls(&section, folder));
    Some(Ingest {
        grpc: grpc?,
        accounts: accounts?,
        key_secret,
        tls,
    })
}

fn router(section: &Section<'_>, folder: &Path) -> Router {
    Router {
        grpc: section.key("grpc").parse(str::parse),
        tls: section.key("tls").section().and_then(|section| tls(&section, folder)),
    }
}

fn link_control(section: &Section<'_>, folder: &Path) -> Option<LinkControl> {
    let grpc = section.key("grpc").parse(str::parse);
    let tls = section.key("tls").section().and_then(|section| tls(&section, folder));
    Some(LinkControl { grpc: grpc?, tls })
}

fn tls(section: &Section<'_>, folder: &Path) -> Option<Tls> {
    let (certificate, key) = (path(section, "certificate", folder), path(section, "key", folder));
    let client_ca = optional_path(section, "client_ca", folder);
    Some(Tls {
        certificate: certificate?,
        key: key?,
        client_ca,
    })
}

#[cfg(test)]
mod tests;
