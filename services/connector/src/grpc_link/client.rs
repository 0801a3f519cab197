//! The way to a carrier: its address, our key, TLS, and the streams that are opened over one connection.

use std::{fs, path::Path, time::Duration};

use futures::stream;
use signalbox_proto::{pb::signalbox::carrier::v1::carrier_service_client::CarrierServiceClient, server::causes};
use tokio::sync::mpsc;
use tonic::{
    Code, Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};

use super::{GrpcConfig, words::Words};

/// Longest wait for a connection to be taken, and for the first response over it.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// A connection is pinged this often by HTTP/2: servers of gRPC end those that are pinged more often than every five minutes, so that
/// signs of life are asked for over `Submit` …
const PING: Duration = Duration::from_secs(310);
/// … and one that does not answer a ping for so long is given up.
const PING_ANSWER: Duration = Duration::from_secs(10);
/// Largest message read, in octets.
const MESSAGE_OCTETS_MAX: usize = 1024 * 1024;
/// Octets that a stream may have on its way to us …
const STREAM_OCTETS: u32 = 1024 * 1024;
/// … and all of them together. What one leaves unread keeps nothing from the others.
const CONNECTION_OCTETS: u32 = 4 * STREAM_OCTETS;

/// Why there is no stream.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// In words, fit for a log.
    pub reason: String,
    /// Whether our key or account was refused, so that trying again soon helps nobody.
    pub is_refused: bool,
}

/// A connection, and how calls over it say who we are. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// The calls.
    pub calls: CarrierServiceClient<Channel>,
    bearer: Option<MetadataValue<Ascii>>,
}

impl Client {
    /// Connects. Files are read anew, so that a renewed certificate is shown from the next connection on.
    pub(super) async fn connect(config: &GrpcConfig, words: &Words) -> Result<Self, Failure> {
        let failed = |reason: String| Failure {
            reason: words.of_connection(&reason),
            is_refused: false,
        };
        let endpoint = endpoint(config).map_err(failed)?;
        let bearer = bearer(config).map_err(failed)?;
        let channel = endpoint.connect().await.map_err(|error| failed(causes(&error)))?;
        let calls = CarrierServiceClient::new(channel).max_decoding_message_size(MESSAGE_OCTETS_MAX);
        Ok(Self { calls, bearer })
    }

    /// `message` as a call of ours.
    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(bearer) = &self.bearer {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        request
    }

    /// A stream of ours that begins with `first`, and where further messages go. One at a time: what the carrier has no room for
    /// stays with us, and is known not to have been sent.
    pub(super) fn stream<T: Send + 'static>(
        &self,
        first: T,
    ) -> (
        mpsc::Sender<T>,
        Request<impl futures::Stream<Item = T> + Send + 'static>,
    ) {
        let (messages, mut taken) = mpsc::channel(1);
        messages
            .try_send(first)
            .expect("the channel is new and has room for one");
        let taken = stream::poll_fn(move |context| taken.poll_recv(context));
        (messages, self.request(taken))
    }
}

/// Whether `status` refuses who we are.
pub(super) fn is_refusal(status: &Status) -> bool {
    matches!(status.code(), Code::Unauthenticated | Code::PermissionDenied) && !is_broken(status)
}

/// Whether `status` was not sent by the carrier, but made of a broken connection.
pub(super) fn is_broken(status: &Status) -> bool {
    std::error::Error::source(status).is_some()
}

fn endpoint(config: &GrpcConfig) -> Result<Endpoint, String> {
    let endpoint = Endpoint::from_shared(config.url.clone()).map_err(|error| causes(&error))?;
    let endpoint = endpoint
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_LIMIT)
        .http2_keep_alive_interval(PING)
        .keep_alive_timeout(PING_ANSWER)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_OCTETS)
        .initial_connection_window_size(CONNECTION_OCTETS);
    if !config.url.starts_with("https:") {
        return Ok(endpoint);
    }
    let read = |path: &Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let tls = config.tls.clone().unwrap_or_default();
    let mut client = match &tls.ca {
        Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let Some((certificate, key)) = &tls.identity {
        client = client.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    if let Some(name) = &tls.server_name {
        client = client.domain_name(name);
    }
    endpoint.tls_config(client).map_err(|error| causes(&error))
}

fn bearer(config: &GrpcConfig) -> Result<Option<MetadataValue<Ascii>>, String> {
    let Some(key) = &config.key else { return Ok(None) };
    let value = format!("Bearer {}", key.reveal()).parse::<MetadataValue<Ascii>>();
    let mut value = value.map_err(|_| "the key has a character that no header may have".to_owned())?;
    value.set_sensitive(true);
    Ok(Some(value))
}
