//! One HTTP client: HTTP/1.1 and 2 over rustls, no redirects, no proxies, bounded answers.

use std::{error::Error, fmt, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{
    Method, StatusCode, Uri,
    body::Incoming,
    header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tower_service::Service as _;

/// Largest answer read, in octets.
pub const ANSWER_OCTETS_MAX: usize = 64 * 1_024;
/// How long a connection is kept open while nothing is asked.
const IDLE_FOR: Duration = Duration::from_secs(60);

/// Longest wait for a connection, also when whoever wanted it has given up: the next question begins another.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// A connection of HTTP/2 is asked for a sign of life this often, lest many questions wait on one that is dead …
const KEEPALIVE: Duration = Duration::from_secs(15);
/// … and given up when none comes.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(5);

/// A client that keeps its connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    client: legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    connector: HttpsConnector<HttpConnector>,
}

/// What is asked. Shows nothing but its method: address, headers and body may hold secrets and numbers.
#[derive(Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where: scheme, host and path.
    pub url: String,
    /// Headers as they go out.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// What follows them; empty = nothing.
    pub body: Bytes,
}

/// What came back, whatever it says.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// How long the server asks to be left alone, in whole seconds; absent = it does not, or not so that it is understood.
    pub retry_after: Option<Duration>,
    /// What follows the headers, or why it did not come whole.
    pub body: Result<Bytes, Broken>,
}

/// Why an answer did not come whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is longer than [`ANSWER_OCTETS_MAX`].
    #[error("its answer is longer than {ANSWER_OCTETS_MAX} octets")]
    Length,
    /// The connection ended in the midst of it.
    #[error("it broke off its answer: {0}")]
    Off(String),
}

/// Why no answer came. The words may repeat the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Address or headers are none; nothing was sent.
    #[error("the address is none once it is filled in")]
    Request,
    /// No connection was made; nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// A connection was there, and the request may have arrived.
    #[error("{0}")]
    Lost(String),
}

impl Client {
    /// A client that trusts `roots` and keeps up to `idle_max` connections open.
    pub fn new(roots: RootCertStore, idle_max: usize) -> Self {
        let builder = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3");
        let tls = builder.with_root_certificates(roots).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECTED_WITHIN));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let client = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(idle_max)
            .http2_keep_alive_interval(KEEPALIVE)
            .http2_keep_alive_timeout(KEEPALIVE_ANSWER)
            .http1_max_buf_size(ANSWER_OCTETS_MAX)
            .http2_max_header_list_size(u32::try_from(ANSWER_OCTETS_MAX).expect("it fits"))
            .build(connector.clone());
        Self { client, connector }
    }

    /// Sends `request` and reads what comes back, up to [`ANSWER_OCTETS_MAX`].
    ///
    /// # Errors
    /// No answer came; the failure says whether the request may have arrived.
    pub async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let mut whole = hyper::Request::builder().method(request.method).uri(request.url);
        if let Some(headers) = whole.headers_mut() {
            headers.extend(request.headers.into_iter().map(|(name, value)| (Some(name), value)));
        }
        let whole = whole.body(Full::from(request.body)).map_err(|_| Failure::Request)?;
        let (head, body) = self
            .client
            .request(whole)
            .await
            .map_err(|error| failure(&error))?
            .into_parts();
        Ok(Answer {
            status: head.status,
            retry_after: retry_after(&head.headers),
            body: read(body).await,
        })
    }

    /// Makes a connection to the host of `url`, with TLS where that says so, and drops it.
    ///
    /// # Errors
    /// There is none; in words.
    pub async fn knock(&self, url: &str) -> Result<(), String> {
        let uri: Uri = url.parse().map_err(|_| Failure::Request.to_string())?;
        let mut connector = self.connector.clone();
        let connected = match std::future::poll_fn(|cx| connector.poll_ready(cx)).await {
            Ok(()) => connector.call(uri).await,
            Err(error) => Err(error),
        };
        connected.map(drop).map_err(|error| causes(&*error))
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

fn failure(error: &legacy::Error) -> Failure {
    match error.is_connect() {
        true => Failure::Connect(causes(error)),
        false => Failure::Lost(causes(error)),
    }
}

/// Seconds, or how far a date lies behind that of the answer, by the server's own clock (RFC 9110 §10.2.3); `None` = neither,
/// or a date in an answer that has none itself.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let written = text(RETRY_AFTER)?;
    if let Ok(seconds) = written.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let instant = |written| jiff::fmt::rfc2822::parse(written).ok().map(|date| date.timestamp());
    let (until, now) = (instant(written)?, instant(text(DATE)?)?);
    u64::try_from(until.as_second() - now.as_second())
        .ok()
        .map(Duration::from_secs)
}

async fn read(body: Incoming) -> Result<Bytes, Broken> {
    match Limited::new(body, ANSWER_OCTETS_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Broken::Length),
        Err(error) => Err(Broken::Off(causes(&*error))),
    }
}

/// The error with its causes, since the outermost says little.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
