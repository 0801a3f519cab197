//! `up` and `down` touch nothing that is not theirs: no port in use, no process that got the number of one of theirs.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, PoisonError},
};

use tempfile::TempDir;

/// Held while a program is written and while one is begun: a process that is just being forked holds open what the other tests
/// write, and a program that is open for writing cannot be run.
static ALONE: Mutex<()> = Mutex::new(());

/// The program in a target directory of its own, so that it never meets what a developer left up.
struct Program {
    target: TempDir,
}

impl Program {
    fn new() -> Self {
        let target = tempfile::tempdir().unwrap();
        fs::write(target.path().join("CACHEDIR.TAG"), "").unwrap();
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        fs::copy(env!("CARGO_BIN_EXE_backing"), target.path().join("program")).unwrap();
        Self { target }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(self.target.path().join("program"));
        command.args(arguments).stdin(Stdio::null());
        let child = begin(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        child.wait_with_output().unwrap()
    }

    fn holder(&self) -> PathBuf {
        self.target.path().join("backing/run/holder")
    }
}

fn begin(command: &mut Command) -> Child {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

#[test]
fn a_port_in_use_is_named_and_nothing_is_left() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let program = Program::new();
    let output = program.run(&["up", "--redis-port", &port]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(said.contains(&format!("port {port} of 127.0.0.1")), "{said}");
    assert!(said.contains("REDIS_PORT=<port>"), "{said}");
    assert!(!program.holder().exists());
}

/// Names a process that began at another time than the one that was left up.
#[test]
fn a_process_with_a_number_used_again_is_left_alone() {
    let program = Program::new();
    let mut other = begin(Command::new("cat").stdin(Stdio::piped()));
    fs::create_dir_all(program.holder().parent().unwrap()).unwrap();
    let text = format!("{}\nlong ago\n127.0.0.1:9092\nredis://127.0.0.1:6379\n", other.id());
    fs::write(program.holder(), text).unwrap();
    let output = program.run(&["down"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "not up\n");
    assert!(other.try_wait().unwrap().is_none(), "it was killed");
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
}
