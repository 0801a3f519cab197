//! The commands as people call them: exit codes, what is printed, and the first message of the README.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

const KEY: &str = "example-key-for-trying-things-out";

fn signalbox() -> Command {
    Command::new(env!("CARGO_BIN_EXE_signalbox"))
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples")
}

fn run(arguments: &[&str]) -> Output {
    signalbox().args(arguments).current_dir(examples()).output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A router of the shipped example on files of its own, ended with the test.
struct Router {
    child: Child,
    server: String,
    folder: Option<tempfile::TempDir>,
}

impl Router {
    fn start() -> Self {
        Self::start_on(&examples().join("starter"), tempfile::tempdir().unwrap())
    }

    fn start_on(table: &Path, folder: tempfile::TempDir) -> Self {
        for file in ["signalbox.toml", "accounts.toml", "links.toml"] {
            // A test may have put its own there.
            if !folder.path().join(file).exists() {
                fs::copy(examples().join("standalone").join(file), folder.path().join(file)).unwrap();
            }
        }
        let mut child = signalbox()
            .args(["standalone", "--config"])
            .arg(folder.path().join("signalbox.toml"))
            .env("SIGNALBOX__TABLE__PATH", table)
            .env("SIGNALBOX__INGEST__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__ROUTER__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__CONNECTOR__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__TELEMETRY__HTTP", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let ready = "signalbox: ready, gRPC on ";
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap())
            .lines()
            .map(Result::unwrap);
        let line = lines.find(|line| line.starts_with(ready));
        let Some(address) = line.as_ref().and_then(|line| line.strip_prefix(ready)) else {
            let mut log = String::new();
            child.stderr.as_mut().unwrap().read_to_string(&mut log).unwrap();
            panic!("{log}");
        };
        Self {
            server: format!("http://{address}"),
            child,
            folder: Some(folder),
        }
    }

    fn call(&self, arguments: &[&str]) -> Output {
        signalbox()
            .args(arguments)
            .args(["--server", &self.server, "--api-key", KEY])
            .output()
            .unwrap()
    }
}

impl Router {
    fn kill(mut self) -> tempfile::TempDir {
        self.folder.take().unwrap()
    }

    /// The log from here on, up to the line with `words`. One that never comes ends the test by the harness's own limit.
    fn log_until(&mut self, words: &str) -> String {
        let mut log = String::new();
        let mut lines = BufReader::with_capacity(1, self.child.stderr.as_mut().unwrap());
        while !log.contains(words) || !log.ends_with('\n') {
            assert_ne!(lines.read_line(&mut log).unwrap(), 0, "{log}");
        }
        log
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Copies the starter table, so that a test may spoil it.
fn table_of_ones_own(folder: &Path) -> PathBuf {
    let table = folder.join("table");
    let copied = Command::new("cp")
        .arg("-r")
        .arg(examples().join("starter"))
        .arg(&table)
        .status()
        .unwrap();
    assert!(copied.success());
    table
}

/// The version that a trace of a fresh message names.
fn version_in_force(router: &Router) -> String {
    let sent = router.call(&["send", "--from", "ACME", "--to", "+447700900123", "--text", "hello"]);
    let id = text(&sent.stdout).split_whitespace().next().unwrap().to_owned();
    let life = text(&router.call(&["trace", &id]).stdout);
    let (_, version) = life.split_once(", table ").expect("a decision names its table");
    version.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_table_with_mistakes_changes_nothing_not_even_across_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let table = table_of_ones_own(place.path());
    let router = Router::start_on(&table, tempfile::tempdir().unwrap());
    let good = version_in_force(&router);
    fs::write(table.join("policies.toml"), "this is no table").unwrap();
    assert_eq!(version_in_force(&router), good);
    let restarted = Router::start_on(&table, router.kill());
    assert_eq!(version_in_force(&restarted), good);
}

/// Saves another price of atlas for Orange in France, of which the starter table has a case.
fn reprice(table: &Path, from: &str, to: &str) {
    let rates = table.join("rates/atlas.csv");
    let text = fs::read_to_string(&rates).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&rates, text.replace(from, to)).unwrap();
}

#[test]
fn a_table_whose_case_fails_changes_nothing_not_even_across_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let table = table_of_ones_own(place.path());
    let mut router = Router::start_on(&table, tempfile::tempdir().unwrap());
    let good = version_in_force(&router);
    reprice(&table, "208,01,,0.0410,,", "208,01,,0.0420,,");
    let log = router.log_until("cases failed");
    for words in [
        "is refused",
        "a password of acme to France goes over the direct route",
        "cost expected 0.041000, found 0.042000",
        "1 of 4 cases failed",
    ] {
        assert!(log.contains(words), "no {words:?} in\n{log}");
    }
    assert_eq!(version_in_force(&router), good);
    let mut restarted = Router::start_on(&table, router.kill());
    restarted.log_until("1 of 4 cases failed");
    assert_eq!(version_in_force(&restarted), good);
}

#[test]
fn a_start_and_a_check_refuse_a_table_whose_case_fails_where_no_good_one_is_kept() {
    let place = tempfile::tempdir().unwrap();
    let table = table_of_ones_own(place.path());
    reprice(&table, "208,01,,0.0410,,", "208,01,,0.0420,,");
    for file in ["signalbox.toml", "accounts.toml", "links.toml"] {
        fs::copy(examples().join("standalone").join(file), place.path().join(file)).unwrap();
    }
    for (more, code) in [(&["--check-config"][..], 64), (&[], 1)] {
        let started = signalbox()
            .args(["standalone", "--config"])
            .arg(place.path().join("signalbox.toml"))
            .args(more)
            .env("SIGNALBOX__TABLE__PATH", &table)
            .env("SIGNALBOX__INGEST__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__TELEMETRY__HTTP", "127.0.0.1:0")
            .output()
            .unwrap();
        let said = text(&started.stderr);
        assert_eq!(started.status.code(), Some(code), "{said}");
        assert!(said.contains("cost expected 0.041000, found 0.042000"), "{said}");
    }
}

/// In the starter table cirrus is the cheapest for this number, then borealis, then atlas.
#[test]
fn a_carrier_without_a_link_costs_nobody_a_message() {
    let place = tempfile::tempdir().unwrap();
    let links = "[[link]]\nname = \"only\"\nkind = \"simulator\"\ncarriers = \"atlas\"\n";
    fs::write(place.path().join("links.toml"), links).unwrap();
    let router = Router::start_on(&examples().join("starter"), place);
    let sent = router.call(&["send", "--from", "ACME", "--to", "+33639981234", "--text", "hello"]);
    let said = text(&sent.stdout);
    assert!(sent.status.success(), "{said}{}", text(&sent.stderr));
    let life = text(&router.call(&["trace", said.split_whitespace().next().unwrap()]).stdout);
    assert!(life.contains("cirrus answered link_down"), "{life}");
    assert!(life.contains("atlas answered accepted"), "{life}");
}

#[test]
fn a_saved_table_whose_cases_pass_comes_into_force_without_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let table = table_of_ones_own(place.path());
    let mut router = Router::start_on(&table, tempfile::tempdir().unwrap());
    let before = version_in_force(&router);
    reprice(&table, "302,,,0.0066,,", "302,,,0.0067,,");
    let log = router.log_until("table swapped in");
    let changes = log.find("what changes: rates of atlas (1 raised)");
    assert!(changes < log.find("table swapped in") && changes.is_some(), "{log}");
    assert_ne!(version_in_force(&router), before);
}

#[test]
fn a_message_is_sent_and_its_life_can_be_traced() {
    let router = Router::start();
    let sent = router.call(&[
        "send",
        "--from",
        "ACME",
        "--to",
        "+447700900123",
        "--text",
        "Your parcel is on its way",
    ]);
    let said = text(&sent.stdout);
    assert!(sent.status.success(), "{said}{}", text(&sent.stderr));
    assert!(said.contains("accepted: 1 segment in GSM-7"), "{said}");
    assert!(said.lines().last().unwrap().ends_with("delivered"), "{said}");
    let id = said.split_whitespace().next().unwrap();
    let trace = router.call(&["trace", id]);
    let life = text(&trace.stdout);
    assert!(trace.status.success(), "{life}{}", text(&trace.stderr));
    for word in [
        "accepted",
        "order 1 to",
        "cost",
        "answered accepted",
        "table",
        "delivered",
    ] {
        assert!(life.contains(word), "no {word:?} in\n{life}");
    }
    let unknown = router.call(&["trace", "01890000-0000-7000-8000-000000000000"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", text(&unknown.stderr));
}

/// The carrier and the links are those of `deploy/examples/carrier-grpc`; where Python has no `grpcio`, that is said.
#[test]
fn a_message_goes_to_a_carrier_over_grpc_and_its_receipt_comes_back() {
    let carrier = match backing::GrpcCarrier::start(&[]) {
        Ok(carrier) => carrier,
        Err(error) => return backing::skipped(error),
    };
    let folder = tempfile::tempdir().unwrap();
    let links = fs::read_to_string(examples().join("carrier-grpc/links.toml")).unwrap();
    let links = links.replace("127.0.0.1:50051", &carrier.address().to_string());
    fs::write(folder.path().join("links.toml"), links).unwrap();
    let router = Router::start_on(&examples().join("starter"), folder);
    let sent = router.call(&["send", "--from", "ACME", "--to", "+447700900123", "--text", "Grüße 😀"]);
    let said = text(&sent.stdout);
    assert!(sent.status.success(), "{said}{}", text(&sent.stderr));
    assert!(said.lines().last().unwrap().ends_with("delivered"), "{said}");
    let lines = carrier.lines();
    let octets: String = "Grüße 😀".bytes().map(|octet| format!("{octet:02x}")).collect();
    assert!(
        lines.iter().any(|line| line.ends_with(&format!("octets={octets}"))),
        "{lines:#?}"
    );
}

#[test]
fn a_refused_message_says_which_field_and_which_limit() {
    let router = Router::start();
    let sent = router.call(&["send", "--from", "ACME", "--to", "12", "--text", "hello"]);
    let said = text(&sent.stderr);
    assert_eq!(sent.status.code(), Some(64), "{said}");
    assert!(said.contains("to") && said.contains("3 to 15 digits"), "{said}");
}

#[test]
fn a_signal_drains_and_exits_zero() {
    let mut router = Router::start();
    let status = Command::new("kill")
        .args(["-TERM", &router.child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(router.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_server_that_is_away_is_told_by_the_exit_code() {
    // Port 1 is reserved and nobody listens there.
    let away = run(&[
        "trace",
        "01890000-0000-7000-8000-000000000000",
        "--server",
        "http://127.0.0.1:1",
        "--api-key",
        "k",
    ]);
    assert_eq!(away.status.code(), Some(69), "{}", text(&away.stderr));
}

#[test]
fn a_url_of_tls_asks_for_the_authority_to_trust() {
    let call = ["trace", "01890000-0000-7000-8000-000000000000", "--api-key", "k"];
    let asked = run(&[&call[..], &["--server", "https://127.0.0.1:1"]].concat());
    let said = text(&asked.stderr);
    assert_eq!(asked.status.code(), Some(64), "{said}");
    assert!(said.contains("--ca FILE"), "{said}");
}

#[test]
fn a_database_serves_one_process_at_a_time() {
    let router = Router::start();
    let config = router.folder.as_ref().unwrap().path().join("signalbox.toml");
    let second = signalbox()
        .args(["standalone", "--config"])
        .arg(config)
        .env("SIGNALBOX__TABLE__PATH", examples().join("starter"))
        .output()
        .unwrap();
    let said = text(&second.stderr);
    assert_eq!(second.status.code(), Some(64), "{said}");
    assert!(said.contains("data/log"), "{said}");
}

#[test]
fn the_example_tables_and_configurations_are_fine() {
    let checked = run(&["table", "check", "starter"]);
    assert!(
        checked.status.success(),
        "{}{}",
        text(&checked.stdout),
        text(&checked.stderr)
    );
    let checked = run(&["standalone", "--config", "standalone/signalbox.toml", "--check-config"]);
    assert!(
        checked.status.success(),
        "{}{}",
        text(&checked.stdout),
        text(&checked.stderr)
    );
}

/// The files that the configuration names are part of it: whoever asks is told of all of them, and a start opens nothing.
#[test]
fn every_mistake_in_every_file_is_told_at_once() {
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("signalbox.toml");
    fs::copy(examples().join("standalone/signalbox.toml"), &config).unwrap();
    fs::write(
        place.path().join("accounts.toml"),
        "[[account]]\nname = \"A\"\nkeys = []",
    )
    .unwrap();
    fs::write(
        place.path().join("links.toml"),
        "[[link]]\nname = \"a\"\nkind = \"smpp\"\nwindow = 0",
    )
    .unwrap();
    for more in [&["--check-config"][..], &[]] {
        let start = signalbox()
            .args(["standalone", "--config"])
            .arg(&config)
            .args(more)
            .env("SIGNALBOX__TABLE__PATH", place.path().join("no-table"))
            .env("SIGNALBOX__INGEST__KEY_SECRET", "short")
            .output()
            .unwrap();
        let said = text(&start.stderr);
        assert_eq!(start.status.code(), Some(64), "{said}");
        for problem in ["accounts.toml:2: error", "links.toml:4: error", "[ingest] key_secret"] {
            assert!(said.contains(problem), "{problem}: {said}");
        }
        assert_eq!(said.contains("no-table"), !more.is_empty(), "{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    assert!(!place.path().join("data").exists());
}

#[test]
fn a_role_without_its_section_is_told() {
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("signalbox.toml");
    fs::write(&config, "[bus]\nkind = \"memory\"\n[store]\nkind = \"memory\"\n").unwrap();
    for (role, missing) in [
        ("ingest", "[ingest]"),
        ("router", "[table]"),
        ("connector", "[connector]"),
    ] {
        let checked = signalbox()
            .args([role, "--check-config", "--config"])
            .arg(&config)
            .output()
            .unwrap();
        assert_eq!(checked.status.code(), Some(64));
        assert!(text(&checked.stderr).contains(missing), "{}", text(&checked.stderr));
    }
}

#[test]
fn explain_speaks_to_people_and_to_programs() {
    let tree = run(&["table", "explain", "starter", "--to", "+33639981234"]);
    assert!(
        tree.status.success() && text(&tree.stdout).contains("FR"),
        "{}",
        text(&tree.stdout)
    );
    let json = run(&["table", "explain", "starter", "--to", "+33639981234", "--json"]);
    let object: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(object["network"]["country"], "FR");
}

#[test]
fn explain_says_whether_a_look_up_would_be_worth_its_price() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rates")).unwrap();
    for (file, content) in [
        (
            "table.toml",
            "currency = \"EUR\"\n[defaults]\nlookup = \"when_it_matters\"\n",
        ),
        ("policies.toml", ""),
        (
            "numbering.csv",
            "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
        ),
        (
            "carriers.toml",
            "[[carrier]]\nname = \"a\"\ncurrency = \"EUR\"\n[[carrier]]\nname = \"b\"\ncurrency = \"EUR\"\n",
        ),
        (
            "rates/a.csv",
            "mcc,mnc,prefix,price,from,until\n208,01,,0.01,,\n208,,,0.05,,\n",
        ),
        ("rates/b.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.03,,\n"),
    ] {
        fs::write(folder.path().join(file), content).unwrap();
    }
    let table = folder.path().to_str().unwrap();
    let explained = |price: &str| {
        let explained = run(&["table", "explain", table, "--to", "33612345678", "--query-price", price]);
        text(&explained.stdout)
    };
    let line = "look-up when it matters: 1 other network could save 0.020000 EUR, 0.020000 at most; asks: would cost 0.002000, \
                could save 0.020000 × 10.00 % + 0.010000 × 1.00 % = 0.002100; shares are assumed";
    assert!(explained("0.002").contains(line), "{}", explained("0.002"));
    assert!(
        explained("0.0021").contains("; does not ask: "),
        "{}",
        explained("0.0021")
    );
    assert_eq!(
        run(&["table", "explain", table, "--to", "33612345678", "--query-price", "-1"])
            .status
            .code(),
        Some(64)
    );
}

#[test]
fn a_batch_answers_each_line_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let queries = folder.path().join("queries.jsonl");
    fs::write(
        &queries,
        "{\"to\":\"33639981234\"}\nno query\n{\"to\":\"447700900123\",\"class\":\"otp\"}\n",
    )
    .unwrap();
    let answers = run(&["table", "explain", "starter", "--batch", queries.to_str().unwrap()]);
    assert_eq!(answers.status.code(), Some(1));
    let lines: Vec<serde_json::Value> = text(&answers.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["to"], "33639981234");
    assert!(lines[1]["error"].is_string());
    assert_eq!(lines[2]["class"], "otp");
}

#[test]
fn wrong_usage_and_wrong_tables_have_different_exit_codes() {
    // Help and refusal name the directory alike, and a file in its place is told in one line.
    let usage = "Usage: signalbox table check [OPTIONS] <DIR>";
    assert!(text(&run(&["table", "check", "--help"]).stdout).contains(usage));
    assert!(text(&run(&["table", "check"]).stderr).contains("  <DIR>\n"));
    let file = run(&["table", "check", "starter/table.toml"]);
    let said = "starter/table.toml: error[T001]: is not a directory; a table is one, name starter\n";
    assert_eq!((file.status.code(), text(&file.stderr).as_str()), (Some(64), said));
    assert_eq!(run(&["table", "explain", "starter"]).status.code(), Some(64));
    assert_eq!(run(&["nonsense"]).status.code(), Some(64));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("table.toml"), "currency = 7\n").unwrap();
    assert_eq!(
        run(&["table", "check", folder.path().to_str().unwrap()]).status.code(),
        Some(1)
    );
}

/// Whoever looks after processes does not start it again: the file is no better at the next try.
#[test]
fn a_certificate_of_the_log_that_is_none_is_wrong_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("connector.toml");
    let bus = "[bus]\nkind = \"kafka\"\nbrokers = \"127.0.0.1:1\"\ntls = { ca = \"links.toml\" }\n";
    let store = "[store]\nkind = \"redis\"\nurl = \"redis://127.0.0.1:1\"\n";
    fs::write(&config, format!("{bus}{store}[connector]\nlinks = \"links.toml\"\n")).unwrap();
    fs::copy(
        examples().join("standalone/links.toml"),
        folder.path().join("links.toml"),
    )
    .unwrap();
    let output = signalbox()
        .args(["connector", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{said}");
    assert!(said.contains("ssl.ca.location failed"), "{said}");
}
