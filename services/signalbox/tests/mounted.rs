//! A process whose files are mounted as Kubernetes mounts ConfigMaps and Secrets: every name is a link into `..data`, itself a link
//! to a folder, which is replaced as a whole when the object changes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
};

/// A mounted object.
struct Volume {
    folder: PathBuf,
    replaced: u32,
}

impl Volume {
    /// Mounts `files`, by name, at `folder`.
    fn mount(folder: PathBuf, files: &[(String, String)]) -> Self {
        fs::create_dir_all(&folder).unwrap();
        let mut volume = Self { folder, replaced: 0 };
        volume.replace(files);
        volume
    }

    /// Puts `files` in the place of what is there, in one step, and removes what was.
    fn replace(&mut self, files: &[(String, String)]) {
        self.replaced += 1;
        let fresh = format!("..2026_11_21_12_00_00.{}", self.replaced);
        fs::create_dir(self.folder.join(&fresh)).unwrap();
        for (name, text) in files {
            fs::write(self.folder.join(&fresh).join(name), text).unwrap();
        }
        let (data, beside) = (self.folder.join("..data"), self.folder.join("..data_tmp"));
        let before = fs::read_link(&data);
        symlink(&fresh, &beside).unwrap();
        fs::rename(&beside, &data).unwrap();
        for (name, _) in files {
            if !self.folder.join(name).exists() {
                symlink(Path::new("..data").join(name), self.folder.join(name)).unwrap();
            }
        }
        if let Ok(before) = before {
            fs::remove_dir_all(self.folder.join(before)).unwrap();
        }
    }
}

/// The starter table as keys of a ConfigMap, which know no folders.
fn starter() -> Vec<(String, String)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples/starter");
    let mut files = Vec::new();
    for (folder, flat) in [(dir.clone(), ""), (dir.join("rates"), "rates.")] {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                let name = format!("{flat}{}", entry.file_name().to_str().unwrap());
                files.push((name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    files
}

/// A process of all roles, ended with the test.
struct Process {
    child: Child,
    log: BufReader<ChildStderr>,
}

impl Process {
    fn start(config: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .args(["standalone", "--config"])
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let mut process = Self { child, log };
        let stdout = BufReader::new(process.child.stdout.take().unwrap());
        let is_ready = |line: &String| line.starts_with("signalbox: ready");
        if !stdout.lines().map(Result::unwrap).any(|line| is_ready(&line)) {
            process.says("that it is ready");
        }
        process
    }

    /// Reads the log up to the line with `words`; a log that ends without them fails the test.
    fn says(&mut self, words: &str) -> String {
        let mut log = String::new();
        while !log.lines().last().is_some_and(|line| line.contains(words)) {
            assert_ne!(
                self.log.read_line(&mut log).unwrap(),
                0,
                "it never said {words}:\n{log}"
            );
        }
        log
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn file(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

fn account(key: &str) -> [(String, String); 2] {
    let text = "[[account]]\nname = \"acme\"\nkeys = [{ file = \"key\" }]\n";
    [file("accounts.toml", text), file("key", key)]
}

fn link(outcomes: &str) -> [(String, String); 1] {
    let text = "[[link]]\nname = \"all\"\nkind = \"simulator\"\ncarriers = [\"atlas\", \"borealis\", \"cirrus\"]\n";
    [file("links.toml", &format!("{text}{outcomes}"))]
}

/// Replaces the table, with a file that it had not, then the key of an account, then the maps of a link: each takes effect in
/// the process that runs.
#[test]
fn mounted_files_take_effect_when_their_objects_change() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let mut table = Volume::mount(at("table"), &starter());
    let mut accounts = Volume::mount(at("accounts"), &account("key-of-acme-0123456789"));
    let mut links = Volume::mount(at("links"), &link(""));
    let config = "[bus]\nkind = \"memory\"\n[store]\nkind = \"memory\"\n[table]\npath = \"table\"\n\
                  [ingest]\ngrpc = \"127.0.0.1:0\"\naccounts = \"accounts/accounts.toml\"\n\
                  [connector]\nlinks = \"links/links.toml\"\n";
    fs::write(at("signalbox.toml"), config).unwrap();
    let mut process = Process::start(&at("signalbox.toml"));

    let mut files = starter();
    files.push(file("sell.acme.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.09,,\n"));
    table.replace(&files);
    let log = process.says("table swapped in");
    assert!(log.contains("sell prices of acme"), "{log}");

    accounts.replace(&account("another-key-of-acme-0123"));
    process.says("accounts changed");

    links.replace(&link("outcomes = { ESME_RTHROTTLED = \"hold 1 then next\" }\n"));
    process.says("maps swapped in");
}
