//! The server: listening, health, reflection, TLS, and going away without losing a call.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bus::PublishError;
use service::{Deps, Readiness, Stop, Tasks, time, watch::PathWatch};
use signalbox_proto::{
    pb::signalbox::ingest::v1::message_service_server::MessageServiceServer,
    server::{Tls, TlsError, causes, with_reflection, with_tls},
    topics,
};
use source::Problems;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    Accounts, Config, Directory, Intake, REQUEST_OCTETS_MAX,
    account::follow,
    called::count_called,
    epoch::keep_epoch,
    grpc::{FRAMES_IN_FLIGHT_MAX, Service},
    pressure::{hear_first, keep_pressure, watch_log_clock},
};

/// Calls of one connection at a time.
const CALLS_MAX: u32 = 1_024;
/// A connection without traffic is asked for a sign of life this often …
const KEEPALIVE: Duration = Duration::from_secs(30);
/// … and closed when none comes.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);
/// Octets a caller may send on one stream before they are read: about a full frame.
const STREAM_WINDOW: u32 = 2 * 1_024 * 1_024;
/// The same for all streams of a connection.
const CONNECTION_WINDOW: u32 = 8 * 1_024 * 1_024;
const _: () = assert!(STREAM_WINDOW <= CONNECTION_WINDOW && FRAMES_IN_FLIGHT_MAX > 1);

/// Name under which probes ask for the service; "" asks for the server.
const HEALTH_NAMES: [&str; 2] = ["", "signalbox.ingest.v1.MessageService"];

/// Why the service could not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The accounts file is wrong.
    #[error("{0}")]
    Accounts(Problems),
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
    /// The topics cannot be made.
    #[error("{0}")]
    Bus(#[from] PublishError),
    /// The server failed.
    #[error("gRPC server: {0}")]
    Transport(String),
    /// Calls in flight were cut off. Whoever was not answered does not count on anything.
    #[error("calls were still in flight {0:?} after the stop")]
    Undrained(Duration),
}

/// A service that listens and does not serve yet.
pub struct Server {
    config: Config,
    deps: Deps,
    server: tonic::transport::Server,
    listener: TcpListener,
    address: SocketAddr,
    directory: Arc<Directory>,
    watch: PathWatch,
    readiness: Readiness,
}

impl Server {
    /// Reads accounts and certificate, makes the topics that are missing, and listens.
    ///
    /// # Errors
    /// Anything of that; nothing was taken from anybody.
    pub async fn bind(config: Config, deps: Deps) -> Result<Self, Error> {
        // Watching begins before the first reading, so that no change falls between the two.
        let watch = PathWatch::new(&config.accounts);
        let (accounts, warnings) = Accounts::empty(&deps.dice)
            .read(&config.accounts)
            .map_err(Error::Accounts)?;
        warnings
            .iter()
            .for_each(|problem| tracing::warn!(%problem, "accounts file"));
        let server = server(config.tls.as_ref())?;
        deps.bus.ensure(&topics::fixed(config.partitions)).await?;
        let listen = |error| Error::Listen {
            address: config.grpc,
            error,
        };
        let listener = TcpListener::bind(config.grpc).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let directory = Arc::new(Directory::new(accounts));
        let readiness = Readiness::new();
        readiness.set(true);
        Ok(Self {
            config,
            deps,
            server,
            listener,
            address,
            directory,
            watch,
            readiness,
        })
    }

    /// Says to probes that it does not serve while `readiness` says so, because log or store are away. Calls are answered
    /// all the same, each by what it needs.
    pub fn ready_when(self, readiness: Readiness) -> Self {
        Self { readiness, ..self }
    }

    /// Where it listens: the port the system chose, if it was to choose one.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is asked for, then drains: tells probes, waits the notice, refuses new calls and frames, answers
    /// what is in flight.
    ///
    /// # Errors
    /// The server failed, or calls were cut off at the drain limit.
    pub async fn serve(mut self, stop: Stop) -> Result<(), Error> {
        let (close, closed) = Stop::new();
        let (mut health, health_service) = tonic_health::server::health_reporter();
        let intake = Intake::new(&self.deps, self.config.key_secret.clone());
        let pressure = intake.pressure();
        hear_first(&pressure, &self.deps).await;
        report(&health, status(self.readiness.is_ready())).await;
        let service = Service::new(intake, Arc::clone(&self.directory), self.deps.clone(), closed.clone());
        let router = self.server.add_service(health_service);
        let router = with_reflection(router).map_err(|error| Error::Transport(error.to_string()))?;
        let router = router.add_service(
            MessageServiceServer::new(service)
                .max_decoding_message_size(REQUEST_OCTETS_MAX)
                .max_encoding_message_size(REQUEST_OCTETS_MAX),
        );
        let incoming = TcpIncoming::from(self.listener)
            .with_nodelay(Some(true))
            .with_keepalive(Some(KEEPALIVE));
        let mut tasks = Tasks::new();
        tasks.spawn(count_called(
            Arc::clone(&self.directory),
            self.deps.clone(),
            closed.clone(),
        ));
        tasks.spawn(follow(self.directory, self.config.accounts, self.watch, stop.clone()));
        tasks.spawn(watch_log_clock(
            pressure.clone(),
            self.deps.clock.clone(),
            self.readiness.clone(),
            closed.clone(),
        ));
        tasks.spawn(keep_pressure(pressure, self.deps.clone(), closed.clone()));
        tasks.spawn(keep_epoch(Arc::clone(&self.deps.store), closed.clone()));
        let shutdown = async move { closed.requested().await };
        let mut serving = Box::pin(router.serve_with_incoming_shutdown(incoming, shutdown));
        tracing::info!(address = %self.address, "ingest serves");
        let mut is_ready = self.readiness.is_ready();
        loop {
            tokio::select! {
                biased;
                () = stop.requested() => break,
                ended = &mut serving => return ended.map_err(transport),
                now = self.readiness.changed(is_ready) => is_ready = now,
            }
            report(&health, status(is_ready)).await;
        }
        report(&health, ServingStatus::NotServing).await;
        tracing::info!("ingest drains");
        if let Some(ended) = time::timeout(self.config.drain_notice, &mut serving).await {
            return ended.map_err(transport);
        }
        close.request();
        // Watchers of health were told; their streams have no end of their own and would hold the server.
        for name in HEALTH_NAMES {
            health.clear_service_status(name).await;
        }
        let limit = self.config.drain_limit;
        let ended = time::timeout(limit, &mut serving)
            .await
            .ok_or(Error::Undrained(limit))?;
        tasks.join_all().await;
        ended.map_err(transport)
    }
}

const fn status(is_ready: bool) -> ServingStatus {
    match is_ready {
        true => ServingStatus::Serving,
        false => ServingStatus::NotServing,
    }
}

async fn report(health: &HealthReporter, status: ServingStatus) {
    for name in HEALTH_NAMES {
        health.set_service_status(name, status).await;
    }
}

fn server(tls: Option<&Tls>) -> Result<tonic::transport::Server, Error> {
    let server = tonic::transport::Server::builder()
        .max_concurrent_streams(CALLS_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    Ok(with_tls(server, tls)?)
}

fn transport(error: tonic::transport::Error) -> Error {
    Error::Transport(causes(&error))
}
