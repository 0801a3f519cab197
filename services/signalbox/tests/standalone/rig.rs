//! A router in a folder of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// What the one account shows.
pub(crate) const KEY: &str = "key-of-the-test-0123";
/// A test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// The folder of one router, and the process if it runs.
pub(crate) struct Standalone {
    folder: tempfile::TempDir,
    child: Option<Child>,
    /// Where it takes messages, once it was started.
    pub(crate) server: String,
    /// Where it answers operators, once it was started.
    pub(crate) links: String,
}

impl Standalone {
    /// A router with an account of which `account` says the rest. It has no carriers yet.
    pub(crate) fn new(account: &str) -> Self {
        let router = Self {
            folder: tempfile::tempdir().unwrap(),
            child: None,
            server: String::new(),
            links: String::new(),
        };
        let place = "kind = \"embedded\"\npath = \"data/log\"\n";
        let config = format!(
            "[bus]\n{place}[store]\n{place}[table]\npath = \"table\"\n\
             [connector]\nlinks = \"links.toml\"\ngrpc = \"127.0.0.1:0\"\n\
             [ingest]\ngrpc = \"127.0.0.1:0\"\naccounts = \"accounts.toml\"\n"
        );
        router.write("signalbox.toml", &config);
        let account = format!("[[account]]\nname = \"acme\"\nkeys = [\"{KEY}\"]\n{account}\n");
        router.write("accounts.toml", &account);
        router.write(
            "table/numbering.csv",
            "prefix,mcc,mnc,country,operator\n33,208,,FR,\n33620,208,10,FR,SFR\n",
        );
        router.write("table/table.toml", "name = \"plain\"\ncurrency = \"EUR\"\n");
        router
    }

    /// Has these carriers and no others, all at one price, and those policies.
    pub(crate) fn table(&self, carriers: &[&str], policies: &str) {
        let entry = |name: &&str| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
        self.write("table/carriers.toml", &carriers.iter().map(entry).collect::<String>());
        self.write("table/policies.toml", policies);
        let _ = fs::remove_dir_all(self.path("table/rates"));
        for name in carriers {
            let rates = "mcc,mnc,prefix,price,from,until\n208,,,0.05,,\n";
            self.write(&format!("table/rates/{name}.csv"), rates);
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Starts the process, and waits until it is ready.
    pub(crate) fn start(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .args(["standalone", "--config"])
            .arg(self.path("signalbox.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        self.child = Some(child);
        let mut told = |words: &str| {
            let line = lines.find(|line| line.starts_with(words)).expect("it says where it is");
            format!("http://{}", &line[words.len()..])
        };
        self.links = told("signalbox: links, gRPC on ");
        self.server = told("signalbox: ready, gRPC on ");
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        self.kill();
    }
}
