//! A provider over HTTP on the loopback that answers what the test says, well or badly.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use service::Tasks;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Answers every request with what `answer` makes of it, octet for octet, and closes.
pub(crate) struct Answering {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: Tasks,
}

type Answer = dyn Fn(&str) -> Vec<u8> + Send + Sync;

impl Answering {
    pub(crate) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::with(answer, None).await
    }

    /// The same behind TLS.
    #[allow(dead_code, reason = "not every test that has a provider has one behind TLS")]
    pub(crate) async fn over_tls(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, tls: TlsAcceptor) -> Self {
        Self::with(answer, Some(tls)).await
    }

    async fn with(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer): (_, Arc<Answer>) = (Arc::clone(&requests), Arc::new(answer));
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            let mut connections = Tasks::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (seen, answer, tls) = (Arc::clone(&seen), Arc::clone(&answer), tls.clone());
                connections.spawn(async move {
                    match tls {
                        None => serve(stream, seen, answer).await,
                        // A client that trusts nobody here goes away during the handshake.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, seen, answer).await;
                            }
                        }
                    }
                });
            }
        });
        Self {
            address,
            requests,
            _tasks: tasks,
        }
    }

    /// Every request, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn serve<S>(mut stream: S, seen: Arc<Mutex<Vec<String>>>, answer: Arc<Answer>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
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
    seen.lock().unwrap().push(request);
    // The provider may have hung up on an answer that is too long.
    let _ = stream.write_all(&answer).await;
    let _ = stream.shutdown().await;
}

fn is_whole(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().unwrap())
    });
    body.len() >= length.unwrap_or(0)
}

/// A whole answer with `body` as JSON.
pub(crate) fn json(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
