//! A server to test against, and a bus whose commits can be withheld or refused.

use std::{
    net::Ipv4Addr,
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use bus::{Bus, Commit, ConsumeError, MemoryBus, Position, PublishError, Read, Record, Subscribe, Topic, TopicSpec};
use futures::{FutureExt, future::BoxFuture};
use ingest::{Config, Error, KeySecret, Server, Tls};
use service::{Clock, Deps, Dice, Stop, StopHandle, Tasks};
use signalbox_proto::{
    pb::signalbox::{
        ingest::v1::{self as pb, message_service_client::MessageServiceClient},
        sms::v1 as pb_sms,
    },
    record::accepted_from_bytes,
    topics,
};
use sms::{Lane, Message};
use store::MemoryStore;
use tokio::sync::watch;
use tonic::{Request, Status, service::interceptor::InterceptedService, transport::Channel};
use tonic_types::{ErrorDetails, StatusExt};

use crate::away::Fragile;

pub(crate) const ACME: &str = "acme-key-0123456789";
pub(crate) const ZENO: &str = "zeno-key-0123456789";

pub(crate) const ACCOUNTS: &str = r#"
[[account]]
name = "acme"
keys = ["acme-key-0123456789", "acme-second-key-012"]
numbers = ["447700900001", "atlas/70001"]

[[account]]
name = "zeno"
keys = "zeno-key-0123456789"
in_flight = 3
segments_max = 255
numbers = "4477*"

[[account]]
name = "gone"
keys = "gone-key-0123456789"
enabled = false
"#;

pub(crate) type Client = MessageServiceClient<InterceptedService<Channel, Authorize>>;

#[derive(Clone)]
pub(crate) struct Authorize(pub(crate) Option<String>);

impl tonic::service::Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.parse().unwrap());
        }
        Ok(request)
    }
}

/// What commits do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    Closed,
    Failing,
}

/// A memory bus whose commits on accepted topics wait for the gate.
struct GatedBus {
    bus: MemoryBus,
    gate: watch::Receiver<Gate>,
}

impl Bus for GatedBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        self.bus.ensure(topics)
    }

    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>> {
        async move {
            let commit = self.bus.publish(topic, records).await?;
            if !Lane::ALL.iter().any(|lane| topics::accepted(*lane) == *topic) {
                return Ok(commit);
            }
            let mut gate = self.gate.clone();
            Ok(Commit::new(async move {
                if *gate.wait_for(|gate| *gate != Gate::Closed).await.unwrap() == Gate::Failing {
                    return Err(PublishError::Away("disk is full".to_owned()));
                }
                commit.await
            }))
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        self.bus.subscribe(group, topics)
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        self.bus.read(topic, from)
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.bus.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        self.bus.check()
    }

    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>> {
        self.bus.close(limit)
    }
}

pub(crate) struct Rig {
    pub(crate) deps: Deps,
    pub(crate) url: String,
    pub(crate) accounts: PathBuf,
    pub(crate) stop: StopHandle,
    pub(crate) gate: watch::Sender<Gate>,
    pub(crate) store_away: Arc<AtomicBool>,
    pub(crate) serving: Tasks<Result<(), Error>>,
    _folder: tempfile::TempDir,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(crate) async fn start_with(tls: Option<Tls>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let accounts = folder.path().join("accounts.toml");
        std::fs::write(&accounts, ACCOUNTS).unwrap();
        let clock = Clock::wall();
        let (gate, gated) = watch::channel(Gate::Open);
        let bus = GatedBus {
            bus: MemoryBus::new(clock.as_millis_fn()),
            gate: gated,
        };
        let store_away = Arc::new(AtomicBool::new(false));
        let store = MemoryStore::new(clock.as_millis_fn());
        let store = Arc::new(Fragile {
            store,
            is_away: Arc::clone(&store_away),
        });
        let deps = Deps {
            bus: Arc::new(bus),
            store,
            clock,
            dice: Dice::from_system(),
            tracer: service::Tracer::default(),
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let config = Config {
            grpc: (Ipv4Addr::LOCALHOST, 0).into(),
            tls,
            accounts: accounts.clone(),
            key_secret: KeySecret::new([7; 16]),
            partitions: 4,
            drain_notice: Duration::ZERO,
            drain_limit: Duration::from_secs(20),
        };
        let server = Server::bind(config, deps.clone()).await.unwrap();
        let url = format!("{scheme}://localhost:{}", server.local_addr().port());
        let (stop, stopped) = Stop::new();
        let mut serving = Tasks::new();
        serving.spawn(server.serve(stopped));
        Self {
            deps,
            url,
            accounts,
            stop,
            gate,
            store_away,
            serving,
            _folder: folder,
        }
    }

    pub(crate) async fn channel(&self) -> Channel {
        Channel::from_shared(self.url.clone()).unwrap().connect().await.unwrap()
    }

    pub(crate) async fn client(&self, key: &str) -> Client {
        client_on(self.channel().await, Some(format!("Bearer {key}")))
    }

    /// Every accepted message once there are `count` of them.
    pub(crate) async fn accepted(&self, count: usize) -> Vec<Message> {
        loop {
            let messages = self.accepted_now().await;
            if messages.len() >= count {
                return messages;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn accepted_now(&self) -> Vec<Message> {
        let mut messages = Vec::new();
        for lane in Lane::ALL {
            let mut read = self
                .deps
                .bus
                .read(&topics::accepted(lane), Position::Start)
                .await
                .unwrap();
            loop {
                let records = read.poll(1_000).await.unwrap();
                if records.is_empty() {
                    break;
                }
                messages.extend(records.iter().map(|record| accepted_from_bytes(&record.value).unwrap()));
            }
        }
        messages
    }
}

pub(crate) fn client_on(channel: Channel, authorization: Option<String>) -> Client {
    MessageServiceClient::with_interceptor(channel, Authorize(authorization))
}

pub(crate) fn text(text: &str) -> Option<pb_sms::Content> {
    Some(pb_sms::Content {
        body: Some(pb_sms::content::Body::Text(text.to_owned())),
    })
}

pub(crate) fn binary(octets: usize, header: &'static [u8]) -> Option<pb_sms::Content> {
    let binary = pb_sms::Binary {
        data: vec![1; octets].into(),
        header: header.into(),
    };
    Some(pb_sms::Content {
        body: Some(pb_sms::content::Body::Binary(binary)),
    })
}

pub(crate) fn submission() -> pb::Submission {
    pb::Submission {
        to: "+447700900001".to_owned(),
        from: "ACME".to_owned(),
        content: text("hello"),
        class: pb_sms::MessageClass::Otp.into(),
        ..pb::Submission::default()
    }
}

pub(crate) fn request(message: pb::Submission) -> pb::SubmitRequest {
    pb::SubmitRequest { message: Some(message) }
}

/// The error in an answer of a stream, as a status.
pub(crate) fn problem(problem: &pb::Problem) -> Status {
    use prost::Message as _;
    let octets = problem.encode_to_vec();
    Status::with_details(problem.code.into(), problem.message.clone(), octets.into())
}

/// Details of a status; its reason and domain are checked on the way.
pub(crate) fn details(status: &Status, reason: &str) -> ErrorDetails {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("{status:?} has no ErrorInfo"));
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        (reason, "signalbox"),
        "{status:?}"
    );
    details
}

/// Field and description of each violation.
pub(crate) fn violations(status: &Status, reason: &str) -> Vec<(String, String)> {
    let details = details(status, reason);
    let bad_request = details
        .bad_request()
        .unwrap_or_else(|| panic!("{status:?} has no BadRequest"));
    bad_request
        .field_violations
        .iter()
        .map(|field| (field.field.clone(), field.description.clone()))
        .collect()
}
