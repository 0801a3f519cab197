//! The bad provider: HTTP on the loopback that is well, slow, broken, gone or lying, as it is told.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use anyhow::Context as _;
use service::{Tasks, time};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Builder,
    sync::watch,
};

use super::{land::moved, lies};

/// How long it takes while it is slow: more than a router waits for anybody.
const SLOW: Duration = Duration::from_secs(3);
/// Longest request that is read, in octets.
const REQUEST_OCTETS_MAX: usize = 16 * 1_024;
/// Octets of an answer that may wait on a connection, lest a lie of ten megabytes is copied for nobody.
const SEND_BUFFER_OCTETS: u32 = 64 * 1_024;
/// Part of an answer that is all spaces.
const SPACES: [u8; 16_384] = [b' '; 16_384];
/// Connections that may wait to be taken.
const BACKLOG: u32 = 1_024;

/// What the provider is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mood {
    /// Answers at once, and the truth.
    Well,
    /// Answers the truth after three seconds.
    Slow,
    /// Answers with errors of its own.
    Failing,
    /// Nobody listens.
    Gone,
    /// Answers at once, and never the truth.
    Lying,
}

impl Mood {
    /// Whether an answer is to be believed.
    pub(super) fn is_well(self) -> bool {
        self == Self::Well
    }

    /// What it is called in reports.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "is well",
            Self::Slow => "answers in 3 s",
            Self::Failing => "answers HTTP 5xx",
            Self::Gone => "refuses connections",
            Self::Lying => "lies",
        }
    }
}

/// A provider that runs for as long as it is kept.
pub(super) struct Provider {
    pub(super) address: SocketAddr,
    mood: watch::Sender<Mood>,
    heard: Arc<Heard>,
    _tasks: Tasks,
}

/// What it was asked.
#[derive(Debug, Default)]
struct Heard {
    /// Requests.
    asked: AtomicU64,
    /// Of them those that a redirect led here: our secrets were sent along.
    followed: AtomicU64,
}

impl Provider {
    /// A provider that is well.
    ///
    /// # Errors
    /// No port is free.
    pub(super) fn start() -> anyhow::Result<Self> {
        // A thread of its own: what it does with its lies must not delay those who take the times.
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?
        };
        let address = listener.local_addr()?;
        let (mood, moods) = watch::channel(Mood::Well);
        let heard = Arc::new(Heard::default());
        let mut tasks = Tasks::new();
        let serving = serve(listener, address, moods, Arc::clone(&heard));
        tasks.spawn_blocking(move || runtime.block_on(serving));
        Ok(Self {
            address,
            mood,
            heard,
            _tasks: tasks,
        })
    }

    /// Is like that from now on.
    pub(super) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// Requests so far.
    pub(super) fn asked(&self) -> u64 {
        self.heard.asked.load(Relaxed)
    }

    /// Requests that followed its redirects.
    pub(super) fn followed(&self) -> u64 {
        self.heard.followed.load(Relaxed)
    }
}

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // The same port again, after it was gone.
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_OCTETS)?;
    socket.bind(address).context("the bad provider finds no port")?;
    Ok(socket.listen(BACKLOG)?)
}

/// Takes connections; while it is gone there is neither a listener nor a connection.
async fn serve(listener: TcpListener, address: SocketAddr, mut moods: watch::Receiver<Mood>, heard: Arc<Heard>) {
    let mut listener = Some(listener);
    let mut connections = Tasks::new();
    loop {
        let is_gone = *moods.borrow_and_update() == Mood::Gone;
        if is_gone {
            (listener, connections) = (None, Tasks::new());
        } else if listener.is_none() {
            listener = Some(listen(address).expect("its port is kept for it"));
        }
        // All arms are cancel-safe.
        tokio::select! { biased;
            changed = moods.changed() => if changed.is_err() {
                return;
            },
            Some(_) = connections.join_next() => {}
            Some(stream) = accept(listener.as_ref()) => {
                let connection = Connection { stream, moods: moods.clone(), heard: Arc::clone(&heard), octets: Vec::new() };
                connections.spawn(connection.run());
            }
        }
    }
}

/// The next connection; `None` = there is none.
async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    let (stream, _) = listener?.accept().await.ok()?;
    Some(stream)
}

struct Connection {
    stream: TcpStream,
    moods: watch::Receiver<Mood>,
    heard: Arc<Heard>,
    /// Read and not yet answered.
    octets: Vec<u8>,
}

impl Connection {
    /// Answers until the client goes away, or a lie ends it.
    async fn run(mut self) {
        while let Some(request) = self.request().await {
            let answer = self.answer(&request).await;
            if self.write(&answer).await.is_err() || answer.is_last {
                break;
            }
        }
    }

    async fn write(&mut self, answer: &lies::Answer) -> io::Result<()> {
        self.stream.write_all(&answer.octets).await?;
        let mut left = answer.spaces;
        while left > 0 {
            let count = left.min(SPACES.len());
            self.stream.write_all(&SPACES[..count]).await?;
            left -= count;
        }
        Ok(())
    }

    /// The next request, head alone: nobody sends more here. `None` = there is none.
    async fn request(&mut self) -> Option<String> {
        loop {
            let end = self.octets.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head: Vec<_> = self.octets.drain(..end + 4).collect();
                return String::from_utf8(head).ok();
            }
            if self.octets.len() > REQUEST_OCTETS_MAX || self.stream.read_buf(&mut self.octets).await.ok()? == 0 {
                return None;
            }
        }
    }

    async fn answer(&self, request: &str) -> lies::Answer {
        let path = request.split(' ').nth(1).unwrap_or_default();
        let asked = self.heard.asked.fetch_add(1, Relaxed);
        if path.starts_with(lies::TRAP) {
            self.heard.followed.fetch_add(1, Relaxed);
        }
        let number = path.rsplit('/').next().unwrap_or_default();
        let mood = *self.moods.borrow();
        match mood {
            Mood::Well | Mood::Gone => lies::truth(number, moved(number)),
            Mood::Slow => {
                time::sleep(SLOW).await;
                lies::truth(number, moved(number))
            }
            Mood::Failing => lies::failure(asked),
            Mood::Lying => lies::lie(asked, request, number),
        }
    }
}
