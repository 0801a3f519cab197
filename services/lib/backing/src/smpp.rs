//! Carriers over SMPP that others wrote: libraries of npm and PyPI, each with the few lines that make a carrier of it.

use std::{
    env, fmt, fs, io,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use crate::{fetch, port, process::Process, wait};

/// How long a carrier may take to listen.
const STARTED_WITHIN: Duration = Duration::from_secs(30);
/// Choices of ports before giving up.
const PORT_TRIES_MAX: usize = 5;

/// Whose library it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmppLibrary {
    /// `smpp` of npm, on Node.js.
    Npm,
    /// `smpplib` of PyPI, on Python.
    Pypi,
}

/// A running carrier, which takes messages of `signalbox` with the password `secret`, throttles the first to a number that
/// ends in 58, answers with hexadecimal ids and sends receipts with decimal ones: before the answer for numbers that end in 1.
/// Dropped, it is killed and its folder is gone.
#[derive(Debug)]
pub struct SmppPeer {
    // Ahead of the folder, so that the process ends before it is removed.
    _process: Process,
    address: SocketAddr,
    folder: TempDir,
}

impl SmppLibrary {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::Npm, Self::Pypi];

    /// Installs the library if it is absent; returns its folder.
    ///
    /// # Errors
    /// The program or the registry is not there, with what was said; nothing is left behind.
    pub(crate) fn fetch(self) -> io::Result<PathBuf> {
        let mut install = Command::new(match self {
            Self::Npm => "npm",
            Self::Pypi => "python3",
        });
        match self {
            Self::Npm => install.args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]),
            Self::Pypi => install.args(["-m", "pip", "install", "--quiet", "--no-input", "--target"]),
        };
        fetch::once(self.folder(), |folder| {
            let output = install.arg(folder).arg(self.package()).stdin(Stdio::null()).output()?;
            if output.status.success() {
                return Ok(());
            }
            let said = String::from_utf8_lossy(&output.stderr);
            Err(io::Error::other(format!("{self}: {}\n{said}", output.status)))
        })
    }

    fn package(self) -> &'static str {
        match self {
            Self::Npm => "smpp@0.5.1",
            Self::Pypi => "smpplib==2.2.4",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Npm => "smpp-npm-0.5.1",
            Self::Pypi => "smpp-pypi-2.2.4",
        }
    }

    /// The name of the script, the script, the program that runs it, and the variable that says where libraries are.
    fn script(self) -> (&'static str, &'static str, &'static str, String) {
        let (node, python) = (include_str!("../smpp/server.js"), include_str!("../smpp/server.py"));
        let home = fetch::home().join(self.folder());
        match self {
            Self::Npm => {
                let modules = home.join("node_modules");
                ("server.js", node, "node", format!("NODE_PATH={}", modules.display()))
            }
            Self::Pypi => ("server.py", python, "python3", format!("PYTHONPATH={}", home.display())),
        }
    }
}

impl fmt::Display for SmppLibrary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.package())
    }
}

impl SmppPeer {
    /// Installs the library where it is absent, starts a carrier and returns once it listens.
    ///
    /// # Errors
    /// The library cannot be had, or the carrier does not come up: with what it printed. Nothing is left running.
    pub fn start(library: SmppLibrary) -> io::Result<Self> {
        library.fetch()?;
        port::retry(PORT_TRIES_MAX, || Self::start_once(library))
    }

    fn start_once(library: SmppLibrary) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("backing-smpp-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free(1)?[0]));
        let (name, script, program, libraries) = library.script();
        let (file, printed) = (folder.path().join(name), folder.path().join("printed.log"));
        fs::write(&file, script)?;
        let command = [
            "env".to_owned(),
            libraries,
            program.to_owned(),
            file.display().to_string(),
            address.port().to_string(),
            log(folder.path()).display().to_string(),
        ];
        let mut process = Process::spawn(command, folder.path(), &printed)?;
        let what = format!("start of {library}");
        wait::until(&what, STARTED_WITHIN, || {
            if let Some(status) = process.ended()? {
                let text = fs::read_to_string(&printed)?;
                return Err(io::Error::other(format!("{what}: {status}\n{text}")));
            }
            Ok(log(folder.path()).is_file().then_some(()))
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

    /// What it decoded so far, a line each: a word, then `name=value`.
    ///
    /// # Panics
    /// The log it writes is gone.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(log(self.folder.path())).expect("the carrier keeps its log");
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(str::to_owned).collect()
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join("decoded.log")
}

/// Where `tshark` is; `None` where it is not installed.
#[must_use]
pub fn tshark() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|folder| folder.join("tshark"))
        .find(|file| file.is_file())
}
