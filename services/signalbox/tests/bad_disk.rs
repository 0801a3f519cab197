//! A data folder that cannot be used: what the process says to people, what it answers to customers, and that nothing that was
//! answered OK is lost without a word.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

/// What the account of the example shows.
const KEY: &str = "example-key-for-trying-things-out";
const READY: &str = "signalbox: ready, gRPC on ";
/// Somebody who may write nowhere.
const NOBODY: u32 = 65_534;
/// Room for an empty log and some thousand messages: what a log that is open takes at the least, and some.
const SMALL_DISK: &str = "size=48m";

/// The shipped example in a folder of its own.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples");
        for file in ["signalbox.toml", "accounts.toml", "links.toml"] {
            fs::copy(examples.join("standalone").join(file), folder.path().join(file)).unwrap();
        }
        let place = Self { folder };
        fs::create_dir(place.data()).unwrap();
        place
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The newest file of the log.
    fn journal(&self) -> PathBuf {
        let files = fs::read_dir(self.data().join("log"))
            .unwrap()
            .map(|file| file.unwrap().path());
        let journals = files.filter(|path| path.extension().is_some_and(|extension| extension == "jnl"));
        journals.max_by_key(|path| path.metadata().unwrap().mtime()).unwrap()
    }

    /// The process as `program` with `arguments` before it runs it.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let starter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples/starter");
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(["standalone", "--config"])
            .arg(self.folder.path().join("signalbox.toml"))
            .env("SIGNALBOX__BUS__PATH", self.data().join("log"))
            .env("SIGNALBOX__STORE__PATH", self.data().join("log"))
            .env("SIGNALBOX__TABLE__PATH", starter)
            .env("SIGNALBOX__INGEST__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__ROUTER__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__CONNECTOR__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__TELEMETRY__HTTP", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn plain(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_signalbox"), &[])
    }
}

/// A process that takes messages; killed with the test.
struct Running {
    child: Child,
    server: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).find(|line| line.starts_with(READY));
        let Some(ready) = ready else {
            let output = child.wait_with_output().unwrap();
            panic!("it did not start: {}", text(&output.stderr));
        };
        Self {
            child,
            server: format!("http://{}", &ready[READY.len()..]),
        }
    }

    fn client(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        command
            .args(arguments)
            .args(["--server", &self.server, "--api-key", KEY]);
        command.output().unwrap()
    }

    /// Sends one message; its id, or what was said instead.
    fn send(&self) -> Result<String, String> {
        let words = [
            "send",
            "--no-wait",
            "--from",
            "ACME",
            "--to",
            "+447700900123",
            "--text",
            "Your parcel is on its way",
        ];
        let output = self.client(&words);
        let said = text(&output.stdout);
        let id = said.split_whitespace().find(|word| word.len() == 36);
        match (output.status.success(), id) {
            (true, Some(id)) => Ok(id.to_owned()),
            _ => Err(said + &text(&output.stderr)),
        }
    }

    fn knows(&self, id: &str) -> bool {
        self.client(&["trace", id]).status.success()
    }

    /// Waits until it has ended by itself; its exit code, and what it told people.
    fn ended(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code(), said)
    }

    /// Kills it as a crash would, and returns what it told people.
    fn kill(mut self) -> String {
        self.child.kill().unwrap();
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// What a process says that does not start.
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{said}");
    said
}

/// Whether a folder may have a disk of its own: a mount that nobody else sees.
fn may_mount(mount: &str) -> bool {
    let may = Command::new("unshare").args(["--mount", "sh", "-c", mount]).output();
    let may = may.is_ok_and(|output| output.status.success());
    if !may {
        backing::skipped(
            "a full disk: a disk of one's own needs the rights of an administrator, and `unshare` of util-linux",
        );
    }
    may
}

#[test]
fn a_second_process_on_one_data_folder_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let first = Running::start(place.plain());
    let said = refused(place.plain());
    assert!(
        said.contains("is open in another process: stop that one, or give this one a directory of its own"),
        "{said}"
    );
    first.send().unwrap();
}

/// A folder that belongs to somebody else, read by nobody in particular: an administrator may write everywhere.
#[test]
fn a_data_folder_that_may_only_be_read_is_refused_with_its_name() {
    let place = Place::new();
    let mut command = place.plain();
    if fs::metadata(place.data()).unwrap().uid() == 0 {
        command.uid(NOBODY);
        make_readable(place.folder.path());
    }
    let mut permissions = fs::metadata(place.data()).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(place.data(), permissions).unwrap();
    let said = refused(command);
    let folder = place.data().join("log").display().to_string();
    assert!(said.contains(&folder) && said.contains("Permission denied"), "{said}");
    assert!(said.contains("write there"), "it does not say what to do: {said}");
}

fn make_readable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A bit flips in what was safe, in the first half of the log, while nobody runs.
#[test]
fn a_bit_that_flips_in_the_middle_of_the_log_is_told_and_nothing_damaged_is_read() {
    let place = Place::new();
    let first = Running::start(place.plain());
    let ids: Vec<_> = (0..20).map(|_| first.send().unwrap()).collect();
    drop(first.kill());
    let mut log = fs::read(place.journal()).unwrap();
    let id = ids[10].as_bytes();
    let found = log.windows(id.len()).position(|window| window == id);
    let written = log.iter().rposition(|octet| *octet != 0).unwrap();
    log[found.unwrap_or(written / 2)] ^= 0x10;
    fs::write(place.journal(), &log).unwrap();
    let second = Running::start(place.plain());
    assert!(second.knows(&ids[0]), "what lies before the damage is gone");
    second.send().unwrap();
    let said = second.kill();
    assert!(said.contains("ERROR"), "{said}");
    assert!(said.contains("the log was damaged"), "{said}");
    assert!(said.contains(".damaged") && said.contains("check the disk"), "{said}");
}

/// A disk of some megabytes, in a mount that nobody else sees, is filled while the process runs and emptied after it.
#[test]
fn a_full_disk_answers_nothing_ok_that_is_lost_and_is_told() {
    let place = Place::new();
    let data = place.data().display().to_string();
    let mount = format!("mount -t tmpfs -o {SMALL_DISK} none {data}");
    if !may_mount(&mount) {
        return;
    }
    let binary = env!("CARGO_BIN_EXE_signalbox");
    // The mount lives as long as somebody is in it: a shell that waits for the test to let it go, and is killed with the test.
    let script = format!("{mount} && \"$@\"; code=$?; read -r _; exit $code");
    let words = [
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "sh",
        "-c",
        &script,
        "sh",
        binary,
    ];
    let mut command = place.command("unshare", &words);
    command.stdin(Stdio::piped());
    let running = Running::start(command);
    let pid = running.child.id();
    let inside = PathBuf::from(format!("/proc/{pid}/root{data}"));
    let before: Vec<_> = (0..5).map(|_| running.send().unwrap()).collect();
    fill(&inside.join("filler"));
    let mut refused = None;
    let mut taken = before;
    for _ in 0..2_000 {
        match running.send() {
            Ok(id) => taken.push(id),
            Err(said) => {
                refused = Some(said);
                break;
            }
        }
    }
    let refused = refused.expect("a full disk takes no more");
    assert!(!refused.contains("panicked"), "{refused}");
    // What the next process finds is what the disk holds now; the mount is gone with this process.
    let copy = Place::new();
    copy_all(&inside.join("log"), &copy.data().join("log"));
    let (code, said) = running.ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("make room"), "it does not say what to do: {said}");
    let next = Running::start(copy.plain());
    let lost: Vec<_> = taken.iter().filter(|id| !next.knows(id)).collect();
    assert!(lost.is_empty(), "answered OK and gone: {lost:?}");
}

/// Whoever looks after processes starts this one again, unlike one whose configuration is wrong.
#[test]
fn a_disk_without_room_to_begin_with_is_worth_another_try() {
    let place = Place::new();
    let data = place.data().display().to_string();
    let mount = format!("mount -t tmpfs -o size=1m none {data}");
    if !may_mount(&mount) {
        return;
    }
    let script = format!("{mount} && (head -c 2m /dev/zero > {data}/filler; exec \"$@\")");
    let words = ["--mount", "sh", "-c", &script, "sh", env!("CARGO_BIN_EXE_signalbox")];
    let output = place.command("unshare", &words).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(69), "{said}");
    assert!(said.contains("No space left on device"), "{said}");
    assert!(said.contains("make room"), "it does not say what to do: {said}");
}

fn fill(file: &Path) {
    let mut file = fs::File::create(file).unwrap();
    let chunk = vec![0; 1 << 20];
    for size in [1 << 20, 4_096, 1] {
        while std::io::Write::write_all(&mut file, &chunk[..size]).is_ok() {}
    }
}

fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), &target).unwrap()),
        }
    }
}
