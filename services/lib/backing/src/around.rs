//! Running one command between the start and the end of both servers, as if they were not there: signals go to the
//! command, and its exit code comes back.

use std::{
    ffi::OsString,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitCode, ExitStatus},
};

use anyhow::Context;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM},
    iterator::{SignalsInfo, exfiltrator::WithOrigin},
};

use crate::{Both, detached};

/// Runs `command` and returns its exit code, 128 and the signal's number where one ended it.
#[expect(
    clippy::disallowed_methods,
    reason = "signals arrive while the command is waited for"
)]
pub(crate) fn run(both: &Both, command: &[OsString]) -> anyhow::Result<ExitCode> {
    let (program, arguments) = command.split_first().context("no command")?;
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let handle = signals.handle();
    let mut child = Command::new(program)
        .args(arguments)
        .env("SIGNALBOX_KAFKA", both.kafka.bootstrap())
        .env("SIGNALBOX_REDIS", both.redis.url())
        .spawn()
        .with_context(|| format!("{}", program.display()))?;
    let pid = child.id();
    let passing = std::thread::spawn(move || pass_on(&mut signals, pid));
    let status = wait(&mut child)?;
    handle.close();
    passing.join().expect("passing signals on does not panic");
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

fn wait(child: &mut Child) -> anyhow::Result<ExitStatus> {
    child.wait().context("the command cannot be waited for")
}

/// Sends the command what a process sent to this one. What the terminal sends reaches the command by itself, and twice
/// would mean something else.
fn pass_on(signals: &mut SignalsInfo<WithOrigin>, pid: u32) {
    for origin in signals.forever() {
        if origin.process.is_some() {
            // The command may have ended meanwhile.
            let _ = detached::send(pid, origin.signal);
        }
    }
}
