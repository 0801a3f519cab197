//! Getting what is started: Apache Kafka from Maven Central, by Maven, into the target directory.

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What Maven is told.
const POM: &str = include_str!("../kafka/pom.xml");

/// What to do when something is missing.
pub(crate) const HELP: &str = "run `make services-fetch`";

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
pub(crate) fn home() -> PathBuf {
    let running = env::current_exe().unwrap_or_default();
    let marked = running.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let target = marked
        .map(Path::to_path_buf)
        .or_else(|| env::var_os("CARGO_TARGET_DIR").map(PathBuf::from));
    target
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target"))
        .join("backing")
}

/// Returns the folder with the jars of Kafka and fetches them first where they are absent.
///
/// Processes that ask at the same time fetch once: the first holds a lock, and the folder gets its name when it is whole.
///
/// # Errors
/// Java or Maven is missing, or Maven failed, with what it said; nothing is left behind but the lock file.
pub fn kafka_jars() -> io::Result<PathBuf> {
    need("java")?;
    let jars = home().join(format!("kafka-{}", kafka_version()));
    if jars.is_dir() {
        return Ok(jars);
    }
    fs::create_dir_all(home())?;
    let lock = File::create(home().join("fetch.lock"))?;
    lock.lock()?;
    if !jars.is_dir() {
        fetch_into(&jars)?;
    }
    Ok(jars)
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
             right where a mirror or a proxy is used? {HELP} to try again\n{}{}",
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
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// # Errors
/// `NotFound`, with what to do, when `program` is not on the path.
pub(crate) fn need(program: &str) -> io::Result<()> {
    if is_there(program) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        format!("`{program}` is not on the path, and Kafka and Redis are started with it: {HELP}"),
    ))
}
