//! A carrier over gRPC on Python: the example that carriers are given, with the libraries it names.

use std::{
    fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{fetch, port, process::Process, wait};

/// How long a carrier may take to listen: it compiles the contract first.
const STARTED_WITHIN: Duration = Duration::from_secs(60);
/// Choices of ports before giving up.
const PORT_TRIES_MAX: usize = 5;
/// The folder of its libraries; to be changed with the versions in `requirements.txt`.
const FOLDER: &str = "grpc-pypi-1.85.1";

/// A running carrier, which knows the key `example-key` and keeps what it was told in a folder of its own. Dropped, it is killed
/// and its folder is gone.
#[derive(Debug)]
pub struct GrpcCarrier {
    // Ahead of the folder, so that the process ends before it is removed.
    _process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl GrpcCarrier {
    /// Installs the libraries where they are absent, starts the carrier with further `options`, and returns once it listens.
    ///
    /// # Errors
    /// The libraries cannot be had, or the carrier does not come up: with what it printed. Nothing is left running.
    pub fn start(options: &[&str]) -> io::Result<Self> {
        fetch_libraries()?;
        port::retry(PORT_TRIES_MAX, || Self::start_once(options))
    }

    fn start_once(options: &[&str]) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("backing-carrier-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free(1)?[0]));
        let place = |name: &str| folder.path().join(name).display().to_string();
        let printed = folder.path().join("printed.log");
        let command = [
            "env".to_owned(),
            format!("PYTHONPATH={}", fetch::home().join(FOLDER).display()),
            "PYTHONDONTWRITEBYTECODE=1".to_owned(),
            format!("TMPDIR={}", folder.path().display()),
            "python3".to_owned(),
            example().join("carrier.py").display().to_string(),
            "--address".to_owned(),
            address.to_string(),
            "--store".to_owned(),
            place("carrier.db"),
            "--log".to_owned(),
            place("carrier.log"),
        ];
        let command = command
            .into_iter()
            .chain(options.iter().map(|option| (*option).to_owned()));
        let mut process = Process::spawn(command, folder.path(), &printed)?;
        let what = "start of the example carrier";
        wait::until(what, STARTED_WITHIN, || {
            if let Some(status) = process.ended()? {
                let text = fs::read_to_string(&printed)?;
                return Err(io::Error::other(format!("{what}: {status}\n{text}")));
            }
            let said = lines(folder.path());
            Ok(said
                .first()
                .is_some_and(|line| line.starts_with("listening "))
                .then_some(()))
        })?;
        Ok(Self {
            _process: process,
            address,
            folder,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happened so far, a line each: a word, then `name=value`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        lines(self.folder.path())
    }
}

/// Installs its libraries if they are absent; returns their folder.
///
/// # Errors
/// Python or the registry is not there, with what was said; nothing is left behind.
pub(crate) fn fetch_libraries() -> io::Result<PathBuf> {
    fetch::once(FOLDER, |folder| {
        let mut install = Command::new("python3");
        install.args(["-m", "pip", "install", "--quiet", "--no-input", "--target"]);
        install.arg(folder).arg("-r").arg(example().join("requirements.txt"));
        let output = install.stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("grpcio of PyPI: {}\n{said}", output.status)))
    })
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/examples/carrier-grpc")
}

/// The whole lines of its log; none where there is none yet.
fn lines(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("carrier.log")).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(str::to_owned).collect()
}
