//! A carrier whose every answer a test decides, over real TCP.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::BytesMut;
use service::Tasks;
use smpp::{BindKind, Deliver, Input, Output, ServerConfig, Session, Status, Submit};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// What the carrier says to a message: a status, its id, and receipts that follow.
pub(super) struct Says {
    pub status: Status,
    pub id: String,
    pub receipts: Vec<Deliver>,
    /// Whether the connection is cut instead.
    pub is_cut: bool,
}

impl Says {
    pub(super) fn taken(id: impl Into<String>) -> Self {
        Self {
            status: Status::ROK,
            id: id.into(),
            receipts: Vec::new(),
            is_cut: false,
        }
    }

    /// The connection that it came by is cut, and nothing is said.
    pub(super) fn cut() -> Self {
        Self {
            is_cut: true,
            ..Self::taken("")
        }
    }

    pub(super) fn refused(status: Status) -> Self {
        Self {
            status,
            ..Self::taken("")
        }
    }

    pub(super) fn then(mut self, receipt: Deliver) -> Self {
        self.receipts.push(receipt);
        self
    }
}

type Decide = dyn Fn(&Submit) -> Says + Send + Sync;

/// Everything it saw.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<(BindKind, usize, Submit)>>>);

impl Seen {
    /// Messages, in the order of arrival.
    pub(super) fn submits(&self) -> Vec<Submit> {
        let seen = self.0.lock().unwrap();
        seen.iter().map(|(_, _, submit)| submit.clone()).collect()
    }

    /// By which bind each message came: its kind, and its number among the connections.
    pub(super) fn binds(&self) -> Vec<(BindKind, usize)> {
        let seen = self.0.lock().unwrap();
        seen.iter().map(|(kind, number, _)| (*kind, *number)).collect()
    }
}

/// A carrier that runs until dropped.
pub(super) struct Peer {
    pub address: SocketAddr,
    pub seen: Seen,
    owed: Owed,
    _tasks: Tasks,
}

impl Peer {
    pub(super) async fn start(decide: impl Fn(&Submit) -> Says + Send + Sync + 'static) -> Self {
        Self::start_with(None, decide).await
    }

    /// One that speaks TLS where it is told how.
    pub(super) async fn start_with(
        tls: Option<TlsAcceptor>,
        decide: impl Fn(&Submit) -> Says + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, owed) = (Seen::default(), Owed::default());
        let mut tasks = Tasks::new();
        tasks.spawn(accept(
            (listener, tls),
            Arc::new(decide),
            seen.clone(),
            Arc::clone(&owed),
        ));
        Self {
            address,
            seen,
            owed,
            _tasks: tasks,
        }
    }

    /// Sends a receipt over whichever bind takes one.
    pub(super) fn deliver(&self, receipt: Deliver) {
        self.owed.lock().unwrap().push_back(receipt);
    }
}

/// Receipts that wait for a bind that takes them.
type Owed = Arc<Mutex<VecDeque<Deliver>>>;

async fn accept((listener, tls): (TcpListener, Option<TlsAcceptor>), decide: Arc<Decide>, seen: Seen, owed: Owed) {
    let mut links = Tasks::new();
    for number in 0.. {
        let (stream, _) = listener.accept().await.unwrap();
        let (decide, seen, owed) = (Arc::clone(&decide), seen.clone(), Arc::clone(&owed));
        match tls.clone() {
            None => links.spawn(serve((stream, number), decide, seen, owed)),
            Some(tls) => links.spawn(async move {
                // Who is turned away here comes again, or does not.
                if let Ok(stream) = tls.accept(stream).await {
                    serve((stream, number), decide, seen, owed).await;
                }
            }),
        };
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    (mut stream, number): (S, usize),
    decide: Arc<Decide>,
    seen: Seen,
    owed: Owed,
) {
    let mut session = Session::server(ServerConfig::new("carrier")).unwrap();
    let (mut inputs, mut kind, mut tag) = (vec![Input::Opened], BindKind::Transceiver, 0);
    loop {
        let mut outputs = Vec::new();
        session.handle_all(Duration::ZERO, inputs.drain(..), &mut outputs);
        for output in outputs {
            match output {
                Output::Write(octets) => {
                    let _ = stream.write_all(&octets).await;
                    let _ = stream.flush().await;
                }
                Output::BindAsked { ticket, bind } => {
                    kind = bind.kind;
                    inputs.push(Input::accept(ticket));
                }
                Output::Submitted { ticket, submit } => {
                    let Says {
                        status,
                        id,
                        receipts,
                        is_cut,
                    } = decide(&submit);
                    seen.0.lock().unwrap().push((kind, number, submit));
                    if is_cut {
                        return;
                    }
                    let message_id = id;
                    inputs.push(Input::Answer {
                        ticket,
                        status,
                        message_id,
                    });
                    owed.lock().unwrap().extend(receipts);
                }
                Output::Close(_) => return,
                _ => {}
            }
        }
        if inputs.is_empty() && session.is_bound() && kind.can_deliver() {
            let due = std::mem::take(&mut *owed.lock().unwrap());
            inputs.extend(due.into_iter().map(|deliver| {
                tag += 1;
                Input::Deliver {
                    tag,
                    deliver,
                    timeout: Duration::from_secs(3_600),
                }
            }));
        }
        if inputs.is_empty() {
            inputs.push(read(&mut stream).await);
        }
    }
}

/// What comes next; a tick where nothing does, so that receipts of other binds are seen.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Input {
    let mut read = BytesMut::new();
    match service::time::timeout(Duration::from_millis(20), stream.read_buf(&mut read)).await {
        None => Input::Tick,
        Some(Ok(count)) if count > 0 => Input::Octets(read.freeze()),
        Some(_) => Input::Closed,
    }
}
