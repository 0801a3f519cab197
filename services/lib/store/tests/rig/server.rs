//! A real Redis of our own on loopback.

use std::{
    io::Read,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

/// A server; ends when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) home: tempfile::TempDir,
    arguments: Vec<String>,
}

impl Server {
    /// Starts one with these settings, in words of its configuration file.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = tempfile::tempdir().unwrap();
        let arguments: Vec<_> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let child = spawn(port, home.path(), &arguments);
        Self {
            child,
            port,
            home,
            arguments,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.child = spawn(self.port, self.home.path(), &self.arguments);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(port: u16, home: &Path, settings: &[String]) -> Child {
    let settings = settings.iter().flat_map(|setting| setting.split_whitespace());
    let mut child = Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--daemonize",
            "no",
        ])
        .arg("--dir")
        .arg(home)
        .args(settings)
        .stdout(Stdio::piped())
        .spawn()
        .expect("redis-server starts: it is needed here, install the Debian package redis-server");
    // It is there as soon as it says so; what it says later must not fill the pipe.
    let mut said = String::new();
    let mut out = child.stdout.take().unwrap();
    let mut octets = [0; 4096];
    while !said.contains("Ready to accept connections") {
        let count = out.read(&mut octets).unwrap();
        assert!(count > 0, "redis-server ended: {said}");
        said.push_str(&String::from_utf8_lossy(&octets[..count]));
    }
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    TcpStream::connect(("127.0.0.1", port)).unwrap();
    child
}
