//! How the classes of Kafka are run: the flags of the Java machine, the formatting tool, and the archive of loaded classes
//! that makes both start in half the time.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use super::{KafkaSpeed, config};

/// Any cluster may have this identity: each has folders of its own.
const CLUSTER_ID: &str = "c2lnbmFsYm94LWJhY2tpbg";
const LOG4J: &str = include_str!("../../kafka/log4j2.xml");

/// How a class of Kafka is run.
#[derive(Debug)]
pub(crate) struct Java {
    classpath: OsString,
    log4j: PathBuf,
    /// What a Java machine writes as it crashes; otherwise it would lie in the folder of whoever runs the tests.
    crash: PathBuf,
    speed: KafkaSpeed,
    classes: Classes,
}

/// What is done about the classes that a Java machine has loaded.
#[derive(Clone, Debug)]
pub(crate) enum Classes {
    /// Mapped from this archive; a Java machine that finds it absent or made by another Java goes on without it.
    Mapped(PathBuf),
    /// Written to this archive at the end.
    Archived(PathBuf),
}

impl Java {
    /// Puts what the classes in `jars` need into `folder`.
    pub(crate) fn new(jars: &Path, folder: &Path, speed: KafkaSpeed, classes: Classes) -> io::Result<Self> {
        let log4j = folder.join("log4j2.xml");
        fs::write(&log4j, LOG4J)?;
        Ok(Self {
            classpath: classpath(jars)?,
            log4j,
            crash: folder.join("java-%p.log"),
            speed,
            classes,
        })
    }

    /// The command line that runs a broker.
    pub(crate) fn broker(&self, properties: PathBuf) -> Vec<OsString> {
        let mut program = vec![OsString::from("java")];
        program.extend(self.arguments("kafka.Kafka", &self.classes));
        program.push(properties.into_os_string());
        program
    }

    /// Formats the storage of all brokers at the same time.
    pub(crate) fn format<'a>(&self, properties: impl Iterator<Item = &'a Path>, scram: bool) -> io::Result<()> {
        let classes = match &self.classes {
            // Not to be overwritten by a tool that loads a tenth of the classes.
            Classes::Archived(_) => Classes::Mapped(PathBuf::new()),
            mapped => mapped.clone(),
        };
        let mut tools = Vec::new();
        for properties in properties {
            let mut tool = Command::new("java");
            tool.args(self.arguments("kafka.tools.StorageTool", &classes))
                .args(["format", "--cluster-id", CLUSTER_ID, "--config"])
                .arg(properties);
            for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"].iter().filter(|_| scram) {
                let (user, password) = (config::USER, config::PASSWORD);
                tool.arg("--add-scram")
                    .arg(format!("{mechanism}=[name={user},password={password}]"));
            }
            tool.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
            tools.push(tool.spawn()?);
        }
        tools
            .into_iter()
            .try_for_each(|tool| formatted(&tool.wait_with_output()?))
    }

    /// Everything up to the arguments of `class`.
    fn arguments(&self, class: &str, classes: &Classes) -> Vec<OsString> {
        // One collector for all, since an archive is good for the collector it was made with.
        let tuned: &[&str] = match self.speed {
            KafkaSpeed::Start => &["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx384m"],
            KafkaSpeed::Peak => &["-XX:+UseSerialGC", "-Xmx512m"],
        };
        let (archive, path) = match classes {
            Classes::Mapped(path) => ("-XX:SharedArchiveFile=", path),
            Classes::Archived(path) => ("-XX:ArchiveClassesAtExit=", path),
        };
        let mut arguments: Vec<_> = tuned.iter().map(OsString::from).collect();
        arguments.extend(
            [
                "-XX:-UsePerfData",
                "-Djava.awt.headless=true",
                "-Xlog:cds=off",
                "-Xlog:cds+dynamic=off",
            ]
            .map(OsString::from),
        );
        if !path.as_os_str().is_empty() {
            arguments.push(joined(archive, path));
        }
        arguments.push(joined("-XX:ErrorFile=", &self.crash));
        arguments.push(joined("-Dlog4j2.configurationFile=", &self.log4j));
        arguments.extend(["-cp".into(), self.classpath.clone(), class.into()]);
        arguments
    }
}

fn joined(name: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(name);
    argument.push(path);
    argument
}

fn formatted(tool: &Output) -> io::Result<()> {
    if tool.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "kafka.tools.StorageTool format: {}\n{}{}",
        tool.status,
        String::from_utf8_lossy(&tool.stdout),
        String::from_utf8_lossy(&tool.stderr)
    )))
}

/// All jars by name: the archive of classes is good for one order of them.
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
