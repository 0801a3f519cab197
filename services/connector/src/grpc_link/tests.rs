//! The connector over real sockets against a carrier that implements `CarrierService` by a script.

mod example;
mod peer;
mod submitting;
mod telling;
mod tls;

use std::time::Duration;

use service::{Stop, StopHandle, Tasks, time};
use source::Secret;

use super::GrpcConfig;
use crate::{
    Deps, Error, LinkConfig, LinkKind,
    fixture::{World, carrier, connector_of},
};
use peer::{Peer, Script};

/// A connector with one link to a carrier of its own.
struct Running {
    world: World,
    peer: Peer,
    stop: StopHandle,
    service: Tasks<Result<(), Error>>,
}

impl Running {
    async fn start(script: Script) -> Self {
        Self::start_with(script, |_| {}).await
    }

    /// After a `change` of the link.
    async fn start_with(script: Script, change: impl FnOnce(&mut LinkConfig)) -> Self {
        let peer = Peer::start(script).await;
        let world = World::new(&["atlas"]).await;
        let (stop, service) = connect(&world, peer.url(), change);
        Self {
            world,
            peer,
            stop,
            service,
        }
    }

    /// Waits until there are so many outcomes, and says them.
    async fn said(&self, outcomes: usize) -> Vec<String> {
        until(async || self.world.said().await.len() >= outcomes).await;
        self.world.said().await
    }

    async fn stopped(&mut self) -> Result<(), Error> {
        self.stop.request();
        self.service.join_next().await.unwrap().unwrap()
    }
}

/// A connector with a link to `url`, after a `change` of the link.
fn connect(world: &World, url: String, change: impl FnOnce(&mut LinkConfig)) -> (StopHandle, Tasks<Result<(), Error>>) {
    let mut grpc = GrpcConfig::new(url);
    grpc.reconnect = Duration::from_millis(20)..=Duration::from_millis(100);
    grpc.key = Some(Secret::new("k3y-of-the-test"));
    let mut link = LinkConfig::new("atlas", vec![carrier("atlas")], LinkKind::Grpc(Box::new(grpc)));
    link.window = 100;
    change(&mut link);
    let (stop, stopped) = Stop::new();
    let mut service = Tasks::new();
    service.spawn(crate::run(connector_of(link), Deps::from(world.deps.clone()), stopped));
    (stop, service)
}

/// Waits for `happened`, at most half a minute.
async fn until(happened: impl AsyncFn() -> bool) {
    let wait = async {
        while !happened().await {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    time::timeout(Duration::from_secs(30), wait)
        .await
        .expect("it happens within half a minute");
}
