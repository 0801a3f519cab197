//! The processes: one router for everything, or each role in processes of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use service::time;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::usage;

/// Longest wait for a process to start, and to drain.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);
/// Lines of each log that are shown when something went wrong.
const LINES_SHOWN: usize = 40;
/// What a process prints when it is ready.
pub const READY: &str = "signalbox: ready";
/// What stands between that and the address where messages are taken.
const READY_ADDRESS: &str = ", gRPC on ";

/// The binary that plays the roles: the one `named`, or else the one beside this program.
///
/// # Errors
/// It is not there.
pub fn program(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let program = match named {
        Some(program) => program.to_owned(),
        None => env::current_exe()?.with_file_name("signalbox"),
    };
    ensure!(
        program.is_file(),
        "{} is not there: build it with `cargo build --release -p signalbox`, or name another with --signalbox",
        program.display()
    );
    Ok(program)
}

/// Which role a process plays, with which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is called here; its log is `<name>.log`.
    pub name: String,
    /// The command that runs it.
    pub role: &'static str,
    /// Its configuration, in the folder.
    pub config: String,
    /// The user it runs as; `None` = whoever starts it.
    pub user: Option<u32>,
}

impl Part {
    /// A process called `name` that plays `role` by the file `config`.
    pub fn new(name: impl Into<String>, role: &'static str, config: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role,
            config: config.into(),
            user: None,
        }
    }
}

/// Processes that run, in the order in which they shall be stopped. Dropped, they are killed.
#[derive(Debug)]
pub struct Cast {
    program: PathBuf,
    folder: PathBuf,
    processes: Vec<Process>,
}

#[derive(Debug)]
struct Process {
    part: Part,
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    /// Where it takes calls, if it does.
    address: Option<String>,
}

impl Cast {
    /// Starts `parts` of `program` on the files in `folder`, all at once, and waits until every one is ready.
    ///
    /// # Errors
    /// One does not start; those that did are killed.
    pub async fn start(program: &Path, folder: &Path, parts: &[Part]) -> anyhow::Result<Self> {
        let mut cast = Self {
            program: program.to_owned(),
            folder: folder.to_owned(),
            processes: Vec::new(),
        };
        for part in parts {
            let process = cast.spawn(part.clone())?;
            cast.processes.push(process);
        }
        for place in 0..cast.processes.len() {
            let ready = cast.processes[place].ready().await;
            if ready.is_err() {
                cast.show_logs();
            }
            ready?;
        }
        Ok(cast)
    }

    /// Where messages are taken.
    ///
    /// # Errors
    /// Nobody takes any.
    pub fn address(&self) -> anyhow::Result<&str> {
        let mut addresses = self.processes.iter().filter_map(|process| process.address.as_deref());
        addresses.next().context("no process takes messages")
    }

    /// Starts one more, ready or not.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn launch(&mut self, part: Part) -> anyhow::Result<()> {
        let process = self.spawn(part)?;
        self.processes.push(process);
        Ok(())
    }

    /// Sends `signal`, as `kill` calls it, to the process called `name`.
    ///
    /// # Errors
    /// There is none, or it ended by itself.
    pub async fn signal(&self, name: &str, signal: &str) -> anyhow::Result<()> {
        let process = self.processes.iter().find(|process| process.part.name == name);
        let process = process.with_context(|| format!("there is no {name}"))?;
        let id = process.child.id().with_context(|| format!("{name} ended by itself"))?;
        let mut command = Command::new("kill");
        command
            .args([format!("-{signal}"), id.to_string()])
            .stderr(Stdio::null());
        let sent = command.status().await?;
        ensure!(sent.success(), "{name} does not take SIG{signal}");
        Ok(())
    }

    /// Forgets those that have ended, and returns them with how.
    ///
    /// # Errors
    /// The system does not say whether one runs.
    pub fn take_ended(&mut self) -> anyhow::Result<Vec<(Part, ExitStatus)>> {
        let mut ended = Vec::new();
        for place in (0..self.processes.len()).rev() {
            if let Some(status) = self.processes[place].child.try_wait()? {
                ended.push((self.processes.remove(place).part, status));
            }
        }
        Ok(ended)
    }

    /// Starts one more, and waits until it is ready.
    ///
    /// # Errors
    /// It does not start, or not in time.
    pub async fn add(&mut self, part: Part) -> anyhow::Result<()> {
        let mut process = self.spawn(part)?;
        process.ready().await?;
        self.processes.push(process);
        Ok(())
    }

    /// Kills the process called `name`: no drain, no flush, no goodbye.
    ///
    /// # Errors
    /// There is none, or it does not die.
    pub async fn kill(&mut self, name: &str) -> anyhow::Result<Part> {
        let mut process = self.take(name)?;
        let killed = process.child.kill().await;
        killed.with_context(|| format!("{name} could not be killed"))?;
        Ok(process.part)
    }

    /// Drains the process called `name` as an operator would, with SIGTERM.
    ///
    /// # Errors
    /// There is none, or it does not end in good order and in time.
    pub async fn stop(&mut self, name: &str) -> anyhow::Result<Part> {
        self.signal(name, "TERM").await?;
        let mut process = self.take(name)?;
        let Some(status) = time::timeout(PROCESS_TIMEOUT, process.child.wait()).await else {
            let threads = process.child.id().map(usage::threads).unwrap_or_default();
            bail!("{name} did not drain; its threads: {}", threads.join(", "));
        };
        let status = status?;
        ensure!(status.success(), "{name} drained with {status}");
        Ok(process.part)
    }

    /// Drains all, in order.
    ///
    /// # Errors
    /// One does not end in good order and in time.
    pub async fn stop_all(&mut self) -> anyhow::Result<()> {
        while let Some(process) = self.processes.first() {
            let name = process.part.name.clone();
            self.stop(&name).await?;
        }
        Ok(())
    }

    /// Whether everybody is still there.
    ///
    /// # Errors
    /// Somebody is not.
    pub fn ensure_running(&mut self) -> anyhow::Result<()> {
        for process in &mut self.processes {
            if let Some(status) = process.child.try_wait()? {
                bail!("{} ended by itself: {status}", process.part.name);
            }
        }
        Ok(())
    }

    /// The most memory that each process had so far, in kB; those are left out of which the system says nothing.
    pub fn memory_max(&self) -> Vec<(String, u64)> {
        let each = self.processes.iter().filter_map(|process| {
            let status = fs::read_to_string(format!("/proc/{}/status", process.child.id()?)).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            let kilobytes = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some((process.part.name.clone(), kilobytes))
        });
        each.collect()
    }

    /// The processor time that each process has had, with its role.
    ///
    /// # Errors
    /// The system does not say.
    pub fn processor_times(&self) -> anyhow::Result<Vec<(&'static str, Duration)>> {
        let time = |process: &Process| {
            let name = &process.part.name;
            let id = process.child.id().with_context(|| format!("{name} ended by itself"))?;
            let spent =
                usage::processor_time(id).with_context(|| format!("the system does not say what {name} took"))?;
            Ok((process.part.role, spent))
        };
        self.processes.iter().map(time).collect()
    }

    /// Lines of all logs that hold `words`, each with the name of its log.
    pub fn said(&self, words: &str) -> Vec<(String, String)> {
        let mut said = Vec::new();
        for (name, log) in self.logs() {
            let lines = log.lines().filter(|line| line.contains(words));
            said.extend(lines.map(|line| (name.clone(), line.to_owned())));
        }
        said
    }

    /// Prints the end of every log to standard error.
    pub fn show_logs(&self) {
        for (name, log) in self.logs() {
            let lines: Vec<_> = log.lines().collect();
            eprintln!("The last words of {name}:");
            for line in &lines[lines.len().saturating_sub(LINES_SHOWN)..] {
                eprintln!("  {line}");
            }
        }
    }

    /// Every log in the folder that a process wrote, also of those that are gone.
    fn logs(&self) -> Vec<(String, String)> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut logs: Vec<_> = files
            .filter_map(|file| {
                let name = file.file_name().into_string().ok()?;
                let name = name.strip_suffix(".process.log")?.to_owned();
                Some((name, fs::read_to_string(file.path()).ok()?))
            })
            .collect();
        logs.sort();
        logs
    }

    fn take(&mut self, name: &str) -> anyhow::Result<Process> {
        let place = self.processes.iter().position(|process| process.part.name == name);
        let place = place.with_context(|| format!("there is no {name}"))?;
        Ok(self.processes.remove(place))
    }

    fn spawn(&self, part: Part) -> anyhow::Result<Process> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.join(format!("{}.process.log", part.name)))?;
        let mut command = Command::new(&self.program);
        if let Some(user) = part.user {
            command.uid(user);
        }
        let mut child = command
            .arg(part.role)
            .arg("--config")
            .arg(self.folder.join(&part.config))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("standard output was piped")?;
        Ok(Process {
            part,
            child,
            stdout: BufReader::new(stdout).lines(),
            address: None,
        })
    }
}

impl Process {
    async fn ready(&mut self) -> anyhow::Result<()> {
        let name = &self.part.name;
        let line = time::timeout(PROCESS_TIMEOUT, async {
            while let Some(line) = self.stdout.next_line().await? {
                if line.starts_with(READY) {
                    return Ok(line);
                }
            }
            bail!("{name} did not start")
        });
        let line = line.await.with_context(|| format!("{name} did not start in time"))??;
        self.address = line
            .strip_prefix(READY)
            .and_then(|rest| rest.strip_prefix(READY_ADDRESS))
            .map(|address| address.trim().to_owned());
        Ok(())
    }
}
