//! The processes of the demonstration: one router for everything, or each role in processes of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, bail, ensure};
use service::time;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Longest wait for a process to start, and to drain.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(60);
/// Lines of each log that are shown when something went wrong.
const LINES_SHOWN: usize = 20;
/// What a process prints when it is ready.
const READY: &str = "signalbox: ready";

/// Which role a process plays, with which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What it is called here; its log is `<name>.log`.
    pub(super) name: String,
    /// The command that runs it.
    pub(super) role: &'static str,
    /// Its configuration, in the folder.
    pub(super) config: String,
}

impl Part {
    pub(super) fn new(name: impl Into<String>, role: &'static str, config: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role,
            config: config.into(),
        }
    }
}

/// Processes that run, in the order in which they shall be stopped.
pub(super) struct Cast {
    folder: PathBuf,
    processes: Vec<Process>,
}

struct Process {
    part: Part,
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    /// Where it takes calls, if it does.
    address: Option<String>,
}

impl Cast {
    /// Starts `parts` on the files in `folder`, all at once, and waits until every one is ready.
    pub(super) async fn start(folder: &Path, parts: &[Part]) -> anyhow::Result<Self> {
        let mut cast = Self {
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
    pub(super) fn address(&self) -> anyhow::Result<&str> {
        let mut addresses = self.processes.iter().filter_map(|process| process.address.as_deref());
        addresses.next().context("no process takes messages")
    }

    /// Starts one more, and waits until it is ready.
    pub(super) async fn add(&mut self, part: Part) -> anyhow::Result<()> {
        let mut process = self.spawn(part)?;
        process.ready().await?;
        self.processes.push(process);
        Ok(())
    }

    /// Kills the process called `name`: no drain, no flush, no goodbye.
    pub(super) async fn kill(&mut self, name: &str) -> anyhow::Result<Part> {
        let mut process = self.take(name)?;
        let killed = process.child.kill().await;
        killed.with_context(|| format!("{name} could not be killed"))?;
        Ok(process.part)
    }

    /// Drains the process called `name` as an operator would, with SIGTERM.
    pub(super) async fn stop(&mut self, name: &str) -> anyhow::Result<Part> {
        let mut process = self.take(name)?;
        let id = process.child.id().with_context(|| format!("{name} ended by itself"))?;
        let sent = Command::new("kill").args(["-TERM", &id.to_string()]).status().await?;
        ensure!(sent.success(), "{name} could not be asked to stop");
        let status = time::timeout(PROCESS_TIMEOUT, process.child.wait())
            .await
            .with_context(|| format!("{name} did not drain"))??;
        ensure!(status.success(), "{name} drained with {status}");
        Ok(process.part)
    }

    /// Drains all, in order.
    pub(super) async fn stop_all(&mut self) -> anyhow::Result<()> {
        while let Some(process) = self.processes.first() {
            let name = process.part.name.clone();
            self.stop(&name).await?;
        }
        Ok(())
    }

    /// Whether everybody is still there.
    pub(super) fn ensure_running(&mut self) -> anyhow::Result<()> {
        for process in &mut self.processes {
            if let Some(status) = process.child.try_wait()? {
                bail!("{} ended by itself: {status}", process.part.name);
            }
        }
        Ok(())
    }

    /// The most memory that each process had so far, in kB; those are left out of which the system says nothing.
    pub(super) fn memory_max(&self) -> Vec<(String, u64)> {
        let each = self.processes.iter().filter_map(|process| {
            let status = fs::read_to_string(format!("/proc/{}/status", process.child.id()?)).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            let kilobytes = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some((process.part.name.clone(), kilobytes))
        });
        each.collect()
    }

    /// Lines of all logs that hold `words`, each with the name of its log.
    pub(super) fn said(&self, words: &str) -> Vec<(String, String)> {
        let mut said = Vec::new();
        for (name, log) in self.logs() {
            let lines = log.lines().filter(|line| line.contains(words));
            said.extend(lines.map(|line| (name.clone(), line.to_owned())));
        }
        said
    }

    /// Prints the end of every log.
    pub(super) fn show_logs(&self) {
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
        let mut child = Command::new(env::current_exe()?)
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
            .strip_prefix(crate::roles::READY_PREFIX)
            .map(|address| address.trim().to_owned());
        Ok(())
    }
}
