//! Getting what is started: Apache Kafka from Maven Central, by Maven, into the target directory.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    carrier,
    kafka::{Classes, Kafka, KafkaOptions},
    smpp::SmppLibrary,
};

mod debian;

/// What Maven is told.
const POM: &str = include_str!("../kafka/pom.xml");

/// What to do when something is missing.
const HELP: &str = "`make services-fetch` installs what is missing as root on Debian; elsewhere install Java 17 or later, \
                    Apache Maven, Redis 7 or later and, for tests, Knot DNS 3 or later and Prometheus 2.42 or later";

/// Version of Apache Kafka that is started.
#[must_use]
pub fn kafka_version() -> &'static str {
    let (_, rest) = POM
        .split_once("<kafka.version>")
        .expect("the pom names the version of Kafka");
    rest.split_once('<').expect("the element has an end").0
}

/// The folder of everything that is fetched or started: `backing` in cargo's target directory.
///
/// Found by the mark that cargo leaves in a target directory above the running program, else by `CARGO_TARGET_DIR`, else
/// beside the sources.
#[must_use]
pub fn home() -> PathBuf {
    let running = env::current_exe().unwrap_or_default();
    let marked = running.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let target = marked
        .map(Path::to_path_buf)
        .or_else(|| env::var_os("CARGO_TARGET_DIR").map(PathBuf::from));
    target
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target"))
        .join("backing")
}

/// Fetches what is absent: on a Debian machine the programs, everywhere Kafka. What is there is left alone.
///
/// # Errors
/// Something is missing and cannot be had, with what to do about it.
pub fn fetch() -> io::Result<()> {
    debian::install(&["java", "mvn", "redis-server", "knotd", "tshark", "prometheus"])?;
    for program in ["java", "redis-server"] {
        need(program)?;
    }
    let (jars, _) = kafka()?;
    let lock = lock()?;
    if !archive().exists() {
        archive_classes(&jars)?;
    }
    drop(lock);
    for library in SmppLibrary::ALL {
        if let Err(error) = library.fetch() {
            eprintln!("backing: {library} cannot be had, tests against it will be skipped: {error}");
        }
    }
    if let Err(error) = carrier::fetch_libraries() {
        eprintln!("backing: tests against a carrier over gRPC will be skipped: {error}");
    }
    Ok(())
}

/// Makes a folder of this name where it is absent, by `make`, which fills another one: it gets its name when it is whole.
/// Processes that ask at the same time make it once.
pub(crate) fn once(name: &str, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<PathBuf> {
    let whole = home().join(name);
    if !whole.is_dir() {
        let _lock = lock()?;
        if !whole.is_dir() {
            let work = tempfile::Builder::new().prefix("fetch-").tempdir_in(home())?;
            make(work.path())?;
            fs::rename(work.keep(), &whole)?;
        }
    }
    Ok(whole)
}

/// Returns the folder with the jars of Kafka, fetched first where they are absent, and its archive of classes.
///
/// Processes that ask at the same time fetch once: the first holds a lock, and the folder gets its name when it is whole.
///
/// # Errors
/// Java or Maven is missing, or Maven failed, with what it said; nothing is left behind but the lock file.
pub(crate) fn kafka() -> io::Result<(PathBuf, Classes)> {
    need("java")?;
    let jars = home().join(format!("kafka-{}", kafka_version()));
    if !jars.is_dir() {
        let _lock = lock()?;
        if !jars.is_dir() {
            fetch_into(&jars)?;
        }
    }
    Ok((jars, Classes::Mapped(archive())))
}

/// Held while something is made that others may make as well.
fn lock() -> io::Result<File> {
    fs::create_dir_all(home())?;
    let lock = File::create(home().join("fetch.lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn archive() -> PathBuf {
    home().join(format!("kafka-{}.jsa", kafka_version()))
}

/// Runs a broker once to have the classes that it loads in one file, which the next ones map instead of loading them.
fn archive_classes(jars: &Path) -> io::Result<()> {
    let made = home().join("archive.tmp");
    let kafka = Kafka::start_from(jars, Classes::Archived(made.clone()), &KafkaOptions::default())?;
    kafka.stop(0)?;
    fs::rename(made, archive())
}

fn fetch_into(jars: &Path) -> io::Result<()> {
    need("mvn")?;
    let work = tempfile::Builder::new().prefix("fetch-").tempdir_in(home())?;
    let (pom, copied) = (work.path().join("pom.xml"), work.path().join("jars"));
    fs::write(&pom, POM)?;
    let mut output = OsString::from("-DoutputDirectory=");
    output.push(&copied);
    let maven = Command::new("mvn")
        .args(["-q", "-B", "-f"])
        .arg(&pom)
        .arg("dependency:copy-dependencies")
        .arg(output)
        .stdin(Stdio::null())
        .output()?;
    if !maven.status.success() {
        return Err(io::Error::other(format!(
            "Apache Kafka {} cannot be fetched from Maven Central: {}; is the network there, and ~/.m2/settings.xml \
             right where a mirror or a proxy is used? `make services-fetch` tries again\n{}{}",
            kafka_version(),
            maven.status,
            String::from_utf8_lossy(&maven.stdout),
            String::from_utf8_lossy(&maven.stderr)
        )));
    }
    fs::rename(&copied, jars)
}

/// True when `program` is found on the path.
pub(crate) fn is_there(program: &str) -> bool {
    found(program).is_some()
}

/// Where `program` is, on the path or where Debian keeps servers, which is not on everybody's path.
fn found(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// # Errors
/// `NotFound`, with what to do, when `program` is not there.
pub(crate) fn program(program: &str) -> io::Result<PathBuf> {
    need(program)?;
    Ok(found(program).expect("it was needed above"))
}

/// # Errors
/// `NotFound`, with what to do, when `program` is not on the path.
pub(crate) fn need(program: &str) -> io::Result<()> {
    if is_there(program) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("`{program}` is not on the path, and what it belongs to cannot be started without it: {HELP}"),
    ))
}

#[cfg(test)]
mod tests;
