//! `RoutingService` over gRPC: what the router would do just now, from the table in force and the carriers as they stand.
//! Beside it `DeadService`: records that were put aside; and `TableService`: tables that are published.
//!
//! Questions never slow the loops that route: they are worked on one at a time, on a thread of their own, and those beyond
//! [`CALLS_MAX`] are refused.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use service::{Stop, time};
use signalbox_proto::{
    pb::signalbox::routing::v1::{
        dead_service_server::DeadServiceServer, routing_service_server::RoutingServiceServer,
        table_service_server::TableServiceServer,
    },
    server::{Tls, causes, with_reflection, with_tls},
};
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};
use tonic_health::{ServingStatus, server::HealthReporter};
use tracing::{info, warn};

use crate::{Config, Error, Tables, desk::Desk, metrics};

mod answer;
mod dead;
mod error;
mod lookup;
mod query;
mod questions;
mod tables;

pub use dead::{PAGE_MAX, REPLAYS_MAX};
pub use lookup::looked_up;
pub use questions::{CALLS_MAX, QUERIES_MAX, REQUEST_OCTETS_MAX, RESPONSE_OCTETS_MAX};

/// Calls that are counted, and what becomes of those that are not answered.
pub(crate) const CALLS: [&str; 12] = [
    "explain",
    "quote",
    "look_up",
    "dead_list",
    "dead_show",
    "dead_replay",
    "table_publish",
    "table_confirm",
    "table_undo",
    "table_list",
    "table_fetch",
    "table_watch",
];
pub(crate) const REFUSALS: [&str; 9] = error::Refusal::WORDS;

/// Streams of one connection at a time, those of probes among them.
const STREAMS_MAX: u32 = 64;
const _: () = assert!(STREAMS_MAX as usize > CALLS_MAX, "one connection may fill the service");
/// A connection without traffic is asked for a sign of life this often …
const KEEPALIVE: Duration = Duration::from_secs(30);
/// … and closed when none comes.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);
/// Time between telling probes that the service goes and refusing calls.
const DRAIN_NOTICE: Duration = Duration::from_millis(200);
/// Longest wait for calls in flight after that. Whoever is cut off asks another router.
const DRAIN_LIMIT: Duration = Duration::from_millis(800);

/// Names under which probes ask for the service; "" asks for the server.
const HEALTH_NAMES: [&str; 4] = [
    "",
    "signalbox.routing.v1.RoutingService",
    "signalbox.routing.v1.DeadService",
    TABLES,
];
const TABLES: &str = "signalbox.routing.v1.TableService";

/// A socket that listens for questions, and is not served yet.
pub struct Listener {
    server: Server,
    /// Shared with the server that takes the first table before the others can answer.
    socket: std::net::TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Reads certificate and key and listens where `config` says. `None` = it says nowhere.
    ///
    /// # Errors
    /// A file, what is in it, or the address.
    pub async fn bind(config: &Config) -> Result<Option<Self>, Error> {
        let Some(address) = config.grpc else { return Ok(None) };
        let server = server(config.tls.as_ref())?;
        let listen = |error| Error::Listen { address, error };
        let socket = TcpListener::bind(address).await.map_err(listen)?;
        let socket = socket.into_std().map_err(listen)?;
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

    /// Takes tables while there is none to answer questions from, until `until` is asked for; calls in flight are answered, and the
    /// socket goes on listening.
    ///
    /// # Errors
    /// The server failed.
    pub async fn serve_tables(&self, tables: Tables, until: Stop) -> Result<(), Error> {
        let (mut health, health_service) = tonic_health::server::health_reporter();
        report(&health, ServingStatus::NotServing).await;
        health.set_service_status(TABLES, ServingStatus::Serving).await;
        let desk = tables::TableDesk::new(Some(tables), until.clone());
        let router = with_reflection(self.server.clone().add_service(health_service))
            .map_err(|error| Error::Transport(error.to_string()))?
            .add_service(table_service(desk));
        let address = self.address;
        let listen = |error| Error::Listen { address, error };
        let socket = self.socket.try_clone();
        let incoming = socket.and_then(incoming).map_err(listen)?;
        let stop = until.clone();
        let shutdown = async move { until.requested().await };
        let mut serving = Box::pin(router.serve_with_incoming_shutdown(incoming, shutdown));
        info!(address = %self.address, "router takes tables, and has none yet");
        tokio::select! { biased;
            () = stop.requested() => {}
            ended = &mut serving => return ended.map_err(transport),
        }
        for name in HEALTH_NAMES {
            health.clear_service_status(name).await;
        }
        // Whoever published the first table is answered within this.
        time::timeout(DRAIN_LIMIT, serving)
            .await
            .unwrap_or(Ok(()))
            .map_err(transport)
    }

    /// Answers until `stop` is asked for, then drains: tells probes, waits the notice, refuses new calls, answers what is in
    /// flight.
    pub(crate) async fn serve(mut self, desk: Arc<Desk>, stop: Stop) -> Result<(), Error> {
        let (close, closed) = Stop::new();
        let (mut health, health_service) = tonic_health::server::health_reporter();
        report(&health, ServingStatus::Serving).await;
        let dead = DeadServiceServer::new(dead::Dead::new(desk.clone(), closed.clone()))
            .max_decoding_message_size(REQUEST_OCTETS_MAX)
            .max_encoding_message_size(RESPONSE_OCTETS_MAX);
        let tables = tables::TableDesk::new(desk.config.tables.clone(), closed.clone());
        let service = RoutingServiceServer::new(questions::Questions::new(desk, closed.clone()))
            .max_decoding_message_size(REQUEST_OCTETS_MAX)
            .max_encoding_message_size(RESPONSE_OCTETS_MAX);
        let address = self.address;
        let listen = |error| Error::Listen { address, error };
        // Nobody else has the socket: whoever comes while it drains is turned away.
        let incoming = incoming(self.socket).map_err(listen)?;
        let router = with_reflection(self.server.add_service(health_service))
            .map_err(|error| Error::Transport(error.to_string()))?
            .add_service(service)
            .add_service(dead)
            .add_service(table_service(tables));
        let shutdown = async move { closed.requested().await };
        let mut serving = Box::pin(router.serve_with_incoming_shutdown(incoming, shutdown));
        info!(address = %self.address, "router answers questions");
        tokio::select! {
            biased;
            () = stop.requested() => {}
            ended = &mut serving => return ended.map_err(transport),
        }
        report(&health, ServingStatus::NotServing).await;
        if let Some(ended) = time::timeout(DRAIN_NOTICE, &mut serving).await {
            return ended.map_err(transport);
        }
        close.request();
        // Watchers of health were told; their streams have no end of their own and would hold the server.
        for name in HEALTH_NAMES {
            health.clear_service_status(name).await;
        }
        match time::timeout(DRAIN_LIMIT, serving).await {
            Some(ended) => ended.map_err(transport),
            None => {
                warn!("questions were cut off at the end of the drain");
                Ok(())
            }
        }
    }
}

fn incoming(socket: std::net::TcpListener) -> std::io::Result<TcpIncoming> {
    Ok(TcpIncoming::from(TcpListener::from_std(socket)?)
        .with_nodelay(Some(true))
        .with_keepalive(Some(KEEPALIVE)))
}

fn table_service(desk: tables::TableDesk) -> TableServiceServer<tables::TableDesk> {
    TableServiceServer::new(desk)
        .max_decoding_message_size(REQUEST_OCTETS_MAX)
        .max_encoding_message_size(RESPONSE_OCTETS_MAX)
}

/// Counts a call by its result.
fn counted<T>(call: &'static str, answer: Result<T, error::Refusal>) -> Result<tonic::Response<T>, tonic::Status> {
    let result = answer.as_ref().map_or_else(error::Refusal::as_str, |_| "answered");
    debug_assert!(CALLS.contains(&call), "{call} is not among CALLS");
    metrics::question(call, result);
    answer.map(tonic::Response::new).map_err(tonic::Status::from)
}

async fn report(health: &HealthReporter, status: ServingStatus) {
    for name in HEALTH_NAMES {
        health.set_service_status(name, status).await;
    }
}

fn server(tls: Option<&Tls>) -> Result<Server, Error> {
    let server = Server::builder()
        .max_concurrent_streams(STREAMS_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER));
    Ok(with_tls(server, tls)?)
}

fn transport(error: tonic::transport::Error) -> Error {
    Error::Transport(causes(&error))
}
