//! Listening, TLS, health, reflection and going away.

use router::{Config, Error, Listener, Tls};
use signalbox_proto::{
    pb::signalbox::routing::v1::{self as pb, routing_service_client::RoutingServiceClient},
    server::TlsError,
};
use tokio::net::TcpListener;
use tonic::{
    Status,
    transport::{Certificate, Channel, ClientTlsConfig, Identity},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::rig::{Rig, identity, query, table};

async fn ask(rig: &Rig, tls: ClientTlsConfig) -> Result<(), Status> {
    let endpoint = Channel::from_shared(rig.url.clone()).unwrap();
    let channel = endpoint.tls_config(tls).unwrap().connect().await;
    let channel = channel.map_err(|error| Status::unavailable(error.to_string()))?;
    let request = pb::QuoteRequest {
        queries: vec![query("33612345678")],
    };
    RoutingServiceClient::new(channel).quote(request).await.map(|_| ())
}

#[tokio::test]
async fn tls_serves_those_who_trust_the_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = identity(folder.path(), "server");
    let pem = std::fs::read(&certificate).unwrap();
    let tls = Tls {
        certificate,
        key,
        client_ca: None,
    };
    let rig = Rig::start_with(table(&["a"]), Some(tls)).await;
    let trusting = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
    ask(&rig, trusting).await.unwrap();
    let (stranger, _) = identity(folder.path(), "stranger");
    let other = Certificate::from_pem(std::fs::read(stranger).unwrap());
    ask(&rig, ClientTlsConfig::new().ca_certificate(other))
        .await
        .unwrap_err();
}

#[tokio::test]
async fn callers_without_the_right_certificate_are_turned_away_where_one_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let [server, caller, stranger] = ["server", "caller", "stranger"].map(|name| identity(folder.path(), name));
    let tls = Tls {
        certificate: server.0.clone(),
        key: server.1,
        client_ca: Some(caller.0.clone()),
    };
    let rig = Rig::start_with(table(&["a"]), Some(tls)).await;
    let read = |path| std::fs::read(path).unwrap();
    let trusting = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(server.0)));
    let with = |(certificate, key)| {
        trusting
            .clone()
            .identity(Identity::from_pem(read(certificate), read(key)))
    };
    ask(&rig, trusting.clone()).await.unwrap_err();
    ask(&rig, with(stranger)).await.unwrap_err();
    ask(&rig, with(caller)).await.unwrap();
}

#[tokio::test]
async fn what_keeps_it_from_listening_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = |grpc, tls| Config {
        grpc: Some(grpc),
        tls,
        ..Config::default()
    };
    let address = taken.local_addr().unwrap();
    let error = Listener::bind(&at(address, None)).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, Error::Listen { .. }) && error.to_string().contains(&address.to_string()),
        "{error}"
    );
    let folder = tempfile::tempdir().unwrap();
    let (mine, other) = (identity(folder.path(), "mine"), identity(folder.path(), "other"));
    let free = ([127, 0, 0, 1], 0).into();
    let unlike = Tls {
        certificate: mine.0.clone(),
        key: other.1,
        client_ca: None,
    };
    let error = Listener::bind(&at(free, Some(unlike))).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Tls(TlsError::Identity { .. })), "{error}");
    let missing = Tls {
        certificate: mine.0,
        key: mine.1,
        client_ca: Some(folder.path().join("none.pem")),
    };
    let error = Listener::bind(&at(free, Some(missing))).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(&error, Error::Tls(TlsError::File { path, .. }) if path.ends_with("none.pem")),
        "{error}"
    );
    assert!(Listener::bind(&Config::default()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_stop_tells_probes_and_then_lets_callers_go() {
    let mut rig = Rig::start(table(&["a"])).await;
    let channel = Channel::from_shared(rig.url.clone()).unwrap().connect().await.unwrap();
    let request = HealthCheckRequest {
        service: "signalbox.routing.v1.RoutingService".to_owned(),
    };
    let mut states = HealthClient::new(channel).watch(request).await.unwrap().into_inner();
    let serving = states.message().await.unwrap().unwrap();
    assert_eq!(serving.status(), ServingStatus::Serving);
    rig.stop.request();
    let going = states.message().await.unwrap().unwrap();
    assert_eq!(going.status(), ServingStatus::NotServing);
    rig.router.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn reflection_names_the_service() {
    let rig = Rig::start(table(&["a"])).await;
    let channel = Channel::from_shared(rig.url.clone()).unwrap().connect().await.unwrap();
    let list = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(channel);
    let mut answers = client
        .server_reflection_info(tokio_stream::once(list))
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(found)) = answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list");
    };
    let names: Vec<_> = found.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"signalbox.routing.v1.RoutingService"), "{names:?}");
}
