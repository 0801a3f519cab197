//! The service over a socket of this machine: a connector in memory with a simulated carrier, and one over SMPP.

use std::{net::SocketAddr, time::Duration};

use pb::{LinkState, link_service_client::LinkServiceClient};
use service::{StopHandle, Tasks};
use signalbox_loadtest::smsc::{Config as SmscConfig, Smsc};
use tonic::{Code, transport::Channel};
use tonic_types::StatusExt as _;

use super::*;
use crate::{
    LinkConfig, LinkKind, SmppConfig,
    fixture::{World, carrier, connector_of},
    simulator::SimulatorConfig,
};

/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

struct Connector {
    client: LinkServiceClient<Channel>,
    address: SocketAddr,
    _stop: StopHandle,
    _tasks: Tasks<Result<(), Error>>,
}

impl Connector {
    async fn start(world: &World, links: Vec<LinkConfig>) -> Self {
        let mut config = connector_of(links[0].clone());
        config.links = links;
        config.control = Some(LinkControl {
            grpc: "127.0.0.1:0".parse().unwrap(),
            tls: None,
        });
        let listener = Listener::bind(&config).await.unwrap().unwrap();
        let address = listener.local_addr();
        let (stop, stopped) = Stop::new();
        let mut tasks = Tasks::new();
        let deps = world.process().deps;
        tasks.spawn(crate::run_on(Some(listener), config, deps.into(), stopped));
        let client = LinkServiceClient::connect(format!("http://{address}")).await.unwrap();
        Self {
            client,
            address,
            _stop: stop,
            _tasks: tasks,
        }
    }

    async fn links(&mut self) -> Vec<pb::Link> {
        let listed = self.client.list_links(pb::ListLinksRequest {}).await.unwrap();
        listed.into_inner().links
    }

    /// The first link, once it stands so.
    async fn until(&mut self, state: LinkState) -> pb::Link {
        let give_up_at = time::now() + PATIENCE;
        loop {
            let link = self.links().await.remove(0);
            if link.state() == state {
                return link;
            }
            assert!(time::now() < give_up_at, "{link:?}");
            time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn simulated(name: &str) -> LinkConfig {
    let kind = LinkKind::Simulator(SimulatorConfig::default());
    LinkConfig::new(name, vec![carrier(name)], kind)
}

fn name(name: &str) -> String {
    name.to_owned()
}

#[tokio::test]
async fn links_are_listed_as_they_were_ordered_and_configured() {
    let world = World::new(&["atlas", "borealis"]).await;
    let limited = LinkConfig {
        rate: Some(80),
        account: Some("shared".to_owned()),
        ..simulated("borealis")
    };
    let mut connector = Connector::start(&world, vec![simulated("atlas"), limited]).await;
    connector.until(LinkState::Up).await;
    let links = connector.links().await;
    let names: Vec<_> = links
        .iter()
        .map(|link| (link.name.as_str(), link.kind.as_str()))
        .collect();
    assert_eq!(names, [("atlas", "simulator"), ("borealis", "simulator")]);
    assert_eq!(
        (links[0].binds_up, links[0].binds, links[0].rate_in_force),
        (1, 1, None)
    );
    assert_eq!(
        (
            links[1].account.as_str(),
            links[1].rate_configured,
            links[1].rate_ordered
        ),
        ("shared", Some(80), None)
    );
    assert_eq!(links[1].window_slots, 10);
}

#[tokio::test]
async fn an_order_is_in_force_when_it_is_answered_and_at_every_connector_soon() {
    let world = World::new(&["atlas"]).await;
    let mut one = Connector::start(&world, vec![simulated("atlas")]).await;
    let mut two = Connector::start(&world, vec![simulated("atlas")]).await;
    one.until(LinkState::Up).await;
    let link = one
        .client
        .pause_link(pb::PauseLinkRequest { name: name("atlas") })
        .await;
    assert_eq!(link.unwrap().into_inner().link.unwrap().state(), LinkState::Paused);
    two.until(LinkState::Paused).await;
    let link = two
        .client
        .drain_link(pb::DrainLinkRequest { name: name("atlas") })
        .await;
    let state = link.unwrap().into_inner().link.unwrap().state();
    assert!(matches!(state, LinkState::Draining | LinkState::Drained), "{state:?}");
    let drained = one.until(LinkState::Drained).await;
    assert_eq!(drained.binds_up, 0);
    let request = pb::SetRateRequest {
        name: name("atlas"),
        parts_per_second: Some(7),
    };
    let link = two.client.set_rate(request).await.unwrap().into_inner().link.unwrap();
    assert_eq!((link.rate_ordered, link.rate_in_force), (Some(7), Some(7)));
    let link = two
        .client
        .resume_link(pb::ResumeLinkRequest { name: name("atlas") })
        .await;
    assert_ne!(link.unwrap().into_inner().link.unwrap().state(), LinkState::Paused);
    let link = one.until(LinkState::Up).await;
    assert_eq!((link.binds_up, link.rate_ordered), (1, Some(7)));
    let mut three = Connector::start(&world, vec![simulated("atlas")]).await;
    assert_eq!(
        three.until(LinkState::Up).await.rate_in_force,
        Some(7),
        "also after a start"
    );
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_what_can() {
    let world = World::new(&["atlas", "borealis"]).await;
    let mut connector = Connector::start(&world, vec![simulated("atlas"), simulated("borealis")]).await;
    let unknown = connector
        .client
        .pause_link(pb::PauseLinkRequest { name: name("atlsa") })
        .await;
    let unknown = unknown.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(
        unknown.message(),
        "no link \"atlsa\" here; links of this connector: atlas, borealis"
    );
    assert_eq!(unknown.get_details_error_info().unwrap().reason, "LINK_NOT_FOUND");
    for rate in [0, 100_001] {
        let request = pb::SetRateRequest {
            name: name("atlas"),
            parts_per_second: Some(rate),
        };
        let refused = connector.client.set_rate(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains("1 to 100000"), "{refused}");
        let field = &refused.get_details_bad_request().unwrap().field_violations[0];
        assert_eq!(field.field, "parts_per_second");
    }
    let untestable = connector
        .client
        .test_link(pb::TestLinkRequest { name: name("atlas") })
        .await;
    let untestable = untestable.unwrap_err();
    assert_eq!(untestable.code(), Code::FailedPrecondition);
    assert!(
        untestable.message().contains("kind simulator, which has no test"),
        "{untestable}"
    );
    world.store_away.store(true, std::sync::atomic::Ordering::Relaxed);
    let away = connector
        .client
        .pause_link(pb::PauseLinkRequest { name: name("atlas") })
        .await;
    let away = away.unwrap_err();
    assert_eq!(away.code(), Code::Unavailable);
    assert!(away.get_details_retry_info().is_some());
    assert_ne!(connector.links().await[0].state(), LinkState::Paused);
}

/// A real SMPP carrier on a socket, with two binds.
#[tokio::test]
async fn a_carrier_over_smpp_answers_a_test_on_every_bind_and_a_drained_one_on_none() {
    let world = World::new(&["atlas"]).await;
    let smsc = Smsc::start(SmscConfig::default()).await.unwrap();
    let mut smpp = SmppConfig::new(smsc.addr().to_string(), "test", source::Secret::new("test"));
    smpp.binds.transceivers = 2;
    let link = LinkConfig::new("atlas", vec![carrier("atlas")], LinkKind::Smpp(Box::new(smpp)));
    let mut connector = Connector::start(&world, vec![link]).await;
    let give_up_at = time::now() + PATIENCE;
    while connector.links().await[0].binds_up < 2 {
        assert!(time::now() < give_up_at);
        time::sleep(Duration::from_millis(10)).await;
    }
    let request = || pb::TestLinkRequest { name: name("atlas") };
    let tested = connector.client.test_link(request()).await.unwrap().into_inner().binds;
    let answered: Vec<_> = tested
        .iter()
        .map(|test| (test.bind, test.round_trip.is_some()))
        .collect();
    assert_eq!(answered, [(0, true), (1, true)], "{tested:?}");
    connector
        .client
        .drain_link(pb::DrainLinkRequest { name: name("atlas") })
        .await
        .unwrap();
    connector.until(LinkState::Drained).await;
    let tested = connector.client.test_link(request()).await.unwrap().into_inner().binds;
    assert!(
        tested
            .iter()
            .all(|test| test.round_trip.is_none() && test.error.contains("drained")),
        "{tested:?}"
    );
    connector
        .client
        .resume_link(pb::ResumeLinkRequest { name: name("atlas") })
        .await
        .unwrap();
    connector.until(LinkState::Up).await;
}

#[tokio::test]
async fn a_carrier_that_cannot_be_reached_says_why_on_the_list_and_fails_its_test() {
    let world = World::new(&["atlas"]).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for binds in [1, 2] {
        let mut smpp = SmppConfig::new(nobody.to_string(), "test", source::Secret::new("test"));
        smpp.binds.transceivers = binds;
        let link = LinkConfig::new("atlas", vec![carrier("atlas")], LinkKind::Smpp(Box::new(smpp)));
        let mut connector = Connector::start(&world, vec![link]).await;
        let give_up_at = time::now() + PATIENCE;
        while !connector.links().await[0].error.contains(&nobody.to_string()) {
            assert!(time::now() < give_up_at, "{:?}", connector.links().await);
            time::sleep(Duration::from_millis(10)).await;
        }
        let link = connector.links().await.remove(0);
        assert_eq!((link.state(), link.binds_up, link.binds), (LinkState::Down, 0, binds));
        assert!(link.error_at.is_some());
        let request = pb::TestLinkRequest { name: name("atlas") };
        let tested = connector.client.test_link(request).await.unwrap().into_inner().binds;
        assert_eq!(tested.len(), binds as usize);
        assert!(tested.iter().all(|test| test.error == "no connection"), "{tested:?}");
    }
}

#[tokio::test]
async fn health_and_reflection_know_the_service() {
    let world = World::new(&["atlas"]).await;
    let mut connector = Connector::start(&world, vec![simulated("atlas")]).await;
    connector.until(LinkState::Up).await;
    let channel = Channel::from_shared(format!("http://{}", connector.address))
        .unwrap()
        .connect()
        .await
        .unwrap();
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
    for service in HEALTH_NAMES {
        let request = tonic_health::pb::HealthCheckRequest {
            service: service.to_owned(),
        };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(
            answer.status,
            tonic_health::pb::health_check_response::ServingStatus::Serving as i32
        );
    }
}
