//! `LinkService` over gRPC: how the links of this connector stand, and what operators order them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use service::{Stop, time};
use signalbox_proto::{
    pb::signalbox::connector::v1::{self as pb, link_service_server::LinkServiceServer},
    server::{Tls, causes, with_reflection, with_tls},
};
use tokio::{net::TcpListener, sync::Semaphore};
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tracing::{info, warn};

use crate::{Config, Error, control::Control, directive::Conduct};
use refusal::Refused;

mod answer;
mod refusal;

/// Calls worked on at once, of all callers together; more are refused.
const CALLS_MAX: usize = 16;
/// Largest request: one name.
const REQUEST_OCTETS_MAX: usize = 64 * 1024;
/// Streams of one connection at a time, those of probes among them.
const STREAMS_MAX: u32 = 64;
/// A connection without traffic is asked for a sign of life this often …
const KEEPALIVE: Duration = Duration::from_secs(30);
/// … and closed when none comes.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);
/// Longest wait for calls in flight when stopping.
const DRAIN_LIMIT: Duration = Duration::from_millis(800);

/// Names under which probes ask for the service; "" asks for the server.
const HEALTH_NAMES: [&str; 2] = ["", "signalbox.connector.v1.LinkService"];

/// Where a connector answers operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkControl {
    /// Address; port 0 lets the system choose.
    pub grpc: SocketAddr,
    /// Certificate and key of that server; absent = plain text.
    pub tls: Option<Tls>,
}

/// A socket that listens for operators, and is not served yet.
pub struct Listener {
    server: Server,
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Reads certificate and key and listens where `config` says. `None` = it says nowhere.
    ///
    /// # Errors
    /// A file, what is in it, or the address.
    pub async fn bind(config: &Config) -> Result<Option<Self>, Error> {
        let Some(LinkControl { grpc: address, tls }) = config.control.clone() else {
            return Ok(None);
        };
        let server = Server::builder()
            .max_concurrent_streams(STREAMS_MAX)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER));
        let server = with_tls(server, tls.as_ref())?;
        let listen = |error| Error::Operators { address, error };
        let socket = TcpListener::bind(address).await.map_err(listen)?;
        let address = socket.local_addr().map_err(listen)?;
        Ok(Some(Self {
            server,
            socket,
            address,
        }))
    }

    /// Where it listens: the port the system chose, if it was to choose one.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop`, then finishes what is in flight.
    pub(crate) async fn serve(self, control: Arc<Control>, stop: Stop) {
        if let Err(error) = self.answer(control, &stop).await {
            warn!(%error, "operators are no longer answered");
        }
    }

    async fn answer(mut self, control: Arc<Control>, stop: &Stop) -> Result<(), Error> {
        let (mut health, health_service) = tonic_health::server::health_reporter();
        report(&health, ServingStatus::Serving).await;
        let service = LinkServiceServer::new(Links::new(control)).max_decoding_message_size(REQUEST_OCTETS_MAX);
        let router = with_reflection(self.server.add_service(health_service))
            .map_err(|error| Error::Transport(error.to_string()))?
            .add_service(service);
        let incoming = TcpIncoming::from(self.socket)
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE));
        let (close, closed) = Stop::new();
        let shutdown = async move { closed.requested().await };
        let mut serving = Box::pin(router.serve_with_incoming_shutdown(incoming, shutdown));
        info!(address = %self.address, "connector answers operators");
        let ended = |ended: Result<(), tonic::transport::Error>| ended.map_err(|it| Error::Transport(causes(&it)));
        tokio::select! {
            biased;
            () = stop.requested() => {}
            over = &mut serving => return ended(over),
        }
        report(&health, ServingStatus::NotServing).await;
        close.request();
        // Watchers of health were told; their streams have no end of their own and would hold the server.
        for name in HEALTH_NAMES {
            health.clear_service_status(name).await;
        }
        time::timeout(DRAIN_LIMIT, serving).await.map_or(Ok(()), ended)
    }
}

async fn report(health: &HealthReporter, status: ServingStatus) {
    for name in HEALTH_NAMES {
        health.set_service_status(name, status).await;
    }
}

/// Answers for the links of one connector.
struct Links {
    control: Arc<Control>,
    calls: Semaphore,
}

impl Links {
    fn new(control: Arc<Control>) -> Self {
        Self {
            control,
            calls: Semaphore::new(CALLS_MAX),
        }
    }

    async fn conduct(&self, name: &str, conduct: Conduct) -> Result<Option<pb::Link>, Refused> {
        let _place = self.calls.try_acquire().map_err(|_| Refused::Busy)?;
        let sheet = self.control.conduct(name, conduct).await?;
        Ok(Some(answer::link(sheet)))
    }

    async fn rate(&self, request: pb::SetRateRequest) -> Result<Option<pb::Link>, Refused> {
        let _place = self.calls.try_acquire().map_err(|_| Refused::Busy)?;
        let sheet = self.control.rate(&request.name, request.parts_per_second).await?;
        Ok(Some(answer::link(sheet)))
    }

    async fn test(&self, name: &str) -> Result<pb::TestLinkResponse, Refused> {
        let _place = self.calls.try_acquire().map_err(|_| Refused::Busy)?;
        let binds = self.control.test(name).await?;
        Ok(pb::TestLinkResponse {
            binds: binds.into_iter().map(answer::test).collect(),
        })
    }
}

#[tonic::async_trait]
impl pb::link_service_server::LinkService for Links {
    async fn list_links(
        &self,
        _request: Request<pb::ListLinksRequest>,
    ) -> Result<Response<pb::ListLinksResponse>, Status> {
        Ok(Response::new(pb::ListLinksResponse {
            links: self.control.all().into_iter().map(answer::link).collect(),
            incarnation: self.control.incarnation.as_str().to_owned(),
            instance: self.control.instance.clone().unwrap_or_default(),
        }))
    }

    async fn pause_link(
        &self,
        request: Request<pb::PauseLinkRequest>,
    ) -> Result<Response<pb::PauseLinkResponse>, Status> {
        let link = self.conduct(&request.get_ref().name, Conduct::Paused).await?;
        Ok(Response::new(pb::PauseLinkResponse { link }))
    }

    async fn resume_link(
        &self,
        request: Request<pb::ResumeLinkRequest>,
    ) -> Result<Response<pb::ResumeLinkResponse>, Status> {
        let link = self.conduct(&request.get_ref().name, Conduct::Open).await?;
        Ok(Response::new(pb::ResumeLinkResponse { link }))
    }

    async fn drain_link(
        &self,
        request: Request<pb::DrainLinkRequest>,
    ) -> Result<Response<pb::DrainLinkResponse>, Status> {
        let link = self.conduct(&request.get_ref().name, Conduct::Drained).await?;
        Ok(Response::new(pb::DrainLinkResponse { link }))
    }

    async fn set_rate(&self, request: Request<pb::SetRateRequest>) -> Result<Response<pb::SetRateResponse>, Status> {
        let link = self.rate(request.into_inner()).await?;
        Ok(Response::new(pb::SetRateResponse { link }))
    }

    async fn test_link(&self, request: Request<pb::TestLinkRequest>) -> Result<Response<pb::TestLinkResponse>, Status> {
        Ok(Response::new(self.test(&request.get_ref().name).await?))
    }
}

#[cfg(test)]
mod tests;
