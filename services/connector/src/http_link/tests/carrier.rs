//! A carrier over HTTP on the loopback: answers octet for octet what the test says, when it says so.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use service::{Tasks, time};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::PATIENCE;

type Answer = dyn Fn(&str) -> Vec<u8> + Send + Sync;

/// Answers one request on each connection and hangs up.
pub(super) struct Carrier {
    pub(super) address: SocketAddr,
    requests: Arc<watch::Sender<Vec<String>>>,
    is_held: Arc<watch::Sender<bool>>,
    _tasks: Tasks,
}

/// Holds answers back until it is opened.
pub(super) struct Gate(Arc<watch::Sender<bool>>);

impl Gate {
    pub(super) fn open(self) {
        self.0.send_replace(false);
    }
}

impl Carrier {
    pub(super) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap(), answer)
    }

    /// The same at a place that was taken before.
    pub(super) fn on(listener: TcpListener, answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let address = listener.local_addr().unwrap();
        let answer: Arc<Answer> = Arc::new(answer);
        let (requests, is_held) = (Arc::new(watch::Sender::default()), Arc::new(watch::Sender::new(false)));
        let (seen, held) = (Arc::clone(&requests), Arc::clone(&is_held));
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            let connections = Mutex::new(Tasks::new());
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, held, answer) = (Arc::clone(&seen), held.subscribe(), Arc::clone(&answer));
                connections.lock().unwrap().spawn(serve(stream, seen, held, answer));
            }
        });
        Self {
            address,
            requests,
            is_held,
            _tasks: tasks,
        }
    }

    /// Every request so far, head and body.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    /// Waits until there were so many.
    pub(super) async fn seen(&self, count: usize) {
        let mut requests = self.requests.subscribe();
        let there = time::timeout(PATIENCE, requests.wait_for(|seen| seen.len() >= count)).await;
        there.expect("the requests come").unwrap();
    }

    /// Answers nothing from now on.
    pub(super) fn hold(&self) -> Gate {
        self.is_held.send_replace(true);
        Gate(Arc::clone(&self.is_held))
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: Arc<watch::Sender<Vec<String>>>,
    mut held: watch::Receiver<bool>,
    answer: Arc<Answer>,
) {
    let mut octets = Vec::new();
    while !is_whole(&octets) {
        let mut more = [0; 4_096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return,
            Ok(count) => octets.extend(&more[..count]),
        }
    }
    let request = String::from_utf8(octets).unwrap();
    let answer = answer(&request);
    seen.send_modify(|seen| seen.push(request));
    if held.wait_for(|is_held| !is_held).await.is_err() {
        return;
    }
    // The link may have hung up on an answer that is too long.
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}

fn is_whole(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    octets.len() >= head.len() + 4 + length.unwrap_or(0)
}

/// A whole answer with `body` as JSON.
pub(super) fn json(status: &str, body: &str) -> Vec<u8> {
    with_header(status, "", body)
}

/// The same with one more header line, such as `retry-after: 1\r\n`.
pub(super) fn with_header(status: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n{header}");
    format!("{head}connection: close\r\n\r\n{body}").into_bytes()
}
