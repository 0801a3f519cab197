//! The other side of `HlrService`: any [`Provider`] of ours, such as the simulator, offered to others.

use std::{io, net::SocketAddr, pin::Pin, sync::Arc};

use futures::{Stream, StreamExt, future};
use service::Stop;
use signalbox_proto::{
    pb::signalbox::hlr::v1::{
        self as pb,
        hlr_service_server::{HlrService, HlrServiceServer},
        lookup_result,
    },
    server::{Tls, TlsError, causes, with_reflection, with_tls},
};
use sms::Msisdn;
use source::Secret;
use tonic::{Request, Response, Status, Streaming, metadata::MetadataMap, transport::server::TcpIncoming};

use super::{FRAME_NUMBERS_MAX, wire};
use crate::{Failure, Provider, Reply};

/// Frames of one stream that are under way.
const FRAMES_MAX: usize = 16;
/// Calls of one connection at a time.
const CALLS_MAX: u32 = 1_024;
/// Largest request read, in octets: a full frame has some 10 KB.
const REQUEST_OCTETS_MAX: usize = 64 * 1_024;

/// Where to listen, and whom to answer.
#[derive(Clone, Debug)]
pub struct HlrServerConfig {
    /// The address; port 0 takes any that is free.
    pub address: SocketAddr,
    /// What callers show as a bearer; `None` = nobody is asked.
    pub token: Option<Secret>,
    /// The server's identity; `None` = plain text.
    pub tls: Option<Tls>,
}

/// Why it does not serve.
#[derive(Debug, thiserror::Error)]
pub enum HlrServerError {
    /// It has no identity to show to callers.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The server failed.
    #[error("gRPC server: {0}")]
    Transport(String),
}

/// A provider that listens and does not answer yet.
pub struct HlrServer {
    service: Service,
    server: tonic::transport::Server,
    incoming: TcpIncoming,
    address: SocketAddr,
}

impl HlrServer {
    /// Listens for questions to `provider`. To be called within a runtime.
    ///
    /// # Errors
    /// The identity or the address; nothing listens then.
    pub fn bind(config: &HlrServerConfig, provider: Arc<dyn Provider>) -> Result<Self, HlrServerError> {
        let server = with_tls(tonic::transport::Server::builder(), config.tls.as_ref())?;
        let failed = |error| HlrServerError::Listen {
            address: config.address,
            error,
        };
        let incoming = TcpIncoming::bind(config.address)
            .map_err(failed)?
            .with_nodelay(Some(true));
        Ok(Self {
            service: Service {
                provider,
                token: config.token.clone(),
            },
            server: server.max_concurrent_streams(CALLS_MAX),
            address: incoming.local_addr().map_err(failed)?,
            incoming,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is asked for and the calls under way are answered.
    ///
    /// # Errors
    /// The server failed.
    pub async fn run(mut self, stop: Stop) -> Result<(), HlrServerError> {
        let service = HlrServiceServer::new(self.service).max_decoding_message_size(REQUEST_OCTETS_MAX);
        let router = with_reflection(self.server.add_service(service)).expect("our descriptors are whole");
        let served = router
            .serve_with_incoming_shutdown(self.incoming, stop.requested())
            .await;
        served.map_err(|error| HlrServerError::Transport(causes(&error)))
    }
}

/// What answers the calls.
#[derive(Clone)]
struct Service {
    provider: Arc<dyn Provider>,
    token: Option<Secret>,
}

impl Service {
    fn check(&self, metadata: &MetadataMap) -> Result<(), Status> {
        let Some(token) = &self.token else { return Ok(()) };
        let shown = metadata.get("authorization").and_then(|value| value.to_str().ok());
        let shown = shown
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        if is_same(shown.as_bytes(), token.reveal().as_bytes()) {
            Ok(())
        } else {
            Err(Status::unauthenticated("the secret is missing or wrong"))
        }
    }

    /// One result for each number of a frame.
    async fn frame(self, request: pb::LookupStreamRequest) -> Result<pb::LookupStreamResponse, Status> {
        let count = request.numbers.len();
        if !(1..=FRAME_NUMBERS_MAX).contains(&count) {
            let why = format!("a frame has {count} numbers, allowed are 1 to {FRAME_NUMBERS_MAX}");
            return Err(Status::invalid_argument(why));
        }
        let numbers = request
            .numbers
            .iter()
            .map(|number| read(number))
            .collect::<Result<Vec<_>, _>>()?;
        let calls = numbers
            .chunks(self.provider.terms().numbers_max.max(1))
            .map(|part| self.provider.ask(part));
        let replies = future::join_all(calls).await.into_iter().flatten();
        let results = replies.zip(&numbers).map(|(reply, number)| pb::LookupResult {
            result: Some(match reply {
                Ok(reply) => lookup_result::Result::Number(wire::info(&reply, number)),
                Err(failure) => lookup_result::Result::Problem(wire::problem(&failure)),
            }),
        });
        Ok(pb::LookupStreamResponse {
            sequence: request.sequence,
            results: results.collect(),
        })
    }
}

#[tonic::async_trait]
impl HlrService for Service {
    type LookupStreamStream = Pin<Box<dyn Stream<Item = Result<pb::LookupStreamResponse, Status>> + Send>>;

    async fn lookup(&self, request: Request<pb::LookupRequest>) -> Result<Response<pb::LookupResponse>, Status> {
        self.check(request.metadata())?;
        let number = read(&request.get_ref().number)?;
        let asked = [number];
        let reply = self.provider.ask(&asked).await.pop();
        let reply: Result<Reply, Failure> = reply.expect("a provider gives one result for each number");
        let info = reply
            .map(|reply| wire::info(&reply, &asked[0]))
            .map_err(|failure| wire::status(&failure))?;
        Ok(Response::new(pb::LookupResponse { number: Some(info) }))
    }

    async fn lookup_stream(
        &self,
        request: Request<Streaming<pb::LookupStreamRequest>>,
    ) -> Result<Response<Self::LookupStreamStream>, Status> {
        self.check(request.metadata())?;
        let service = self.clone();
        let frames = request.into_inner().map(move |frame| {
            let service = service.clone();
            async move { service.frame(frame?).await }
        });
        // What is wrong with one frame ends the stream, since nobody would know which one it was.
        let responses = frames.buffer_unordered(FRAMES_MAX).scan(false, |has_failed, response| {
            let goes_on = !std::mem::replace(has_failed, response.is_err());
            future::ready(goes_on.then_some(response))
        });
        Ok(Response::new(Box::pin(responses)))
    }
}

fn read(number: &str) -> Result<Msisdn, Status> {
    Msisdn::new(number).map_err(|error| Status::invalid_argument(error.to_string()))
}

/// Takes as long whatever differs, so that nobody learns a secret by the time it takes to refuse it.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let differs = one
        .iter()
        .zip(other)
        .fold(0, |differs, (one, other)| differs | (one ^ other));
    one.len() == other.len() && differs == 0
}
