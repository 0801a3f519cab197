//! Publishing tables with the commands people use: to one process over its own log, and to several routers over Apache Kafka and
//! Redis. A machine without either of those fails the tests that need them, and says what to do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use backing::{Kafka, KafkaOptions, Redis, RedisOptions};

const QUESTIONS: &str = "signalbox: questions about routing, gRPC on ";
const READY: &str = "signalbox: ready";
/// A test that waits longer for a line has failed.
const PATIENCE: Duration = Duration::from_secs(90);

fn signalbox() -> Command {
    Command::new(env!("CARGO_BIN_EXE_signalbox"))
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples")
}

/// What comes out of `pipe`, line by line, read on a thread that ends with it.
#[expect(
    clippy::disallowed_methods,
    reason = "a pipe blocks whoever reads it, and a test must be able to fail"
)]
fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// A process that routes, ended with the test.
struct Process {
    child: Child,
    said: Receiver<String>,
    url: String,
}

impl Process {
    /// Waits until it answers questions, which it does before it has a table.
    fn start(role: &str, config: &Path) -> Self {
        let mut child = signalbox()
            .args([role, "--config"])
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = lines(child.stdout.take().unwrap());
        let mut process = Self {
            child,
            said,
            url: String::new(),
        };
        process.url = format!("http://{}", &process.says(QUESTIONS)[QUESTIONS.len()..]);
        process
    }

    /// Waits for a line that begins with `words`.
    fn says(&self, words: &str) -> String {
        loop {
            let line = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("it never said {words:?}"));
            if line.starts_with(words) {
                return line;
            }
        }
    }

    fn table(&self, arguments: &[&str]) -> Output {
        table(&self.url, arguments)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `signalbox table` with a router at `url`.
fn table(url: &str, arguments: &[&str]) -> Output {
    signalbox()
        .arg("table")
        .args(arguments)
        .args(["--router", url])
        .env("USER", "ann")
        .output()
        .unwrap()
}

/// What a command printed on both ends, where it exited so.
#[track_caller]
fn exits(output: &Output, code: i32) -> String {
    let said = [&output.stdout, &output.stderr]
        .map(|octets| String::from_utf8_lossy(octets).into_owned())
        .concat();
    assert_eq!(output.status.code(), Some(code), "{said}");
    said
}

/// A table like the starter, in which `atlas` costs so much in Australia.
fn priced(home: &Path, name: &str, price: &str) -> String {
    let dir = home.join(name);
    for folder in ["", "rates"] {
        fs::create_dir_all(dir.join(folder)).unwrap();
        for entry in fs::read_dir(examples().join("starter").join(folder))
            .unwrap()
            .map(Result::unwrap)
        {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), dir.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    let mut rates = fs::OpenOptions::new()
        .append(true)
        .open(dir.join("rates/atlas.csv"))
        .unwrap();
    writeln!(rates, "505,,,{price},,").unwrap();
    dir.display().to_string()
}

fn standalone(home: &Path) -> PathBuf {
    for file in ["accounts.toml", "links.toml"] {
        fs::copy(examples().join("standalone").join(file), home.join(file)).unwrap();
    }
    let config = "[bus]\nkind = \"embedded\"\npath = \"data\"\n[store]\nkind = \"embedded\"\npath = \"data\"\n\
                  [table]\nsource = \"bus\"\n[ingest]\ngrpc = \"127.0.0.1:0\"\naccounts = \"accounts.toml\"\n\
                  [router]\ngrpc = \"127.0.0.1:0\"\n[connector]\nlinks = \"links.toml\"\n[telemetry]\nhttp = \"127.0.0.1:0\"\n";
    let file = home.join("signalbox.toml");
    fs::write(&file, config).unwrap();
    file
}

#[test]
fn one_process_takes_its_first_table_refuses_a_bad_one_and_goes_back() {
    let home = tempfile::tempdir().unwrap();
    let [first, second] =
        [("first", "0.011"), ("second", "0.012")].map(|(name, price)| priced(home.path(), name, price));
    let config = standalone(home.path());
    let mut process = Process::start("standalone", &config);
    assert!(exits(&process.table(&["status"]), 1).contains("no version was published"));

    let said = exits(&process.table(&["publish", &first, "--note", "the first"]), 0);
    assert!(
        said.contains("published: version 1") && said.contains("1 of 1 routers serve it"),
        "{said}"
    );
    process.says(READY);

    let said = exits(&process.table(&["publish", &second, "--check"]), 0);
    assert!(
        said.contains("0.011") && said.contains("0.012") && said.contains("not published"),
        "{said}"
    );
    let said = exits(&process.table(&["publish", &second, "--base", "0"]), 1);
    assert!(said.contains("published by ann: the first"), "{said}");
    exits(&process.table(&["publish", &second, "--confirm-within", "1h"]), 0);
    let said = exits(&process.table(&["status"]), 0);
    assert!(
        said.contains("in force: version 2") && said.contains("then: version 1"),
        "{said}"
    );
    exits(&process.table(&["confirm"]), 0);

    fs::write(home.path().join("second/carriers.toml"), "[[carrier]]\nnam = 1\n").unwrap();
    let said = exits(&process.table(&["publish", &second]), 1);
    assert!(
        said.contains("carriers.toml:2: error[T002]") && said.contains("nothing was published"),
        "{said}"
    );

    let said = exits(&process.table(&["undo", "--note", "too dear"]), 0);
    assert!(
        said.contains("published: version 3") && said.contains("which is 1 again, by ann: too dear"),
        "{said}"
    );
    let history = exits(&process.table(&["history"]), 0);
    let states: Vec<_> = history
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(states, ["3", "2", "1"], "{history}");

    process.kill();
    let process = Process::start("standalone", &config);
    process.says(READY);
    let said = exits(&process.table(&["status", "--wait", "30s", "--json"]), 0);
    let status: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&status["in_force"]["number"], &status["routers"][0]["number"]),
        (&3.into(), &3.into()),
        "{status}"
    );
}

#[test]
fn a_directory_beside_the_bus_is_refused_and_so_is_publishing_to_a_directory() {
    let home = tempfile::tempdir().unwrap();
    let config = standalone(home.path());
    let both = fs::read_to_string(&config)
        .unwrap()
        .replace("source = \"bus\"", "source = \"bus\"\npath = \"table\"");
    fs::write(&config, both).unwrap();
    let refused = signalbox()
        .args(["standalone", "--check-config", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(exits(&refused, 64).contains("error[C056]"));
    let table = priced(home.path(), "table", "0.011");
    let directory = fs::read_to_string(&config).unwrap().replace("source = \"bus\"\n", "");
    fs::write(&config, directory).unwrap();
    let process = Process::start("standalone", &config);
    let said = exits(&process.table(&["publish", &table]), 64);
    assert!(said.contains("reads its table from a directory"), "{said}");
}

#[test]
fn nobody_to_ask_is_told_as_such() {
    let home = tempfile::tempdir().unwrap();
    let dir = priced(home.path(), "table", "0.011");
    for arguments in [
        &["publish", &dir][..],
        &["status"],
        &["history"],
        &["undo"],
        &["confirm"],
    ] {
        assert!(exits(&table("http://127.0.0.1:1", arguments), 69).contains("nobody answers"));
    }
    exits(&table("http://127.0.0.1:1", &["publish", "no-such-folder"]), 64);
}

/// Configuration of a router called `name` over a real log and store.
fn apart(home: &Path, name: &str, brokers: &str, redis: &str) -> PathBuf {
    let config = format!(
        "[bus]\nkind = \"kafka\"\nbrokers = \"{brokers}\"\ninstance = \"{name}\"\nreplication = 1\npartitions = 2\n\
         [store]\nkind = \"redis\"\nurl = \"{redis}\"\n[table]\nsource = \"bus\"\nlast_good = \"{name}.good\"\n\
         [router]\ngrpc = \"127.0.0.1:0\"\n[telemetry]\nhttp = \"127.0.0.1:0\"\n"
    );
    let file = home.join(format!("{name}.toml"));
    fs::write(&file, config).unwrap();
    file
}

/// What each router says it serves, by name, and whether that is what is in force.
fn serving(url: &str) -> (Vec<(String, u64)>, bool) {
    let output = table(url, &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let one = |router: &serde_json::Value| {
        (
            router["router"].as_str().unwrap().to_owned(),
            router["number"].as_u64().unwrap_or_default(),
        )
    };
    let routers = status["routers"].as_array().unwrap().iter().map(one).collect();
    (routers, status["converged"] == true)
}

#[test]
fn over_kafka_a_table_reaches_every_router_and_returns_by_itself() {
    let (kafka, redis) = (
        Kafka::start(KafkaOptions::default()).unwrap(),
        Redis::start(RedisOptions::default()).unwrap(),
    );
    let home = tempfile::tempdir().unwrap();
    let [first, second, third] = [("first", "0.011"), ("second", "0.012"), ("third", "0.013")]
        .map(|(name, price)| priced(home.path(), name, price));
    let config = |name| apart(home.path(), name, &kafka.bootstrap(), &redis.url());
    let (one, mut other) = (
        Process::start("router", &config("one")),
        Process::start("router", &config("other")),
    );
    exits(&one.table(&["publish", &first]), 0);
    for router in [&one, &other] {
        router.says(READY);
    }
    exits(&other.table(&["status", "--wait", "60s"]), 0);
    assert_eq!(serving(&one.url).0, [("one".to_owned(), 1), ("other".to_owned(), 1)]);

    // Two at once: both stand on what they saw, and one comes too late.
    let [ann, bob] = [(&one, &second), (&other, &third)].map(|(router, dir)| {
        let arguments = ["table", "publish", dir, "--base", "1", "--router", &router.url];
        signalbox()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    });
    let codes = [ann, bob].map(|child| child.wait_with_output().unwrap().status.code());
    assert!(codes == [Some(0), Some(1)] || codes == [Some(1), Some(0)], "{codes:?}");

    let winner = if codes[0] == Some(0) { &third } else { &second };
    exits(&one.table(&["publish", winner, "--confirm-within", "10s"]), 0);
    assert_eq!(serving(&other.url).0[1].1, 3);
    // One that starts now serves what is in force, and returns with the others.
    other.kill();
    let late = Process::start("router", &config("other"));
    late.says(READY);
    loop {
        let (routers, is_converged) = serving(&late.url);
        if is_converged && routers.len() == 2 && routers.iter().all(|(_, number)| *number == 2) {
            break;
        }
    }
    exits(&late.table(&["confirm", "3"]), 1);
    exits(&late.table(&["undo", "--to", "1"]), 0);
    assert_eq!(serving(&one.url).0, [("one".to_owned(), 4), ("other".to_owned(), 4)]);
}
