//! End to end: the demonstration is its own oracle. It starts the real binary, carriers over real TCP, and compares the
//! router's books with those of the carriers, so all that is left to do here is to run it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .arg("demo")
        .args(arguments)
        .output()
        .unwrap()
}

fn assert_in_order(output: &Output) {
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("The books are in order"), "{stdout}\n{stderr}");
}

/// A carrier goes dark and a price falls while messages flow.
#[test]
fn every_message_ends_once_when_a_carrier_goes_dark_and_a_price_changes() {
    assert_in_order(&demo(&["--messages", "1500", "--rate", "300"]));
}

/// SIGKILL in the middle of the traffic, and a second start on the same files.
#[test]
fn every_message_ends_once_when_the_router_is_killed() {
    assert_in_order(&demo(&["--messages", "1500", "--rate", "500", "--crash"]));
}

/// A carrier dies and stays dead; the test leaves times to `make failover`, as this machine may be busy.
#[test]
fn every_password_ends_once_when_its_carrier_dies() {
    let output = demo(&["--messages", "1500", "--rate", "500", "--failover", "--no-limits"]);
    assert_in_order(&output);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("from its death to the next carrier"), "{stdout}");
}

/// A small campaign, too fast to be felt; the times are left to `make campaign`, as this machine may be busy.
#[test]
fn every_password_reaches_a_carrier_beside_a_campaign() {
    let output = demo(&["--campaign", "3000", "--seconds", "2", "--no-limits"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("campaign: 3000 accepted"), "{stdout}\n{stderr}");
    assert!(!stdout.contains("reached no carrier"), "{stdout}\n{stderr}");
}

/// A few slices; the times are left to `make bad-provider`, as this machine may be busy.
#[test]
fn a_provider_that_is_slow_fails_and_lies_loses_no_message_and_is_not_believed() {
    let output = demo(&[
        "--bad-provider",
        "--messages",
        "800",
        "--rate",
        "100",
        "--seconds",
        "1",
        "--no-limits",
    ]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(
        stdout.contains("every message ended once, none was lost"),
        "{stdout}\n{stderr}"
    );
}

/// A tenth of `make waves`: carriers throttle, keep answers back, cut connections, and send receipts early, late and twice.
#[test]
fn every_message_ends_once_and_is_read_as_sent_though_carriers_misbehave_in_waves() {
    let output = demo(&["--waves", "--messages", "1000", "--rate", "100"]);
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("texts compared and alike"), "{stdout}\n{stderr}");
}
