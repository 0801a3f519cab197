//! The program: what it starts ends with it, however it ends, and a command runs in between as if it were alone.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

fn with(script: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_backing"))
        .args(["with", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Connects to Kafka and Redis at the addresses that `holder` prints.
fn connect(holder: &mut Child) -> Vec<TcpStream> {
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let addresses = line.split_whitespace();
    addresses
        .map(|address| TcpStream::connect(address.trim_start_matches("redis://")).unwrap())
        .collect()
}

/// Kills the owner with SIGKILL, which no code of its own can answer; the servers close their connections as they end.
#[test]
fn servers_end_with_an_owner_that_is_killed() {
    let mut holder = with("echo $SIGNALBOX_KAFKA $SIGNALBOX_REDIS; exec cat");
    let connections = connect(&mut holder);
    assert_eq!(connections.len(), 2);
    holder.kill().unwrap();
    holder.wait().unwrap();
    for mut connection in connections {
        let read = connection.read(&mut [0]);
        assert!(!matches!(read, Ok(1..)), "a server said something");
    }
}

#[test]
fn the_exit_code_is_that_of_the_command() {
    let status = with("exit 7").wait().unwrap();
    assert_eq!(status.code(), Some(7));
}

/// Sends SIGTERM to the owner alone: the command takes its time to end, with both servers still there.
#[test]
fn a_signal_goes_to_the_command_while_the_servers_stay() {
    let mut holder = with(
        "trap 'read line; echo last; exit 5' TERM; echo $SIGNALBOX_KAFKA $SIGNALBOX_REDIS; kill -TERM $PPID; \
         while :; do sleep 0.05; done",
    );
    let mut out = BufReader::new(holder.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    for address in line.split_whitespace() {
        TcpStream::connect(address.trim_start_matches("redis://")).unwrap();
    }
    drop(holder.stdin.take());
    line.clear();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "last\n");
    assert_eq!(holder.wait().unwrap().code(), Some(5));
}
