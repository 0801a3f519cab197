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
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What the carrier says to a message: a status, its id, and receipts that follow.
pub(super) struct Says {
    pub status: Status,
    pub id: String,
    pub receipts: Vec<Deliver>,
}

impl Says {
    pub(super) fn taken(id: impl Into<String>) -> Self {
        Self {
            status: Status::ROK,
            id: id.into(),
            receipts: Vec::new(),
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
pub(super) struct Seen(Arc<Mutex<Vec<Submit>>>);

impl Seen {
    /// Messages, in the order of arrival.
    pub(super) fn submits(&self) -> Vec<Submit> {
        self.0.lock().unwrap().clone()
    }
}

/// A carrier that runs until dropped.
pub(super) struct Peer {
    pub address: SocketAddr,
    pub seen: Seen,
    _tasks: Tasks,
}

impl Peer {
    pub(super) async fn start(decide: impl Fn(&Submit) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Seen::default();
        let mut tasks = Tasks::new();
        tasks.spawn(accept(listener, Arc::new(decide), seen.clone()));
        Self {
            address,
            seen,
            _tasks: tasks,
        }
    }
}

/// Receipts that wait for a bind that takes them.
type Owed = Arc<Mutex<VecDeque<Deliver>>>;

async fn accept(listener: TcpListener, decide: Arc<Decide>, seen: Seen) {
    let (mut links, owed) = (Tasks::new(), Owed::default());
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        links.spawn(serve(stream, Arc::clone(&decide), seen.clone(), Arc::clone(&owed)));
    }
}

async fn serve(mut stream: TcpStream, decide: Arc<Decide>, seen: Seen, owed: Owed) {
    let mut session = Session::server(ServerConfig::new("carrier")).unwrap();
    let (mut inputs, mut kind, mut tag) = (vec![Input::Opened], BindKind::Transceiver, 0);
    loop {
        let mut outputs = Vec::new();
        session.handle_all(Duration::ZERO, inputs.drain(..), &mut outputs);
        for output in outputs {
            match output {
                Output::Write(octets) => _ = stream.write_all(&octets).await,
                Output::BindAsked { ticket, bind } => {
                    kind = bind.kind;
                    inputs.push(Input::accept(ticket));
                }
                Output::Submitted { ticket, submit } => {
                    let Says { status, id, receipts } = decide(&submit);
                    seen.0.lock().unwrap().push(submit);
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
async fn read(stream: &mut TcpStream) -> Input {
    let mut read = BytesMut::new();
    match service::time::timeout(Duration::from_millis(20), stream.read_buf(&mut read)).await {
        None => Input::Tick,
        Some(Ok(count)) if count > 0 => Input::Octets(read.freeze()),
        Some(_) => Input::Closed,
    }
}
