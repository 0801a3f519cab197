//! Starting and ending a carrier.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use service::{Stop, StopHandle, Tasks, time};
use smpp::{Deliver, ServerConfig, Session};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::carrier::Carrier;
use super::config::{Behaviour, Config};
use super::counts::Counts;
use super::link::Link;
use super::log::Log;
use super::received::Received;

/// A carrier; see [`Smsc::start`].
#[derive(Debug)]
pub struct Smsc;

/// A running carrier. Dropping it is a kill.
#[derive(Debug)]
pub struct Handle {
    addr: SocketAddr,
    carrier: Arc<Carrier>,
    stop: StopHandle,
    cut: watch::Sender<u64>,
    tasks: Tasks,
}

impl Smsc {
    /// Starts a carrier, which listens when this returns.
    ///
    /// # Errors
    /// The name is too long, the address is taken, or the log cannot be opened; nothing runs then.
    pub async fn start(config: Config) -> anyhow::Result<Handle> {
        Session::server(ServerConfig::new(config.name.clone())).context("name of the carrier")?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("listen on {}", config.listen))?;
        let log = config
            .log
            .as_deref()
            .map(Log::open)
            .transpose()
            .context("log of the carrier")?;
        let addr = listener.local_addr().context("own address")?;
        let carrier = Arc::new(Carrier::new(config, log));
        carrier.flush();
        let (stop, stopped) = Stop::new();
        let (cut, cuts) = watch::channel(0);
        let mut tasks = Tasks::new();
        tasks.spawn(accept(listener, Arc::clone(&carrier), stopped, cuts));
        Ok(Handle {
            addr,
            carrier,
            stop,
            cut,
            tasks,
        })
    }
}

/// Takes connections until the stop, then waits for those that stand.
async fn accept(listener: TcpListener, carrier: Arc<Carrier>, stop: Stop, cuts: watch::Receiver<u64>) {
    let start = time::now();
    let mut links = Tasks::new();
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => break,
            Some(_) = links.join_next() => {}
            // A connection that failed before it stood is the client's to try again.
            Ok((stream, _)) = listener.accept() => {
                if carrier.is_open() {
                    let mut cut = cuts.clone();
                    cut.mark_unchanged();
                    links.spawn(Link::new(Arc::clone(&carrier), start).run(stream, stop.clone(), cut));
                }
            }
        }
    }
    drop(listener);
    links.join_all().await;
}

impl Handle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.carrier.counts()
    }

    /// What it received so far, in order, up to [`Config::keep_max`] messages.
    pub fn received(&self) -> Vec<Received> {
        self.carrier.received()
    }

    /// Hands these messages from handsets to whoever is bound, in order, each once it is taken; see [`inbound`](super::inbound()).
    pub fn deliver(&self, delivers: impl IntoIterator<Item = Deliver>) {
        self.carrier.add_inbound(delivers);
    }

    /// Does otherwise from now on; limits on a connection's life hold for new connections.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.carrier.set_behaviour(behaviour);
    }

    /// Cuts every connection without a word; clients may come back at once.
    pub fn cut(&self) {
        self.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Closed: cuts every connection and each new one at once. Open: takes connections again; receipts have waited.
    pub fn set_open(&self, is_open: bool) {
        self.carrier.set_open(is_open);
        if !is_open {
            self.cut();
        }
    }

    /// Unbinds from every client, waits for what is open, and ends with the log written.
    pub async fn stop(mut self) {
        self.stop.request();
        self.tasks.join_all().await;
        self.carrier.flush();
    }

    /// Ends at once, as if the process had been killed: no answer leaves any more.
    pub fn kill(self) {
        drop(self);
    }
}
