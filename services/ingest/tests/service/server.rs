//! Health, reflection, TLS and going away.

use ingest::{Config, Error, KeySecret, Server, Tls};
use service::{Readiness, Tasks};
use signalbox_proto::{pb::signalbox::ingest::v1 as pb, server::TlsError};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{
    Code, Status,
    transport::{Certificate, Channel, ClientTlsConfig, Identity},
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::rig::{ACME, Gate, Rig, client_on, details, problem, request, submission};

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

#[tokio::test]
async fn health_says_not_serving_before_anything_is_refused() {
    let rig = Rig::start().await;
    let mut health = HealthClient::new(rig.channel().await);
    for service in ["", "signalbox.ingest.v1.MessageService"] {
        let request = HealthCheckRequest {
            service: service.to_owned(),
        };
        assert_eq!(
            health.check(request.clone()).await.unwrap().into_inner().status,
            SERVING
        );
    }
    let mut states = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status, SERVING);
    rig.stop.request();
    assert_eq!(states.message().await.unwrap().unwrap().status, NOT_SERVING);
    assert!(
        states.message().await.unwrap().is_none(),
        "the watch does not hold the drain"
    );
}

#[tokio::test]
async fn health_says_not_serving_while_log_or_store_are_away() {
    let rig = Rig::start().await;
    let config = Config {
        grpc: ([127, 0, 0, 1], 0).into(),
        tls: None,
        accounts: rig.accounts.clone(),
        key_secret: KeySecret::new([0; 16]),
        partitions: 4,
        drain_notice: std::time::Duration::ZERO,
        drain_limit: std::time::Duration::ZERO,
    };
    let readiness = Readiness::new();
    readiness.set(true);
    readiness.miss("bus", "not asked yet");
    let server = Server::bind(config, rig.deps.clone()).await.unwrap();
    let url = format!("http://{}", server.local_addr());
    let (_stop, stopped) = service::Stop::new();
    let mut serving = Tasks::new();
    serving.spawn(server.ready_when(readiness.clone()).serve(stopped));
    let mut health = HealthClient::new(Channel::from_shared(url).unwrap().connect().await.unwrap());
    let mut states = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    assert_eq!(states.message().await.unwrap().unwrap().status, NOT_SERVING);
    readiness.have("bus");
    assert_eq!(states.message().await.unwrap().unwrap().status, SERVING);
    readiness.miss("store", "connection refused");
    assert_eq!(states.message().await.unwrap().unwrap().status, NOT_SERVING);
}

#[tokio::test]
async fn a_drain_answers_what_is_in_flight_and_sends_streams_elsewhere() {
    let mut rig = Rig::start().await;
    rig.gate.send_replace(Gate::Closed);
    let mut client = rig.client(ACME).await;
    let mut receipts = client
        .watch_receipts(pb::WatchReceiptsRequest::default())
        .await
        .unwrap()
        .into_inner();
    receipts.message().await.unwrap().unwrap();
    let (sender, frames) = mpsc::channel(8);
    let mut answers = client
        .submit_stream(ReceiverStream::new(frames))
        .await
        .unwrap()
        .into_inner();
    sender
        .send(pb::SubmitStreamRequest {
            sequence: 1,
            messages: vec![submission()],
        })
        .await
        .unwrap();
    rig.accepted(1).await;
    let mut tasks = Tasks::new();
    tasks.spawn(async move { client.submit(request(submission())).await });
    rig.accepted(2).await;

    rig.stop.request();
    let status = receipts.message().await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(details(&status, "DRAINING").retry_info().is_some());
    rig.gate.send_replace(Gate::Open);
    assert!(tasks.join_next().await.unwrap().unwrap().is_ok());
    assert_eq!(answers.message().await.unwrap().unwrap().answers.len(), 1);
    assert_eq!(answers.message().await.unwrap_err().code(), Code::Unavailable);
    drop((sender, answers, receipts));
    rig.serving.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn reflection_lists_the_service_in_both_versions() {
    let rig = Rig::start().await;
    let channel = rig.channel().await;
    macro_rules! services {
        ($version:ident) => {{
            use tonic_reflection::pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
            };
            let request = ServerReflectionRequest {
                host: String::new(),
                message_request: Some(MessageRequest::ListServices(String::new())),
            };
            let mut client = ServerReflectionClient::new(channel.clone());
            let requests = futures::stream::iter([request]);
            let mut responses = client.server_reflection_info(requests).await.unwrap().into_inner();
            match responses.message().await.unwrap().unwrap().message_response.unwrap() {
                MessageResponse::ListServicesResponse(list) => {
                    list.service.into_iter().map(|service| service.name).collect::<Vec<_>>()
                }
                other => panic!("{other:?}"),
            }
        }};
    }
    for services in [services!(v1), services!(v1alpha)] {
        for wanted in ["signalbox.ingest.v1.MessageService", "grpc.health.v1.Health"] {
            assert!(
                services.iter().any(|name| name == wanted),
                "{wanted} is not in {services:?}"
            );
        }
    }
}

#[tokio::test]
async fn tls_serves_those_who_trust_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let tls = Tls {
        certificate: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
        client_ca: None,
    };
    std::fs::write(&tls.certificate, made.cert.pem()).unwrap();
    std::fs::write(&tls.key, made.signing_key.serialize_pem()).unwrap();
    let rig = Rig::start_with(Some(tls)).await;

    let trusting = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(made.cert.pem()))
        .domain_name("localhost");
    let endpoint = Channel::from_shared(rig.url.clone()).unwrap();
    let channel = endpoint.clone().tls_config(trusting).unwrap().connect().await.unwrap();
    client_on(channel, Some(format!("Bearer {ACME}")))
        .submit(request(submission()))
        .await
        .unwrap();
    assert!(
        endpoint
            .tls_config(ClientTlsConfig::new())
            .unwrap()
            .connect()
            .await
            .is_err()
    );
    let plain = Channel::from_shared(rig.url.replace("https", "http"))
        .unwrap()
        .connect()
        .await;
    if let Ok(channel) = plain {
        client_on(channel, Some(format!("Bearer {ACME}")))
            .submit(request(submission()))
            .await
            .unwrap_err();
    }
}

#[tokio::test]
async fn callers_without_a_certificate_are_turned_away_where_one_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let [server, caller] = ["server", "caller"].map(|name| {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        std::fs::write(folder.path().join(format!("{name}.pem")), &certificate).unwrap();
        std::fs::write(folder.path().join(format!("{name}.key")), &key).unwrap();
        (certificate, key)
    });
    let rig = Rig::start_with(Some(Tls {
        certificate: folder.path().join("server.pem"),
        key: folder.path().join("server.key"),
        client_ca: Some(folder.path().join("caller.pem")),
    }))
    .await;
    let trusting = ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(server.0))
        .domain_name("localhost");
    let call = async |tls| {
        let endpoint = Channel::from_shared(rig.url.clone()).unwrap();
        let channel = endpoint.tls_config(tls).unwrap().connect().await;
        let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
        let mut client = client_on(channel, Some(format!("Bearer {ACME}")));
        client.submit(request(submission())).await
    };
    call(trusting.clone()).await.unwrap_err();
    let known = trusting.identity(Identity::from_pem(caller.0, caller.1));
    call(known).await.unwrap();
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said() {
    let rig = Rig::start().await;
    let address = rig
        .url
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .map(|port: u16| ([127, 0, 0, 1], port).into())
        .unwrap();
    let config = Config {
        grpc: address,
        tls: None,
        accounts: rig.accounts.clone(),
        key_secret: KeySecret::new([0; 16]),
        partitions: 4,
        drain_notice: std::time::Duration::ZERO,
        drain_limit: std::time::Duration::ZERO,
    };
    let refused = |config| async { Server::bind(config, rig.deps.clone()).await.err().unwrap() };
    assert!(matches!(refused(config.clone()).await, Error::Listen { .. }));
    let missing = rig.accounts.with_file_name("missing");
    let without_accounts = Config {
        accounts: missing.clone(),
        ..config.clone()
    };
    assert!(
        refused(without_accounts)
            .await
            .to_string()
            .contains("missing: error[A001]: cannot be read")
    );
    let tls = Some(Tls {
        certificate: missing.clone(),
        key: missing,
        client_ca: None,
    });
    assert!(matches!(
        refused(Config { tls, ..config.clone() }).await,
        Error::Tls(TlsError::File { .. })
    ));
    // A key that belongs to another certificate is told before anybody is.
    let [mine, other] = [(), ()].map(|()| rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap());
    let tls = Tls {
        certificate: rig.accounts.with_file_name("mine.pem"),
        key: rig.accounts.with_file_name("other.pem"),
        client_ca: None,
    };
    std::fs::write(&tls.certificate, mine.cert.pem()).unwrap();
    std::fs::write(&tls.key, other.signing_key.serialize_pem()).unwrap();
    let said = refused(Config {
        tls: Some(tls),
        ..config.clone()
    })
    .await;
    assert!(matches!(said, Error::Tls(TlsError::Identity { .. })));
    assert!(said.to_string().contains("mine.pem with "), "{said}");
    std::fs::write(&rig.accounts, "[[account]]\n").unwrap();
    assert!(matches!(refused(config).await, Error::Accounts(_)));
}

/// A client that never ends its stream cannot hold the service beyond the limit, and the service says so.
#[tokio::test]
async fn a_drain_ends_at_its_limit() {
    let rig = Rig::start().await;
    let config = Config {
        grpc: ([127, 0, 0, 1], 0).into(),
        tls: None,
        accounts: rig.accounts.clone(),
        key_secret: KeySecret::new([0; 16]),
        partitions: 4,
        drain_notice: std::time::Duration::ZERO,
        drain_limit: std::time::Duration::from_millis(10),
    };
    let server = Server::bind(config, rig.deps.clone()).await.unwrap();
    let url = format!("http://{}", server.local_addr());
    let (stop, stopped) = service::Stop::new();
    let mut serving = Tasks::new();
    serving.spawn(server.serve(stopped));
    rig.gate.send_replace(Gate::Closed);
    let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
    let mut client = client_on(channel, Some(format!("Bearer {ACME}")));
    let frames = futures::stream::iter([pb::SubmitStreamRequest {
        sequence: 1,
        messages: vec![submission()],
    }]);
    let answers = client.submit_stream(frames).await.unwrap().into_inner();
    rig.accepted(1).await;
    stop.request();
    assert!(matches!(
        serving.join_next().await.unwrap().unwrap(),
        Err(Error::Undrained(_))
    ));
    drop(answers);
}

/// The same details travel inside a stream as in a status.
#[tokio::test]
async fn problems_in_streams_are_statuses() {
    let rig = Rig::start().await;
    let mut client = rig.client(ACME).await;
    let status = client.submit(request(pb::Submission::default())).await.unwrap_err();
    let frames = futures::stream::iter([pb::SubmitStreamRequest {
        sequence: 1,
        messages: vec![pb::Submission::default()],
    }]);
    let mut answers = client.submit_stream(frames).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().answers.remove(0);
    let Some(pb::answer::Result::Error(error)) = answer.result else {
        panic!("an empty message was taken")
    };
    let inside = problem(&error);
    assert_eq!(inside.code(), status.code());
    assert_eq!(inside.message().replace("messages[0]", "message"), status.message());
}
