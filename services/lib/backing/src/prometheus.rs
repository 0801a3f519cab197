//! Prometheus: one server that scrapes processes of a test, evaluates rules, and answers what it found.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    time::Duration,
};

use tempfile::TempDir;

use crate::{fetch, port, process::Process, wait};

/// How long a server may take to answer.
const STARTED_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take over one question.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// Choices of ports before giving up.
const PORT_TRIES_MAX: usize = 5;

/// A running server. Dropped, it is killed and its folder is gone.
#[derive(Debug)]
pub struct Prometheus {
    // Ahead of the folder, so that the process ends before it is removed.
    _process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts a server that scrapes `targets` every second, each with its label `component`, as the job `signalbox`, and
    /// evaluates the file of `rules` as often. Returns once it answers.
    ///
    /// # Errors
    /// `NotFound`: `prometheus` is missing. Else it does not come up, as with rules that it cannot read: with what it
    /// printed. Nothing is left running.
    pub fn start(targets: &[(&str, SocketAddr)], rules: &Path) -> io::Result<Self> {
        let program = fetch::program("prometheus")?;
        port::retry(PORT_TRIES_MAX, || Self::start_once(&program, targets, rules))
    }

    fn start_once(program: &Path, targets: &[(&str, SocketAddr)], rules: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("backing-prometheus-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free(1)?[0]));
        let config = folder.path().join("prometheus.yml");
        fs::write(&config, configuration(targets, rules))?;
        let log = folder.path().join("prometheus.log");
        let command = [
            program.display().to_string(),
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.path().join("data").display()),
            format!("--web.listen-address={address}"),
        ];
        let mut process = Process::spawn(command, folder.path(), &log)?;
        wait::until("start of prometheus", STARTED_WITHIN, || {
            if let Some(status) = process.ended()? {
                let text = fs::read_to_string(&log)?;
                return Err(io::Error::other(format!("start of prometheus: {status}\n{text}")));
            }
            Ok(get(address, "/-/ready").is_ok().then_some(()))
        })?;
        Ok(Self {
            _process: process,
            address,
            _folder: folder,
        })
    }

    /// What it answers to `GET` of `path`, such as `/api/v1/targets`: the body.
    ///
    /// # Errors
    /// It answers with an error, which is told with what it said.
    pub fn get(&self, path: &str) -> io::Result<String> {
        get(self.address, path)
    }

    /// What it answers to a query of the language that dashboards and alerts are written in, as JSON.
    ///
    /// # Errors
    /// As [`Prometheus::get`]: it cannot read or evaluate `expression`.
    pub fn query(&self, expression: &str) -> io::Result<String> {
        let octets = expression.bytes();
        let escaped: String = octets.map(|octet| format!("%{octet:02x}")).collect();
        self.get(&format!("/api/v1/query?query={escaped}"))
    }
}

fn configuration(targets: &[(&str, SocketAddr)], rules: &Path) -> String {
    let mut text = format!(
        "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\nrule_files: [\"{}\"]\n\
         scrape_configs:\n  - job_name: signalbox\n    static_configs:\n",
        rules.display()
    );
    for (component, address) in targets {
        text += &format!("      - {{targets: [\"{address}\"], labels: {{component: {component}}}}}\n");
    }
    text
}

/// Asks by HTTP 1.0, whose answer ends with the connection.
fn get(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWERED_WITHIN)?;
    stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        _ => Err(io::Error::other(format!("prometheus answers {status}: {body}"))),
    }
}
