//! Answers that are errors, as servers of several versions give them.

use ::redis::{Value, parse_redis_value};

use super::*;

fn answer(line: &str) -> ServerError {
    match parse_redis_value(format!("-{line}\r\n").as_bytes()) {
        Ok(Value::ServerError(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// As Redis 6 tells an error that a command met within a script.
fn within_a_script(error: &str) -> ServerError {
    let script = "f_9d4a1d1e0b1b5a3f0c7e6d5c4b3a29181706f5e4";
    answer(&format!(
        "ERR Error running script (call to {script}): @user_script:58: @user_script: 58: {error} "
    ))
}

#[test]
fn what_a_server_cannot_do_any_more_ends_the_connection_within_scripts_too() {
    for error in [
        "READONLY You can't write against a read only replica.",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "LOADING Redis is loading the dataset in memory",
    ] {
        assert!(ends_connection(&answer(error)), "{error}");
        assert!(ends_connection(&within_a_script(&format!("-{error}"))), "{error}");
        assert!(ends_connection(&within_a_script(error)), "{error}");
    }
}

#[test]
fn other_errors_leave_the_connection_be() {
    for error in [
        "-OOM command not allowed when used memory > 'maxmemory'.",
        "-MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.",
        "Wrong number of args calling Redis command From Lua script",
    ] {
        assert!(!ends_connection(&within_a_script(error)), "{error}");
    }
}

#[test]
fn an_error_within_a_script_says_what_to_do() {
    let told = of_answer(
        "redis://host",
        &within_a_script("-READONLY You can't write against a read only replica."),
    );
    assert!(told.to_string().contains("name the primary in the url"), "{told}");
    let full = of_answer("redis://host", &within_a_script("-OOM command not allowed when"));
    assert!(matches!(full, StoreError::Full(_)), "{full}");
}
