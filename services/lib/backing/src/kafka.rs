//! Apache Kafka in KRaft mode: one broker, or three that are also the quorum, each a process with a folder of its own.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tempfile::TempDir;

use crate::{fetch, port, process::Process, tls::Certificates, wait};
use config::Ports;

mod config;

/// Any cluster may have this identity: each has folders of its own.
const CLUSTER_ID: &str = "c2lnbmFsYm94LWJhY2tpbg";
const LOG4J: &str = include_str!("../kafka/log4j2.xml");
/// What a broker prints once it serves requests.
const STARTED: &str = "Kafka Server started";
/// What a broker prints whose port was taken between the choice and the start.
const PORT_TAKEN: &str = "Address already in use";
/// Choices of ports before giving up.
const PORT_TRIES_MAX: usize = 5;
/// How long a broker may take to serve requests, on a machine that is busy with other things.
const STARTED_WITHIN: Duration = Duration::from_secs(90);
/// How long a broker may take to stop before it is killed.
const STOPPED_WITHIN: Duration = Duration::from_secs(15);

/// How clients reach the brokers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KafkaSecurity {
    /// Plain text, nobody is asked who they are.
    #[default]
    Plain,
    /// TLS with a certificate of [`Kafka::certificates`].
    Tls,
    /// TLS, and the client shows a certificate too.
    MutualTls,
    /// TLS and a password: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, all three for one user.
    SaslTls,
}

/// What the Java machine is told to be good at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KafkaSpeed {
    /// A short start and little processor time, as tests want it.
    #[default]
    Start,
    /// Throughput once warm, as a measurement wants it.
    Peak,
}

/// What to start. `Default` is one broker in plain text on free ports.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// Brokers, 1 or 3. With three every topic has three copies unless its creator says otherwise, and two must be in step.
    pub brokers: usize,
    /// How clients reach them.
    pub security: KafkaSecurity,
    /// What the Java machine is told to be good at.
    pub speed: KafkaSpeed,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            brokers: 1,
            security: KafkaSecurity::default(),
            speed: KafkaSpeed::default(),
        }
    }
}

/// Running brokers, numbered from 0. Dropped, they are killed and what they held is gone.
#[derive(Debug)]
pub struct Kafka {
    // Ahead of the folder, so that the processes end before it is removed.
    processes: Mutex<Vec<Option<Process>>>,
    nodes: Vec<Node>,
    certificates: Option<Certificates>,
    security: KafkaSecurity,
    java: Java,
    _folder: TempDir,
}

/// What one broker keeps over a restart.
#[derive(Debug)]
struct Node {
    folder: PathBuf,
    ports: Ports,
}

/// How a class of Kafka is run.
#[derive(Debug)]
struct Java {
    classpath: OsString,
    log4j: PathBuf,
    speed: KafkaSpeed,
}

impl Kafka {
    /// Starts what `options` say and returns once every broker serves requests.
    ///
    /// # Errors
    /// Java, Maven or the network is missing, or a broker does not come up: with the end of its log. Nothing is left running.
    ///
    /// # Panics
    /// If `options.brokers` is neither 1 nor 3.
    pub fn start(options: KafkaOptions) -> io::Result<Self> {
        assert!(matches!(options.brokers, 1 | 3), "one broker or three");
        let jars = fetch::kafka_jars()?;
        for _ in 1..PORT_TRIES_MAX {
            match Self::start_once(&options, &jars) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                other => return other,
            }
        }
        Self::start_once(&options, &jars)
    }

    fn start_once(options: &KafkaOptions, jars: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("backing-kafka-").tempdir()?;
        let certificates = match options.security {
            KafkaSecurity::Plain => None,
            _ => Some(Certificates::make(folder.path())?),
        };
        let log4j = folder.path().join("log4j2.xml");
        fs::write(&log4j, LOG4J)?;
        let ports: Vec<_> = port::free(3 * options.brokers)?
            .chunks(3)
            .map(|three| Ports {
                client: three[0],
                broker: three[1],
                controller: three[2],
            })
            .collect();
        let mut nodes = Vec::with_capacity(options.brokers);
        for (node, own) in ports.iter().enumerate() {
            let home = folder.path().join(format!("broker-{node}"));
            fs::create_dir(&home)?;
            let text = config::properties(
                node,
                &ports,
                &home.join("data"),
                options.security,
                certificates.as_ref(),
            );
            fs::write(home.join("server.properties"), text)?;
            nodes.push(Node {
                folder: home,
                ports: *own,
            });
        }
        let kafka = Self {
            processes: Mutex::new((0..options.brokers).map(|_| None).collect()),
            nodes,
            certificates,
            security: options.security,
            java: Java {
                classpath: classpath(jars)?,
                log4j,
                speed: options.speed,
            },
            _folder: folder,
        };
        kafka.format()?;
        kafka.start_all()?;
        Ok(kafka)
    }

    /// Addresses of all brokers, as `bootstrap.servers` takes them.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let addresses: Vec<_> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.ports.client))
            .collect();
        addresses.join(",")
    }

    /// The certificates, or `None` in plain text.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// User and password, or `None` where none are asked for.
    #[must_use]
    pub fn credentials(&self) -> Option<(&'static str, &'static str)> {
        (self.security == KafkaSecurity::SaslTls).then_some((config::USER, config::PASSWORD))
    }

    /// Kills a broker as `kill -9` does and waits until it is gone. Killing one that is down does nothing.
    ///
    /// # Errors
    /// It is still there after some seconds.
    ///
    /// # Panics
    /// If there is no such broker.
    pub fn kill(&self, broker: usize) -> io::Result<()> {
        match self.processes()[broker].take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Stops a broker in good order: it hands its partitions over first.
    ///
    /// # Errors
    /// It is still there after some seconds and could not be killed.
    ///
    /// # Panics
    /// If there is no such broker.
    pub fn stop(&self, broker: usize) -> io::Result<()> {
        match self.processes()[broker].take() {
            Some(mut process) => process.stop(STOPPED_WITHIN),
            None => Ok(()),
        }
    }

    /// Starts a broker again on its ports and what it had stored, and returns once it serves requests. One that still
    /// runs is killed first.
    ///
    /// Waits for the quorum: with three brokers, one alone does not come up.
    ///
    /// # Errors
    /// It does not come up, with the end of its log.
    ///
    /// # Panics
    /// If there is no such broker.
    pub fn restart(&self, broker: usize) -> io::Result<()> {
        self.kill(broker)?;
        let (process, from) = self.spawn(broker)?;
        let mut processes = self.processes();
        let process = processes[broker].insert(process);
        self.wait_started(broker, process, from)
    }

    fn processes(&self) -> MutexGuard<'_, Vec<Option<Process>>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn format(&self) -> io::Result<()> {
        let mut tools = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut tool = Command::new("java");
            tool.args(self.java.arguments("kafka.tools.StorageTool"))
                .args(["format", "--cluster-id", CLUSTER_ID, "--config"])
                .arg(node.folder.join("server.properties"));
            if let Some((user, password)) = self.credentials() {
                for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
                    tool.arg("--add-scram")
                        .arg(format!("{mechanism}=[name={user},password={password}]"));
                }
            }
            tools.push(
                tool.stdin(Stdio::null())
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()?,
            );
        }
        for tool in tools {
            let output = tool.wait_with_output()?;
            if !output.status.success() {
                return Err(io::Error::other(format!(
                    "kafka.tools.StorageTool format: {}\n{}{}",
                    output.status,
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr)
                )));
            }
        }
        Ok(())
    }

    fn start_all(&self) -> io::Result<()> {
        // All of them before the first is waited for: none serves before the quorum stands.
        let mut processes = self.processes();
        let mut starts = Vec::with_capacity(self.nodes.len());
        for (broker, place) in processes.iter_mut().enumerate() {
            let (process, from) = self.spawn(broker)?;
            *place = Some(process);
            starts.push(from);
        }
        for (broker, from) in starts.into_iter().enumerate() {
            let process = processes[broker].as_mut().expect("it was started above");
            self.wait_started(broker, process, from)?;
        }
        Ok(())
    }

    /// The process and the length that its log had before.
    fn spawn(&self, broker: usize) -> io::Result<(Process, u64)> {
        let folder = &self.nodes[broker].folder;
        let log = folder.join("broker.log");
        let from = fs::metadata(&log).map_or(0, |found| found.len());
        let program = std::iter::once(OsString::from("java"))
            .chain(self.java.arguments("kafka.Kafka"))
            .chain([folder.join("server.properties").into_os_string()]);
        Ok((Process::spawn(program, folder, &log)?, from))
    }

    fn wait_started(&self, broker: usize, process: &mut Process, from: u64) -> io::Result<()> {
        let log = self.nodes[broker].folder.join("broker.log");
        let what = format!("start of Kafka broker {broker}");
        let waited = wait::until(&what, STARTED_WITHIN, || {
            let text = text_from(&log, from)?;
            if text.contains(STARTED) {
                return Ok(Some(()));
            }
            match process.ended()? {
                None => Ok(None),
                Some(_) if text_from(&log, from)?.contains(PORT_TAKEN) => Err(io::ErrorKind::AddrInUse.into()),
                Some(status) => Err(io::Error::other(format!("{what}: {status}"))),
            }
        });
        waited.map_err(|error| {
            if error.kind() == io::ErrorKind::AddrInUse {
                return error;
            }
            let text = text_from(&log, from).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let end = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
            io::Error::new(error.kind(), format!("{error}; its log ends with\n{end}"))
        })
    }
}

/// Lines of a broker's log that an error repeats.
const LOG_LINES_SHOWN: usize = 20;

impl Java {
    /// Everything up to the arguments of `class`.
    fn arguments(&self, class: &str) -> Vec<OsString> {
        let compiler: &[&str] = match self.speed {
            KafkaSpeed::Start => &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx384m"],
            KafkaSpeed::Peak => &["-XX:+UseSerialGC", "-Xmx512m"],
        };
        let mut log4j = OsString::from("-Dlog4j2.configurationFile=");
        log4j.push(&self.log4j);
        let mut arguments: Vec<_> = compiler.iter().map(OsString::from).collect();
        arguments.extend(["-XX:-UsePerfData", "-Djava.awt.headless=true"].map(OsString::from));
        arguments.extend([log4j, "-cp".into(), self.classpath.clone(), class.into()]);
        arguments
    }
}

fn classpath(jars: &Path) -> io::Result<OsString> {
    let mut found = Vec::new();
    for entry in fs::read_dir(jars)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "jar") {
            found.push(path);
        }
    }
    found.sort();
    std::env::join_paths(found).map_err(io::Error::other)
}

/// What `path` holds behind its first `from` octets.
fn text_from(path: &Path, from: u64) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut octets = Vec::new();
    file.read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}
