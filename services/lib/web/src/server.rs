//! A small HTTP server for those who are told things: bounded in connections, heads, bodies and time, so that whoever knocks
//! at it can neither fill memory nor hold a place for ever.

use std::{convert::Infallible, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    body::Incoming,
    header::{CONNECTION, HeaderValue, RETRY_AFTER},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use service::{Tasks, time};
use tokio::net::{TcpListener, TcpStream};

/// Connections open at once; further ones wait in the kernel.
pub const CONNECTIONS_MAX: usize = 256;
/// Largest body read, in octets.
pub const BODY_OCTETS_MAX: usize = 256 * 1_024;
/// Largest head read, in octets.
const HEAD_OCTETS_MAX: usize = 16 * 1_024;
/// Longest wait for a head; an idle connection ends with it.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// Longest wait for the body behind it.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Wait after a connection could not be taken: as a rule the process has too many files open.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// What somebody says. Shows nothing but its method: numbers and secrets may stand anywhere else.
#[derive(Clone)]
pub struct Call {
    /// How.
    pub method: Method,
    /// The path, as it was written.
    pub path: String,
    /// What follows a question mark; empty = nothing.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// What follows them.
    pub body: Bytes,
}

/// What is said to that, without a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: StatusCode,
    /// Seconds after which to try again; absent = not said.
    pub retry_after: Option<u16>,
}

/// Who answers calls.
pub type Answerer = Arc<dyn Fn(Call) -> BoxFuture<'static, Said> + Send + Sync>;

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl From<StatusCode> for Said {
    fn from(status: StatusCode) -> Self {
        Self {
            status,
            retry_after: None,
        }
    }
}

/// Serves what comes at `listener` until it is dropped, and with it every connection.
pub async fn serve(listener: TcpListener, answerer: Answerer) {
    let mut connections = Tasks::new();
    loop {
        tokio::select! {
            biased;
            _ = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if connections.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, _)) => { connections.spawn(connection(stream, Arc::clone(&answerer))); }
                Err(_) => time::sleep(ACCEPT_AGAIN).await,
            },
        }
    }
}

async fn connection(stream: TcpStream, answerer: Answerer) {
    let answer = service_fn(move |request| {
        let answerer = Arc::clone(&answerer);
        async move { Ok::<_, Infallible>(one(request, &answerer).await) }
    });
    let _ = stream.set_nodelay(true);
    // Whoever breaks off has broken off.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_OCTETS_MAX)
        .serve_connection(TokioIo::new(stream), answer)
        .await;
}

async fn one(request: hyper::Request<Incoming>, answerer: &Answerer) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let body = match time::timeout(BODY_WITHIN, Limited::new(body, BODY_OCTETS_MAX).collect()).await {
        Some(Ok(body)) => body.to_bytes(),
        Some(Err(error)) if error.is::<LengthLimitError>() => return last(StatusCode::PAYLOAD_TOO_LARGE),
        Some(Err(_)) => return last(StatusCode::BAD_REQUEST),
        None => return last(StatusCode::REQUEST_TIMEOUT),
    };
    let said = answerer(Call {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
    })
    .await;
    response(said)
}

fn response(said: Said) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = said.status;
    if let Some(seconds) = said.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A response to one who has more to say than is read: the connection ends with it.
fn last(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = response(status.into());
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests;
