//! Redis: one server with a folder of its own, also as a cluster of one.

use std::{
    fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tempfile::TempDir;

use crate::{fetch, port, process::Process, tls::Certificates, wait};

/// How long a server may take to answer; it reads its append-only file first.
const STARTED_WITHIN: Duration = Duration::from_secs(30);
/// How long a server may take to stop before it is killed.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);
/// Choices of ports before giving up.
const PORT_TRIES_MAX: usize = 5;

/// What a server writes to its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RedisPersistence {
    /// Nothing: killed, it comes back empty.
    #[default]
    None,
    /// The append-only file, synced every second.
    EverySecond,
    /// The append-only file, synced before each answer.
    Always,
}

/// What to start. `Default` is plain and keeps nothing.
#[derive(Clone, Debug, Default)]
pub struct RedisOptions {
    /// What it writes to its disk.
    pub persistence: RedisPersistence,
    /// Octets it may hold; beyond, it refuses writes or drops keys as `policy` says. `None` = no limit.
    pub memory_max: Option<u64>,
    /// `maxmemory-policy`; `None` = `noeviction`.
    pub policy: Option<&'static str>,
    /// Password of the default user; `None` = nobody is asked.
    pub password: Option<String>,
    /// TLS alone, with a certificate of [`Redis::certificates`].
    pub tls: bool,
    /// Cluster mode, this server holding all slots.
    pub cluster: bool,
    /// Port for clients. `None` = any that is free.
    pub port: Option<u16>,
}

/// A running server. Dropped, it is killed and what it held is gone.
#[derive(Debug)]
pub struct Redis {
    // Ahead of the folder, so that the process ends before it is removed.
    process: Mutex<Option<Process>>,
    options: RedisOptions,
    port: u16,
    certificates: Option<Certificates>,
    folder: TempDir,
}

impl Redis {
    /// Starts what `options` say and returns once it answers.
    ///
    /// # Errors
    /// `redis-server` is missing, or does not come up: with what it printed. Nothing is left running.
    pub fn start(options: RedisOptions) -> io::Result<Self> {
        fetch::need("redis-server")?;
        port::retry(PORT_TRIES_MAX, || Self::start_once(&options))
    }

    fn start_once(options: &RedisOptions) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("backing-redis-").tempdir()?;
        let certificates = match options.tls {
            true => Some(Certificates::make(folder.path())?),
            false => None,
        };
        let ports = port::free(2)?;
        let redis = Self {
            process: Mutex::new(None),
            options: options.clone(),
            port: options.port.map_or(Ok(ports[0]), port::stated)?,
            certificates,
            folder,
        };
        fs::write(redis.path("redis.conf"), redis.config(ports[1]))?;
        redis.launch()?;
        if options.cluster {
            redis.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])?;
        }
        redis.wait_cluster()?;
        Ok(redis)
    }

    /// `redis://` or `rediss://` with the password where there is one.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.options.tls { "rediss" } else { "redis" };
        let password = self.options.password.as_deref();
        let user = password.map(|password| format!(":{password}@")).unwrap_or_default();
        format!("{scheme}://{user}127.0.0.1:{}", self.port)
    }

    /// The certificates, or `None` in plain text.
    #[must_use]
    pub fn certificates(&self) -> Option<&Certificates> {
        self.certificates.as_ref()
    }

    /// Kills it as `kill -9` does and waits until it is gone. Killing one that is down does nothing.
    ///
    /// # Errors
    /// It is still there after some seconds.
    pub fn kill(&self) -> io::Result<()> {
        match self.process().take() {
            Some(mut process) => process.kill(),
            None => Ok(()),
        }
    }

    /// Stops it in good order.
    ///
    /// # Errors
    /// It had to be killed, or is still there.
    pub fn stop(&self) -> io::Result<()> {
        match self.process().take() {
            Some(mut process) => process.stop(STOPPED_WITHIN),
            None => Ok(()),
        }
    }

    /// Starts it again on its port and with what its disk holds, and returns once it answers. One that still runs is
    /// killed first.
    ///
    /// # Errors
    /// It does not come up, with what it printed.
    pub fn restart(&self) -> io::Result<()> {
        self.kill()?;
        self.launch()?;
        self.wait_cluster()
    }

    fn launch(&self) -> io::Result<()> {
        let log = self.path("redis.log");
        let program = ["redis-server".into(), self.path("redis.conf")];
        let from = fs::metadata(&log).map_or(0, |found| found.len());
        let spawned = Process::spawn(program, self.folder.path(), &log)?;
        let mut process = self.process();
        let process = process.insert(spawned);
        wait::until("start of redis-server", STARTED_WITHIN, || {
            if self.command(&["PING"]).is_ok_and(|answer| answer == "+PONG") {
                return Ok(Some(()));
            }
            let Some(status) = process.ended()? else {
                return Ok(None);
            };
            let text = fs::read_to_string(&log)?;
            let text = text.get(usize::try_from(from).unwrap_or(0)..).unwrap_or(&text);
            if text.contains("Address already in use") {
                let text = format!("start of redis-server: port {} was taken meanwhile", self.port);
                return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
            }
            Err(io::Error::other(format!("start of redis-server: {status}\n{text}")))
        })?;
        Ok(())
    }

    /// Removes every key.
    ///
    /// # Errors
    /// It is down or refuses.
    pub fn flush(&self) -> io::Result<()> {
        self.command(&["FLUSHALL"]).map(drop)
    }

    /// Octets of memory that it has in use, as it counts them itself.
    ///
    /// # Errors
    /// It is down, or does not say.
    pub fn memory(&self) -> io::Result<u64> {
        const ASK: &str = "return tonumber(string.match(redis.call('INFO', 'memory'), 'used_memory:(%d+)'))";
        let answer = self.command(&["EVAL", ASK, "0"])?;
        let octets = answer.strip_prefix(':').and_then(|octets| octets.parse().ok());
        octets.ok_or_else(|| io::Error::other(format!("redis says \"{answer}\" of its memory")))
    }

    /// Sends one command past the network and returns the first line of the answer, with its mark: `+OK`, `:3`, `$5`.
    ///
    /// # Errors
    /// It is down, or answered with an error.
    pub fn command(&self, words: &[&str]) -> io::Result<String> {
        let mut stream = UnixStream::connect(self.path("redis.sock"))?;
        stream.set_read_timeout(Some(STARTED_WITHIN))?;
        if let Some(password) = &self.options.password {
            ask(&mut stream, &["AUTH", password])?;
        }
        ask(&mut stream, words)
    }

    fn wait_cluster(&self) -> io::Result<()> {
        if !self.options.cluster {
            return Ok(());
        }
        wait::until("a cluster with all slots", STARTED_WITHIN, || {
            // A cluster that is not ready refuses every key.
            Ok(self.command(&["GET", "any"]).ok())
        })?;
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, cluster_port: u16) -> String {
        let options = &self.options;
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", self.folder.path().display()),
            format!("unixsocket {}", self.path("redis.sock").display()),
            "save \"\"".to_owned(),
            format!("maxmemory-policy {}", options.policy.unwrap_or("noeviction")),
        ];
        lines.push(match options.persistence {
            RedisPersistence::None => "appendonly no".to_owned(),
            RedisPersistence::EverySecond => "appendonly yes\nappendfsync everysec".to_owned(),
            RedisPersistence::Always => "appendonly yes\nappendfsync always".to_owned(),
        });
        lines.extend(options.memory_max.map(|octets| format!("maxmemory {octets}")));
        lines.extend(
            options
                .password
                .as_ref()
                .map(|password| format!("requirepass \"{password}\"")),
        );
        match &self.certificates {
            None => lines.push(format!("port {}", self.port)),
            Some(certificates) => lines.extend([
                format!("port 0\ntls-port {}\ntls-auth-clients optional", self.port),
                format!("tls-cert-file {}", certificates.server.display()),
                format!("tls-key-file {}", certificates.server_key.display()),
                format!("tls-ca-cert-file {}", certificates.ca.display()),
            ]),
        }
        if options.cluster {
            lines.push(format!("cluster-enabled yes\ncluster-port {cluster_port}"));
            lines.push("cluster-announce-ip 127.0.0.1".to_owned());
        }
        lines.join("\n") + "\n"
    }
}

/// Sends one command and reads the first line of its answer.
fn ask(stream: &mut UnixStream, words: &[&str]) -> io::Result<String> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request += &format!("${}\r\n{word}\r\n", word.len());
    }
    stream.write_all(request.as_bytes())?;
    let mut line = Vec::new();
    let mut octet = [0];
    while !line.ends_with(b"\r\n") {
        stream.read_exact(&mut octet)?;
        line.extend(octet);
    }
    let line = String::from_utf8_lossy(&line).trim_end().to_owned();
    match line.strip_prefix('-') {
        Some(refusal) => Err(io::Error::other(format!("redis refused {}: {refusal}", words[0]))),
        None => Ok(line),
    }
}
