//! Knot DNS: one authoritative server with the zones that a test writes, over UDP and TCP.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    path::Path,
    time::Duration,
};

use tempfile::TempDir;

use crate::{fetch, port, process::Process, wait};

/// How long a server may take to answer; it reads its zones first.
const STARTED_WITHIN: Duration = Duration::from_secs(30);
/// How long it may take over one question.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// Choices of ports before giving up.
const PORT_TRIES_MAX: usize = 5;

/// A zone: its name, and its records as a master file has them (RFC 1035 §5). One without records is refused to nobody and
/// fails for everybody: SERVFAIL.
#[derive(Clone, Copy, Debug)]
pub struct KnotZone<'a> {
    /// Its name, such as `e164.example`.
    pub name: &'a str,
    /// Its records, with SOA and NS; `None` = the file is missing.
    pub records: Option<&'a str>,
}

/// A running server. Dropped, it is killed and its folder is gone.
#[derive(Debug)]
pub struct Knot {
    // Ahead of the folder, so that the process ends before it is removed.
    _process: Process,
    address: SocketAddr,
    _folder: TempDir,
}

impl Knot {
    /// Starts a server of `zones` and returns once it answers for each.
    ///
    /// # Errors
    /// `knotd` is missing, or does not come up: with what it printed. Nothing is left running.
    pub fn start(zones: &[KnotZone<'_>]) -> io::Result<Self> {
        let program = fetch::program("knotd")?;
        port::retry(PORT_TRIES_MAX, || Self::start_once(&program, zones))
    }

    fn start_once(program: &Path, zones: &[KnotZone<'_>]) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("backing-knot-").tempdir()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free(1)?[0]));
        // The port was found free for TCP; a server that cannot have it for UDP would come up all the same.
        drop(UdpSocket::bind(address)?);
        for zone in zones {
            if let Some(records) = zone.records {
                fs::write(folder.path().join(format!("{}.zone", zone.name)), records)?;
            }
        }
        let config = folder.path().join("knot.conf");
        fs::write(&config, configuration(folder.path(), address, zones))?;
        let log = folder.path().join("knot.log");
        let command = [program.as_os_str(), "-c".as_ref(), config.as_os_str()];
        let mut process = Process::spawn(command, folder.path(), &log)?;
        wait::until("start of knotd", STARTED_WITHIN, || {
            if let Some(status) = process.ended()? {
                let text = fs::read_to_string(&log)?;
                return Err(io::Error::other(format!("start of knotd: {status}\n{text}")));
            }
            let is_ready =
                |zone: &KnotZone<'_>| zone.records.is_none() || has_zone(address, zone.name).unwrap_or(false);
            let listens = TcpStream::connect(address).is_ok();
            Ok((listens && zones.iter().all(is_ready)).then_some(()))
        })?;
        Ok(Self {
            _process: process,
            address,
            _folder: folder,
        })
    }

    /// Where it answers, over UDP and TCP.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn configuration(folder: &Path, address: SocketAddr, zones: &[KnotZone<'_>]) -> String {
    let (folder, ip, port) = (folder.display(), address.ip(), address.port());
    let mut text = format!(
        "server:\n    rundir: \"{folder}\"\n    listen: {ip}@{port}\n    udp-workers: 1\n    tcp-workers: 1\n    \
         background-workers: 1\nlog:\n  - target: stderr\n    any: info\n\
         database:\n    storage: \"{folder}\"\nzone:\n"
    );
    for zone in zones {
        text += &format!(
            "  - domain: \"{name}\"\n    file: \"{folder}/{name}.zone\"\n",
            name = zone.name
        );
    }
    text
}

/// Whether the server at `address` has `zone`: asks for its SOA over TCP.
fn has_zone(address: SocketAddr, zone: &str) -> io::Result<bool> {
    // Number 1, one question, no flags.
    let mut question = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in zone.split('.') {
        question.push(u8::try_from(label.len()).map_err(io::Error::other)?);
        question.extend(label.as_bytes());
    }
    // The end of the name, type SOA, class IN.
    question.extend([0, 0, 6, 0, 1]);
    let length = u16::try_from(question.len()).map_err(io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&address, ANSWERED_WITHIN)?;
    stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
    stream.write_all(&[&length.to_be_bytes()[..], &question].concat())?;
    // The length, then number, flags, and counts of questions and answers.
    let mut answer = [0; 10];
    stream.read_exact(&mut answer)?;
    let (code, answers) = (answer[5] & 0x0f, u16::from_be_bytes([answer[8], answer[9]]));
    Ok(code == 0 && answers > 0)
}
