//! One broker: its folder, its ports, its process, and the log line that says it serves.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{config::Ports, java::Java};
use crate::{process::Process, wait};

/// What a broker prints once it serves requests.
const STARTED: &str = "Kafka Server started";
/// What a broker prints whose port was taken between the choice and the start.
const PORT_TAKEN: &str = "Address already in use";
/// How long a broker may take to serve requests, on a machine that is busy with other things.
const STARTED_WITHIN: Duration = Duration::from_secs(90);
/// How long a broker may take to stop before it is killed.
const STOPPED_WITHIN: Duration = Duration::from_secs(60);
/// Lines of a broker's log that an error repeats.
const LOG_LINES_SHOWN: usize = 20;

/// Where a broker keeps its records, in its folder.
pub(super) const DATA: &str = "data";

/// What one broker keeps over a restart, and its process while it runs.
#[derive(Debug)]
pub(crate) struct Broker {
    number: usize,
    folder: PathBuf,
    pub(crate) ports: Ports,
    process: Mutex<Option<Process>>,
}

/// A broker that was started and may not serve yet.
#[derive(Debug)]
pub(crate) struct Starting<'a> {
    broker: &'a Broker,
    process: Process,
    /// Where its part of the log begins.
    log_begin: u64,
}

impl Broker {
    /// Makes `folder` and writes `properties` there.
    pub(crate) fn new(number: usize, folder: PathBuf, ports: Ports, properties: &str) -> io::Result<Self> {
        fs::create_dir(&folder)?;
        let broker = Self {
            number,
            folder,
            ports,
            process: Mutex::new(None),
        };
        fs::write(broker.properties(), properties)?;
        Ok(broker)
    }

    pub(crate) fn properties(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    /// Starts it. `whole` is the folder of all brokers, removed should the owner die.
    pub(crate) fn start(&self, java: &Java, whole: &Path) -> io::Result<Starting<'_>> {
        let log = self.log();
        let log_begin = fs::metadata(&log).map_or(0, |found| found.len());
        Ok(Starting {
            broker: self,
            process: Process::spawn(java.broker(self.properties()), whole, &log)?,
            log_begin,
        })
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        match self.process().take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    pub(crate) fn stop(&self) -> io::Result<()> {
        match self.process().take() {
            Some(mut process) => process.stop(STOPPED_WITHIN),
            None => Ok(()),
        }
    }

    /// Adds the octets that each topic's records take on its disk to `topics`; indexes are left out.
    pub(crate) fn add_log_octets(&self, topics: &mut BTreeMap<String, u64>) -> io::Result<()> {
        for partition in fs::read_dir(self.data())? {
            let partition = partition?;
            let name = partition.file_name().to_string_lossy().into_owned();
            let Some((topic, _)) = name.rsplit_once('-').filter(|_| partition.path().is_dir()) else {
                continue;
            };
            for file in fs::read_dir(partition.path())? {
                let file = file?;
                if file.path().extension().is_some_and(|extension| extension == "log") {
                    *topics.entry(topic.to_owned()).or_insert(0) += file.metadata()?.len();
                }
            }
        }
        Ok(())
    }

    /// Where it keeps its records.
    fn data(&self) -> PathBuf {
        self.folder.join(DATA)
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("broker.log")
    }
}

impl Starting<'_> {
    /// Waits until the broker serves requests.
    ///
    /// # Errors
    /// `AddrInUse` when one of its ports was taken; otherwise with the end of its log. The broker is killed.
    pub(crate) fn wait(mut self) -> io::Result<()> {
        let what = format!("start of Kafka broker {}", self.broker.number);
        wait::until(&what, STARTED_WITHIN, || {
            if self.log_text()?.contains(STARTED) {
                return Ok(Some(()));
            }
            let Some(status) = self.process.ended()? else {
                return Ok(None);
            };
            if self.log_text()?.contains(PORT_TAKEN) {
                let text = format!("{what}: one of its ports was taken meanwhile, {:?}", self.broker.ports);
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            Err(io::Error::other(format!("{what}: {status}")))
        })
        .map_err(|error| self.with_log(error))?;
        *self.broker.process() = Some(self.process);
        Ok(())
    }

    fn with_log(&self, error: io::Error) -> io::Error {
        if error.kind() == io::ErrorKind::AddrInUse {
            return error;
        }
        let text = self.log_text().unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
        io::Error::new(error.kind(), format!("{error}; its log ends with\n{end}"))
    }

    fn log_text(&self) -> io::Result<String> {
        let mut file = fs::File::open(self.broker.log())?;
        file.seek(SeekFrom::Start(self.log_begin))?;
        let mut octets = Vec::new();
        file.read_to_end(&mut octets)?;
        Ok(String::from_utf8_lossy(&octets).into_owned())
    }
}
