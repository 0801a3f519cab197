//! A provider that speaks `HlrService` over gRPC.

mod server;
mod wire;

use std::{fs, path::PathBuf, time::Duration};

use futures::{
    future::{BoxFuture, FutureExt},
    stream,
};
use signalbox_proto::{
    pb::signalbox::hlr::v1::{self as pb, hlr_service_client::HlrServiceClient, lookup_result},
    server::causes,
};
use sms::Msisdn;
use source::Secret;
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity},
};
use web::discreet;

pub use self::server::{HlrServer, HlrServerConfig, HlrServerError};
use self::wire::Trouble;
use super::{BuildError, Failure, Provider, ProviderConfig, Reply, Terms};

/// Numbers of one frame.
pub(super) const FRAME_NUMBERS_MAX: usize = 500;
/// Largest response read, in octets: a full frame has some 60 KB.
const RESPONSE_OCTETS_MAX: usize = 512 * 1_024;
/// Longest wait for a connection, also when whoever wanted it has given up: the next question begins another.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);
/// A connection is asked for a sign of life this often …
const KEEPALIVE: Duration = Duration::from_secs(15);
/// … and given up when none comes.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(5);

/// Where the provider is, and who we are there. Shows no secret in Debug.
#[derive(Clone, Debug)]
pub struct GrpcConfig {
    /// `https://host:port`, or `http://host:port` in plain text.
    pub url: String,
    /// Shown as a bearer; `None` = nobody is asked.
    pub token: Option<Secret>,
    /// Authorities that its certificate is checked against, PEM; `None` = those of this machine.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key, PEM; `None` = we show none.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// A provider that speaks `HlrService`: one number by `Lookup`, more by a frame of `LookupStream`.
#[derive(Debug)]
pub struct GrpcProvider {
    terms: Terms,
    timeout: Duration,
    client: HlrServiceClient<Channel>,
    bearer: Option<MetadataValue<Ascii>>,
    secrets: Vec<Secret>,
}

impl GrpcProvider {
    /// A provider as `grpc` says; connects when it is asked. To be called within a runtime.
    ///
    /// # Errors
    /// A file, or what is in it.
    pub fn new(config: &ProviderConfig, grpc: &GrpcConfig) -> Result<Self, BuildError> {
        let failed = |why| BuildError {
            name: config.name.clone(),
            why,
        };
        let channel = channel(grpc).map_err(failed)?;
        let bearer = grpc.token.as_ref().map(|token| {
            let value = format!("Bearer {}", token.reveal()).parse::<MetadataValue<Ascii>>();
            let mut value = value.map_err(|_| "the token has a character that no header may have".to_owned())?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Self {
            terms: Terms::of(config, config.numbers_max.min(FRAME_NUMBERS_MAX)),
            timeout: config.timeout,
            client: HlrServiceClient::new(channel).max_decoding_message_size(RESPONSE_OCTETS_MAX),
            bearer: bearer.transpose().map_err(failed)?,
            secrets: grpc.token.iter().cloned().collect(),
        })
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        // The provider need not work for longer than that.
        request.set_timeout(self.timeout);
        if let Some(bearer) = &self.bearer {
            request.metadata_mut().insert("authorization", bearer.clone());
        }
        request
    }

    async fn ask_one(&self, number: &Msisdn) -> Result<Reply, Failure> {
        let message = pb::LookupRequest {
            number: number.digits().to_owned(),
        };
        match self.client.clone().lookup(self.request(message)).await {
            Ok(response) => match response.into_inner().number {
                Some(info) => wire::reply(&info, number, &self.secrets),
                None => Err(empty()),
            },
            Err(status) => self.trouble(&status),
        }
    }

    async fn ask_many(&self, numbers: &[Msisdn]) -> Vec<Result<Reply, Failure>> {
        let message = pb::LookupStreamRequest {
            sequence: 1,
            numbers: numbers.iter().map(|number| number.digits().to_owned()).collect(),
        };
        match self.frame(message).await {
            Ok(results) if results.len() == numbers.len() => {
                let pairs = results.iter().zip(numbers);
                pairs.map(|(result, number)| self.result(result, number)).collect()
            }
            Ok(results) => {
                let why = format!("it gave {} results for {} numbers", results.len(), numbers.len());
                vec![Err(Failure::Garbled(why)); numbers.len()]
            }
            Err(status) => vec![self.trouble(&status); numbers.len()],
        }
    }

    /// Sends one frame and waits for the response to it.
    async fn frame(&self, message: pb::LookupStreamRequest) -> Result<Vec<pb::LookupResult>, Status> {
        let sequence = message.sequence;
        let request = self.request(stream::once(std::future::ready(message)));
        let mut responses = self.client.clone().lookup_stream(request).await?.into_inner();
        match responses.message().await? {
            Some(response) if response.sequence == sequence => Ok(response.results),
            Some(_) => Err(Status::data_loss("it answered another frame")),
            None => Err(Status::data_loss("it ended the stream without an answer")),
        }
    }

    fn result(&self, result: &pb::LookupResult, number: &Msisdn) -> Result<Reply, Failure> {
        match &result.result {
            Some(lookup_result::Result::Number(info)) => wire::reply(info, number, &self.secrets),
            Some(lookup_result::Result::Problem(problem)) => Trouble::of_number(problem).result(&self.secrets),
            None => Err(empty()),
        }
    }

    fn trouble(&self, status: &Status) -> Result<Reply, Failure> {
        // A status that was not sent but made of a broken connection has its causes beside it.
        match std::error::Error::source(status).and_then(|cause| cause.downcast_ref::<tonic::transport::Error>()) {
            Some(error) => Err(Failure::Away(discreet(&causes(error), &self.secrets))),
            None => Trouble::of_call(status).result(&self.secrets),
        }
    }
}

fn empty() -> Failure {
    Failure::Garbled("its answer is empty".to_owned())
}

fn channel(config: &GrpcConfig) -> Result<Channel, String> {
    let endpoint = Endpoint::from_shared(config.url.clone()).map_err(|error| causes(&error))?;
    let endpoint = endpoint
        .tcp_nodelay(true)
        .connect_timeout(CONNECTED_WITHIN)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE_ANSWER);
    if !config.url.starts_with("https:") {
        return Ok(endpoint.connect_lazy());
    }
    let read = |path: &PathBuf| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let mut tls = match &config.ca {
        Some(ca) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(ca)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    if let Some((certificate, key)) = &config.identity {
        tls = tls.identity(Identity::from_pem(read(certificate)?, read(key)?));
    }
    let endpoint = endpoint.tls_config(tls).map_err(|error| causes(&error))?;
    Ok(endpoint.connect_lazy())
}

impl Provider for GrpcProvider {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        async move {
            match numbers {
                [] => Vec::new(),
                [number] => vec![self.ask_one(number).await],
                numbers => self.ask_many(numbers).await,
            }
        }
        .boxed()
    }
}
