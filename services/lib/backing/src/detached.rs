//! `up`, `status` and `down`: both servers held by a process of their own that one file names.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader},
    os::unix::process::CommandExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, bail};

use crate::Servers;

/// What the file says of the process that holds both.
struct Holder {
    pid: u32,
    /// When it began. A number alone may belong to another process by now.
    begun: String,
    bootstrap: String,
    url: String,
}

/// Starts both as `servers` say, unless they run already, and says where they are.
pub(crate) fn up(servers: &Servers) -> anyhow::Result<()> {
    if let Some(holder) = Holder::read()? {
        println!("already up; `make services-down` stops them");
        holder.print();
        return Ok(());
    }
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let log = folder.join("log");
    let mut child = Command::new(env::current_exe()?)
        .arg("hold")
        .args(["--brokers", &servers.brokers.to_string()])
        .args(["--kafka-port", &servers.kafka_port.to_string()])
        .args(["--redis-port", &servers.redis_port.to_string()])
        // Ctrl-C at this terminal is not for what stays.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(&log)?)
        .spawn()?;
    let out = child.stdout.take().expect("it was asked for above");
    let mut lines = BufReader::new(out).lines();
    let (Some(bootstrap), Some(url)) = (lines.next().transpose()?, lines.next().transpose()?) else {
        child.wait()?;
        bail!(
            "nothing is up; `make services KAFKA_PORT=<port> REDIS_PORT=<port>` takes other ports\n{}",
            fs::read_to_string(&log)?.trim_end()
        );
    };
    let holder = Holder {
        pid: child.id(),
        begun: begun(child.id())?.context("the servers ended as soon as they were up")?,
        bootstrap,
        url,
    };
    holder.write()?;
    holder.print();
    Ok(())
}

/// Says where both are, or that they are not up.
pub(crate) fn status() -> anyhow::Result<()> {
    match Holder::read()? {
        Some(holder) => holder.print(),
        None => println!("not up; `make services` starts them"),
    }
    Ok(())
}

/// Stops the process that `up` left, if it still is that one, and waits until Kafka and Redis are gone with it.
pub(crate) fn down() -> anyhow::Result<()> {
    let Some(holder) = Holder::read()? else {
        println!("not up");
        return Ok(());
    };
    send(holder.pid, signal_hook::consts::SIGTERM)?;
    holder.wait_gone()?;
    fs::remove_file(file())?;
    println!("stopped Kafka at {} and Redis at {}", holder.bootstrap, holder.url);
    Ok(())
}

/// Sends `signal` to process `pid`.
pub(crate) fn send(pid: u32, signal: i32) -> anyhow::Result<()> {
    let status = Command::new("sh")
        .args(["-c", r#"kill -"$1" "$2""#, "sh", &signal.to_string(), &pid.to_string()])
        .stdin(Stdio::null())
        .status()?;
    if !status.success() {
        bail!("process {pid} does not take signal {signal}");
    }
    Ok(())
}

fn folder() -> PathBuf {
    backing::home().join("run")
}

fn file() -> PathBuf {
    folder().join("holder")
}

impl Holder {
    /// What the file says, or `None` when there is none or its process has ended.
    fn read() -> anyhow::Result<Option<Self>> {
        let text = match fs::read_to_string(file()) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| file().display().to_string()),
        };
        let [pid, begun_then, bootstrap, url] = text.lines().collect::<Vec<_>>()[..] else {
            bail!("{}: not as `backing up` writes it; remove it", file().display());
        };
        let pid = pid.parse().with_context(|| file().display().to_string())?;
        let holder = Self {
            pid,
            begun: begun_then.to_owned(),
            bootstrap: bootstrap.to_owned(),
            url: url.to_owned(),
        };
        Ok(holder.is_running()?.then_some(holder))
    }

    fn write(&self) -> io::Result<()> {
        let text = format!("{}\n{}\n{}\n{}\n", self.pid, self.begun, self.bootstrap, self.url);
        fs::write(file(), text)
    }

    fn print(&self) {
        println!("Kafka at {}, Redis at {}", self.bootstrap, self.url);
        println!("export SIGNALBOX_KAFKA={} SIGNALBOX_REDIS={}", self.bootstrap, self.url);
    }

    fn is_running(&self) -> io::Result<bool> {
        Ok(begun(self.pid)?.as_ref() == Some(&self.begun))
    }

    /// Both servers close their ports as they end.
    fn wait_gone(&self) -> io::Result<()> {
        let redis = self.url.trim_start_matches("redis://");
        let addresses = self.bootstrap.split(',').chain([redis]);
        backing::wait_closed(addresses)
    }
}

/// When process `pid` began, in words that no later process of this number has; `None` when there is none.
fn begun(pid: u32) -> io::Result<Option<String>> {
    if let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) {
        // Behind the name, which may hold blanks and brackets: state, then 18 numbers, then the time it began at.
        let behind = stat.rsplit_once(')').map_or("", |(_, behind)| behind);
        let mut fields = behind.split_whitespace();
        let is_dead = fields.next() == Some("Z");
        return Ok(fields.nth(18).filter(|_| !is_dead).map(str::to_owned));
    }
    let output = Command::new("ps")
        .args(["-o", "lstart=", "-p", &pid.to_string()])
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            Ok(Some(text).filter(|text| !text.is_empty()))
        }
        // Without `ps` this is a Linux without that process.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
