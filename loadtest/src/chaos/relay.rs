//! A wire between a connector and a carrier that can be cut, held up, or left half open.

use std::net::SocketAddr;

use anyhow::Context as _;
use service::Tasks;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Octets read at a time.
const OCTETS: usize = 16 * 1024;

/// What becomes of what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// It arrives.
    Open,
    /// Connections are closed, and new ones at once.
    Cut,
    /// It waits, and arrives when the wire is open again.
    Stalled,
    /// It is lost, and nobody is told: connections stand, and stay deaf for good.
    HalfOpen,
}

/// A running wire. Dropped, it is cut.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    _tasks: Tasks,
}

impl Relay {
    /// Starts a wire to `carrier`.
    ///
    /// # Errors
    /// There is no free port.
    pub(super) async fn start(carrier: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("a wire to a carrier")?;
        let address = listener.local_addr()?;
        let (mode, modes) = watch::channel(Mode::Open);
        let mut tasks = Tasks::new();
        tasks.spawn(accept(listener, carrier, modes));
        Ok(Self {
            address,
            mode,
            _tasks: tasks,
        })
    }

    /// Where the connector finds it.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Does otherwise from now on.
    pub(super) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

async fn accept(listener: TcpListener, carrier: SocketAddr, modes: watch::Receiver<Mode>) {
    let mut wires = Tasks::new();
    loop {
        tokio::select! { biased;
            Some(_) = wires.join_next() => {}
            Ok((near, _)) = listener.accept() => {
                wires.spawn(carry(near, carrier, modes.clone()));
            }
        }
    }
}

/// Carries octets both ways until either end closes, or the wire is cut.
async fn carry(mut near: TcpStream, carrier: SocketAddr, mut modes: watch::Receiver<Mode>) {
    let is_cut = match modes.wait_for(|mode| *mode != Mode::Stalled).await {
        Ok(mode) => *mode == Mode::Cut,
        Err(_) => true,
    };
    if is_cut {
        return;
    }
    let Ok(mut far) = TcpStream::connect(carrier).await else {
        return;
    };
    // Small PDUs must not wait for each other here.
    if near.set_nodelay(true).is_err() || far.set_nodelay(true).is_err() {
        return;
    }
    let (mut out, mut back) = (vec![0; OCTETS], vec![0; OCTETS]);
    loop {
        let mode = *modes.borrow_and_update();
        match mode {
            Mode::Cut => return,
            Mode::HalfOpen => return swallow(near, far, out).await,
            Mode::Open | Mode::Stalled => {}
        }
        let is_open = mode == Mode::Open;
        // Reads are cancel-safe; what was read is written before the next turn.
        let is_alive = tokio::select! { biased;
            changed = modes.changed() => changed.is_ok(),
            read = near.read(&mut out), if is_open => pass(read, &out, &mut far).await,
            read = far.read(&mut back), if is_open => pass(read, &back, &mut near).await,
        };
        if !is_alive {
            return;
        }
    }
}

/// Writes what was read; false = an end is closed.
async fn pass(read: std::io::Result<usize>, octets: &[u8], to: &mut TcpStream) -> bool {
    match read {
        Ok(0) | Err(_) => false,
        Ok(count) => to.write_all(&octets[..count]).await.is_ok(),
    }
}

/// Loses what is sent until the connector gives up; the carrier hears nothing of it until then.
async fn swallow(mut near: TcpStream, far: TcpStream, mut octets: Vec<u8>) {
    while near.read(&mut octets).await.is_ok_and(|count| count > 0) {}
    drop(far);
}

#[cfg(test)]
mod tests;
