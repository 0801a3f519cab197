//! A carrier as a process: it tells where it listens, ends cleanly when asked to, and when killed its log holds every
//! message it had answered.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use signalbox_loadtest::smsc::read_log;
use smpp::{Address, Answer, Body, ClientConfig, Input, Output, Session, Submit};

/// A carrier's process, killed when dropped.
struct Carrier {
    child: Child,
    addr: SocketAddr,
}

impl Carrier {
    fn start(log: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox-loadtest"))
            .args([
                "smsc",
                "--listen",
                "127.0.0.1:0",
                "--name",
                "atlas",
                "--password",
                "secret",
                "--log",
            ])
            .arg(log)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let addr = line.trim().strip_prefix("listening on ").unwrap().parse().unwrap();
        Self { child, addr }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Binds, submits `count` messages and returns the ids in their answers, with the connection still open.
fn submit(addr: SocketAddr, count: u64) -> (TcpStream, Vec<String>) {
    let mut stream = TcpStream::connect(addr).unwrap();
    let mut session = Session::client(ClientConfig {
        window: 1_000,
        ..ClientConfig::new("me", "secret")
    })
    .unwrap();
    let (mut ids, mut inputs, mut octets) = (Vec::new(), vec![Input::Opened], [0; 4096]);
    while ids.len() < count as usize {
        let mut outputs = Vec::new();
        session.handle_all(Duration::ZERO, inputs.drain(..), &mut outputs);
        let mut is_read_due = true;
        for output in outputs {
            match output {
                Output::Write(octets) => stream.write_all(&octets).unwrap(),
                Output::Bound { .. } => {
                    is_read_due = false;
                    inputs.extend((0..count).map(|tag| Input::Submit {
                        tag,
                        submit: message(),
                        timeout: Duration::from_secs(1),
                    }));
                }
                Output::Answered {
                    answer: Answer::Accepted(reply),
                    ..
                } => ids.push(reply.message_id),
                Output::Delivered { .. } | Output::WakeAt(_) => {}
                other => panic!("{other:?}"),
            }
        }
        if is_read_due && ids.len() < count as usize {
            let read = stream.read(&mut octets).unwrap();
            assert_ne!(read, 0, "the carrier hung up");
            inputs.push(Input::Octets(Bytes::copy_from_slice(&octets[..read])));
        }
    }
    (stream, ids)
}

fn message() -> Submit {
    Submit {
        source: Address::sender("ACME"),
        destination: Address::international("447700900001"),
        registered_delivery: 1,
        body: Body::ShortMessage(Bytes::from_static(b"hello")),
        ..Submit::default()
    }
}

#[test]
fn a_killed_carrier_has_logged_all_it_answered() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("atlas.log");
    let carrier = Carrier::start(&log);
    let (_stream, ids) = submit(carrier.addr, 500);
    carrier.signal("KILL");
    drop(carrier);
    let logged: Vec<String> = read_log(&log)
        .unwrap()
        .into_iter()
        .map(|received| received.id)
        .collect();
    assert_eq!(logged, ids);
}

#[test]
fn a_carrier_that_is_asked_to_stop_ends_cleanly() {
    let directory = tempfile::tempdir().unwrap();
    let mut carrier = Carrier::start(&directory.path().join("atlas.log"));
    let (stream, _) = submit(carrier.addr, 1);
    drop(stream);
    carrier.signal("TERM");
    assert!(carrier.child.wait().unwrap().success());
}

#[test]
fn what_is_wrong_with_an_argument_is_said() {
    let output = Command::new(env!("CARGO_BIN_EXE_signalbox-loadtest"))
        .args(["smsc", "--receipts", "LOST=1"])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(error.contains("write DELIVRD=95,UNDELIV/011=3,NONE=2"), "{error}");
}
