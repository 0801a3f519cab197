//! Apache Kafka in KRaft mode: one broker, or three that are also the quorum, each a process with a folder of its own.

use std::{collections::BTreeMap, io, path::Path};

use tempfile::TempDir;

use crate::{fetch, port, tls::Certificates};
use broker::{Broker, Starting};
use config::Ports;
pub(crate) use java::Classes;
use java::Java;

mod broker;
mod config;
mod java;

/// Choices of ports before giving up.
const PORT_TRIES_MAX: usize = 5;

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
    /// Port of the first broker for clients, the others on those that follow. `None` = any that are free.
    pub port: Option<u16>,
}

impl Default for KafkaOptions {
    fn default() -> Self {
        Self {
            brokers: 1,
            security: KafkaSecurity::default(),
            speed: KafkaSpeed::default(),
            port: None,
        }
    }
}

/// Running brokers, numbered from 0. Dropped, they are killed and what they held is gone.
#[derive(Debug)]
pub struct Kafka {
    // Ahead of the folder, so that the processes end before it is removed.
    brokers: Vec<Broker>,
    certificates: Option<Certificates>,
    security: KafkaSecurity,
    java: Java,
    folder: TempDir,
}

impl Kafka {
    /// Starts what `options` say and returns once every broker serves requests.
    ///
    /// # Errors
    /// Java, Maven or the network is missing, a stated port is taken, or a broker does not come up: with the end of its
    /// log. Nothing is left running.
    ///
    /// # Panics
    /// If `options.brokers` is neither 1 nor 3.
    pub fn start(options: KafkaOptions) -> io::Result<Self> {
        let (jars, classes) = fetch::kafka()?;
        Self::start_from(&jars, classes, &options)
    }

    /// Starts the classes in `jars`.
    pub(crate) fn start_from(jars: &Path, classes: Classes, options: &KafkaOptions) -> io::Result<Self> {
        assert!(matches!(options.brokers, 1 | 3), "one broker or three");
        port::retry(PORT_TRIES_MAX, || {
            let kafka = Self::prepare(jars, classes.clone(), options)?;
            let properties: Vec<_> = kafka.brokers.iter().map(Broker::properties).collect();
            let scram = kafka.credentials().is_some();
            kafka.java.format(properties.iter().map(|path| &**path), scram)?;
            // All of them before the first is waited for: none serves before the quorum stands.
            let starting: Vec<_> = kafka
                .brokers
                .iter()
                .map(|broker| broker.start(&kafka.java, kafka.folder.path()))
                .collect::<Result<_, _>>()?;
            starting.into_iter().try_for_each(Starting::wait)?;
            Ok(kafka)
        })
    }

    /// Folders, ports and properties, and no process yet.
    fn prepare(jars: &Path, classes: Classes, options: &KafkaOptions) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("backing-kafka-").tempdir()?;
        let certificates = match options.security {
            KafkaSecurity::Plain => None,
            _ => Some(Certificates::make(folder.path())?),
        };
        let ports = ports(options)?;
        let brokers = ports
            .iter()
            .enumerate()
            .map(|(number, own)| {
                let home = folder.path().join(format!("broker-{number}"));
                let data = home.join(broker::DATA);
                let text = config::properties(number, &ports, &data, options.security, certificates.as_ref());
                Broker::new(number, home, *own, &text)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            brokers,
            certificates,
            security: options.security,
            java: Java::new(jars, folder.path(), options.speed, classes)?,
            folder,
        })
    }

    /// Addresses of all brokers, as `bootstrap.servers` takes them.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        let addresses: Vec<_> = self
            .brokers
            .iter()
            .map(|broker| format!("127.0.0.1:{}", broker.ports.client))
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

    /// Octets that the records of each topic take on the disks of all brokers, every copy counted, without their indexes.
    ///
    /// # Errors
    /// A folder of a broker cannot be read.
    pub fn log_octets(&self) -> io::Result<BTreeMap<String, u64>> {
        let mut topics = BTreeMap::new();
        for broker in &self.brokers {
            broker.add_log_octets(&mut topics)?;
        }
        Ok(topics)
    }

    /// Kills a broker as `kill -9` does and waits until it is gone. Killing one that is down does nothing.
    ///
    /// # Errors
    /// It is still there after some seconds.
    ///
    /// # Panics
    /// If there is no such broker.
    pub fn kill(&self, broker: usize) -> io::Result<()> {
        self.brokers[broker].kill()
    }

    /// Stops a broker in good order: it hands its partitions over first.
    ///
    /// # Errors
    /// It had to be killed, or is still there.
    ///
    /// # Panics
    /// If there is no such broker.
    pub fn stop(&self, broker: usize) -> io::Result<()> {
        self.brokers[broker].stop()
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
        let broker = &self.brokers[broker];
        broker.kill()?;
        broker.start(&self.java, self.folder.path())?.wait()
    }
}

/// Ports for each broker: those for clients as stated, all others free.
fn ports(options: &KafkaOptions) -> io::Result<Vec<Ports>> {
    let mut ports: Vec<_> = port::free(3 * options.brokers)?
        .chunks(3)
        .map(|free| Ports {
            client: free[0],
            broker: free[1],
            controller: free[2],
        })
        .collect();
    if let Some(first) = options.port {
        for (stated, ports) in (first..).zip(&mut ports) {
            ports.client = port::stated(stated)?;
        }
    }
    Ok(ports)
}
