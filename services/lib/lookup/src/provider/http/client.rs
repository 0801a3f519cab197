//! One HTTP client for a provider: HTTP/1.1 and 2 over rustls, no redirects, no proxies, bounded answers.

use std::{fs, path::Path, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::{Request, StatusCode, body::Incoming, header::RETRY_AFTER};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{Failure, RETRY_AFTER_MAX};

/// Largest answer read, in octets.
pub(in crate::provider) const ANSWER_OCTETS_MAX: usize = 64 * 1_024;
/// How long a connection is kept open while nothing is asked.
const IDLE_FOR: Duration = Duration::from_secs(60);

/// Longest wait for a connection, also when whoever wanted it has given up: the next question begins another.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// A connection of HTTP/2 is asked for a sign of life this often, lest many questions wait on one that is dead …
const KEEPALIVE: Duration = Duration::from_secs(15);
/// … and given up when none comes.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(5);

/// A client that keeps its connections.
#[derive(Clone, Debug)]
pub(super) struct Client(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>);

/// What came back, whatever it says.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

impl Client {
    /// A client that trusts `roots` and keeps up to `idle_max` connections open.
    pub(super) fn new(roots: RootCertStore, idle_max: usize) -> Self {
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
            .build(connector);
        Self(client)
    }

    /// Sends `request` and reads what comes back, up to [`ANSWER_OCTETS_MAX`].
    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
        let answered = self.0.request(request).await;
        let (head, body) = answered.map_err(|error| Failure::Away(causes(&error)))?.into_parts();
        let retry_after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after
            .and_then(|text| text.trim().parse().ok())
            .map(|seconds| Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
        Ok(Answer {
            status: head.status,
            retry_after,
            body: read(body).await?,
        })
    }
}

async fn read(body: Incoming) -> Result<Bytes, Failure> {
    match Limited::new(body, ANSWER_OCTETS_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Failure::Garbled(format!(
            "its answer is longer than {ANSWER_OCTETS_MAX} octets"
        ))),
        Err(error) => Err(Failure::Away(format!("it broke off its answer: {}", causes(&*error)))),
    }
}

/// The authorities in `ca`, or those of the machine.
///
/// # Errors
/// There are none; in words.
pub(super) fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = match ca {
        Some(path) => from_file(path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        let place = ca.map_or_else(|| "on this machine".to_owned(), |path| format!("in {}", path.display()));
        return Err(format!(
            "there is no certificate of an authority {place}: install ca-certificates or name a file with `ca`"
        ));
    }
    Ok(roots)
}

fn from_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let found: Result<_, _> = CertificateDer::pem_slice_iter(&text).collect();
    found.map_err(|error| format!("{}: {error}", path.display()))
}

/// The error with its causes, since the outermost says little.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}
