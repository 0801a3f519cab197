//! One server process that ends with its owner, however the owner ends.
//!
//! Between owner and server stands a shell that reads from a pipe held by the owner alone: a line on it is a signal for
//! the server, its end is the end of the owner and kills the server. No code has to run in the owner for that, so it
//! holds for SIGKILL as well.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::Duration,
};

use crate::wait;

/// Runs `$@` with the folder `$1` taken off. The reader ignores the TERM of its parent once it has something to clean up.
const SUPERVISOR: &str = r#"
folder=$1
shift
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
(
    while read -r signal; do kill -"$signal" "$server"; done <&3
    trap '' TERM
    kill -KILL "$server"
    rm -rf "$folder"
) 2>/dev/null &
reader=$!
exec 3<&-
wait "$server"
code=$?
kill "$reader" 2>/dev/null
exit "$code"
"#;

/// How long a server that was killed may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub(crate) struct Process {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Process {
    /// Starts `program` with what it prints appended to `output`. `folder` is removed should the owner die.
    pub(crate) fn spawn<S: AsRef<OsStr>>(
        program: impl IntoIterator<Item = S>,
        folder: &Path,
        output: &Path,
    ) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(output)?;
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(SUPERVISOR)
            .arg("sh")
            .arg(folder)
            .args(program)
            // A group of its own: Ctrl-C at the terminal is for the owner, who decides in which order things end.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// How it ended, or `None` while it runs.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.shell.try_wait()
    }

    /// Kills it as `kill -9` does and waits until it is gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.signal("KILL");
        wait::until("end of a killed server", GONE_WITHIN, || self.ended()).map(drop)
    }

    /// Asks it to stop and waits until it has.
    ///
    /// # Errors
    /// `TimedOut` when it had to be killed after `limit`.
    pub(crate) fn stop(&mut self, limit: Duration) -> io::Result<()> {
        self.signal("TERM");
        let stopped = wait::until("end of a stopped server", limit, || self.ended());
        if stopped.is_err() {
            self.kill()?;
        }
        stopped.map(drop)
    }

    /// A server that has ended takes no signals, and that is no error.
    fn signal(&mut self, name: &str) {
        if let Some(pipe) = &mut self.pipe {
            let _ = writeln!(pipe, "{name}");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
