//! A process that is asked to stop, in earnest: the test runs itself as a child.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
    thread,
};

use service::{EXIT_UNDRAINED, Stop, Tasks, stop_on_signals};
use tokio::runtime::Builder;

/// Tells the child that it is one.
const CHILD: &str = "SIGNALLED_CHILD";

/// The child has one thread, which stands still as one that waits for a disk. Two kinds of signals, as of one the second may be
/// swallowed before the first was seen.
#[test]
fn a_second_signal_ends_a_process_whose_threads_stand_still() {
    if env::var_os(CHILD).is_some() {
        stand_still();
    }
    let name = "a_second_signal_ends_a_process_whose_threads_stand_still";
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().contains("standing still")));
    for signal in ["-TERM", "-INT"] {
        let sent = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }
    assert_eq!(child.wait().unwrap().code(), Some(EXIT_UNDRAINED));
}

fn stand_still() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime starts");
    runtime.block_on(async {
        let (handle, _stop) = Stop::new();
        let mut tasks = Tasks::new();
        stop_on_signals(&mut tasks, handle).expect("handlers are installed");
        println!("standing still");
        loop {
            thread::park();
        }
    });
}
