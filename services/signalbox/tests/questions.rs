//! Asking a running router on the command line: the same words as from a directory, and what it says when it cannot.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

const ROUTING: &str = "signalbox: questions about routing, gRPC on ";
const READY: &str = "signalbox: ready, gRPC on ";
const AT: &str = "2026-11-21T12:00:00Z";

fn signalbox() -> Command {
    Command::new(env!("CARGO_BIN_EXE_signalbox"))
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/examples")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// The shipped example with its questions answered, ended with the test.
struct Router {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl Router {
    /// `environment` is added to that of the process.
    fn start(environment: &[(&str, &Path)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["signalbox.toml", "accounts.toml", "links.toml"] {
            fs::copy(examples().join("standalone").join(file), folder.path().join(file)).unwrap();
        }
        let mut child = signalbox()
            .args(["standalone", "--config"])
            .arg(folder.path().join("signalbox.toml"))
            .env("SIGNALBOX__TABLE__PATH", examples().join("starter"))
            .env("SIGNALBOX__INGEST__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__ROUTER__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__CONNECTOR__GRPC", "127.0.0.1:0")
            .env("SIGNALBOX__TELEMETRY__HTTP", "127.0.0.1:0")
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap())
            .lines()
            .map(Result::unwrap);
        let told = lines.by_ref().find(|line| line.starts_with(ROUTING)).unwrap();
        let address: std::net::SocketAddr = told[ROUTING.len()..].parse().unwrap();
        lines.find(|line| line.starts_with(READY)).unwrap();
        let scheme = if environment.is_empty() { "http" } else { "https" };
        Self {
            child,
            url: format!("{scheme}://localhost:{}", address.port()),
            _folder: folder,
        }
    }

    fn explain(&self, arguments: &[&str]) -> Output {
        run(&[&["table", "explain", "--router", &self.url], arguments].concat(), "")
    }

    fn quote(&self, arguments: &[&str]) -> Output {
        run(&[&["quote", "--router", &self.url], arguments].concat(), "")
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(arguments: &[&str], input: &str) -> Output {
    let mut child = signalbox()
        .args(arguments)
        .current_dir(examples())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that reads no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn a_running_router_explains_in_the_words_of_its_directory() {
    let router = Router::start(&[]);
    let queries: [&[&str]; 4] = [
        &["--to", "+447700900123", "--at", AT],
        &[
            "--to",
            "33612345678",
            "--at",
            AT,
            "--from",
            "ACME",
            "--account",
            "example",
            "--class",
            "otp",
            "--roll",
            "3",
        ],
        &[
            "--to",
            "33612345678",
            "--at",
            AT,
            "--text",
            "grüße 你好",
            "--network",
            "20801",
            "--ported",
            "true",
        ],
        &["--to", "999", "--at", AT, "--segments", "2", "--encoding", "ucs2"],
    ];
    for query in queries {
        for form in [&[][..], &["--json"]] {
            let wanted = run(&[&["table", "explain", "starter"], query, form].concat(), "");
            let found = router.explain(&[query, form].concat());
            assert_eq!(text(&found.stderr), "");
            assert_eq!(
                (found.status.code(), text(&found.stdout)),
                (Some(0), text(&wanted.stdout))
            );
        }
    }
}

#[test]
fn a_running_router_answers_a_batch_line_by_line() {
    let router = Router::start(&[]);
    let good = |at: usize| format!("{{\"to\":\"3361234{at:04}\",\"at\":\"{AT}\"}}\n");
    let input = (0..50).map(good).collect::<String>() + "no query\n" + &good(50);
    let wanted = run(&["table", "explain", "starter", "--batch", "-"], &input);
    let found = run(&["table", "explain", "--router", &router.url, "--batch", "-"], &input);
    assert_eq!(text(&found.stdout).lines().count(), 52);
    assert_eq!(text(&found.stdout), text(&wanted.stdout));
    assert_eq!(text(&found.stderr), "1 of 52 lines are no query, see their error\n");
    assert_eq!(found.status.code(), Some(1));
}

#[test]
fn quotes_are_a_table_and_a_destination_without_a_carrier_exits_1() {
    let router = Router::start(&[]);
    let done = router.quote(&["--to", "+447700900123", "--network", "20801", "--account", "example"]);
    let shown = text(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{shown}{}", text(&done.stderr));
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("TO "), "{shown}");
    assert!(
        lines[1].starts_with("+447700900123 ") && lines[2].starts_with("20801 "),
        "{shown}"
    );
    assert!(
        lines[3].starts_with("by table ") && lines[3].ends_with(" in EUR"),
        "{shown}"
    );
    let done = router.quote(&["--to", "999"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stdout).contains("no route: "), "{}", text(&done.stdout));
}

#[test]
fn what_is_asked_wrongly_is_told_from_a_router_that_is_away() {
    let away = ["--router", "http://127.0.0.1:1"];
    let code = |arguments: &[&str]| run(arguments, "").status.code();
    assert_eq!(
        code(&[&["table", "explain", "--to", "33612345678"], &away[..]].concat()),
        Some(69)
    );
    assert_eq!(code(&[&["quote", "--to", "33612345678"], &away[..]].concat()), Some(69));
    assert_eq!(code(&["table", "explain", "--to", "33612345678"]), Some(64));
    assert_eq!(
        code(&[&["table", "explain", "starter", "--to", "33612345678"], &away[..]].concat()),
        Some(64)
    );
    assert_eq!(code(&[&["quote"], &away[..]].concat()), Some(64));
    assert_eq!(code(&["quote", "--to", "x"]), Some(64));
    let secure = run(&["quote", "--to", "33612345678", "--router", "https://127.0.0.1:1"], "");
    assert!(text(&secure.stderr).contains("--ca FILE"), "{}", text(&secure.stderr));
}

#[test]
fn a_router_that_asks_for_certificates_answers_those_it_knows() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    for name in ["server", "caller"] {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(file(&format!("{name}.pem")), made.cert.pem()).unwrap();
        fs::write(file(&format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
    }
    let router = Router::start(&[
        ("SIGNALBOX__ROUTER__TLS__CERTIFICATE", &file("server.pem")),
        ("SIGNALBOX__ROUTER__TLS__KEY", &file("server.key")),
        ("SIGNALBOX__ROUTER__TLS__CLIENT_CA", &file("caller.pem")),
    ]);
    let path = |name: &str| file(name).display().to_string();
    let (authority, certificate, key) = (path("server.pem"), path("caller.pem"), path("caller.key"));
    let asked = ["--to", "+447700900123", "--ca", &authority];
    let stranger = router.quote(&asked);
    assert_eq!(stranger.status.code(), Some(69));
    assert!(
        text(&stranger.stderr).contains("--cert FILE"),
        "{}",
        text(&stranger.stderr)
    );
    let known = [&asked[..], &["--cert", &certificate, "--key", &key]].concat();
    let done = router.quote(&known);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(router.explain(&known).status.code(), Some(0));
}
