//! Links that operators pause, drain, limit and test, by the commands they use.

use std::{process::Command, time::Duration};

use service::time;

use crate::{
    passwords::{self, carrier, delivered, destinations, received, submit},
    rig::{PATIENCE, Standalone},
};

impl Standalone {
    /// What `signalbox link` with `arguments` says, and its exit code.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .arg("link")
            .args(arguments)
            .args(["--connector", &self.links])
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].map(|octets| String::from_utf8(octets).unwrap());
        (output.status.code(), said.concat())
    }

    /// The same where it must succeed.
    fn command(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    }

    /// How link `name` stands.
    fn link_of(&self, name: &str) -> serde_json::Value {
        let said = self.command(&["list", "--json"]);
        let mut links = said
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        links.find(|link| link["name"] == name).expect("it is listed")
    }

    /// How link `name` stands once `is_so`.
    async fn until(&self, name: &str, is_so: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let give_up_at = time::now() + PATIENCE;
        loop {
            let link = self.link_of(name);
            if is_so(&link) {
                return link;
            }
            assert!(time::now() < give_up_at, "{link}");
            time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Nothing reaches the carrier for a while, and all of it does then; the one command of the operator is heeded before it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_link_submits_nothing_and_a_resumed_one_everything_once() {
    let atlas = carrier("atlas").await;
    let mut router = passwords::router(&["atlas"]);
    passwords::link(&router, &[("atlas", &atlas, 100)]);
    let mut client = passwords::start(&mut router).await;
    let ids = submit(&mut client, 400).await;
    received(&atlas, 20).await;
    let said = router.command(&["pause", "atlas"]);
    assert!(said.contains("atlas is paused"), "{said}");
    let paused = router.until("atlas", |link| link["in_flight"] == 0).await;
    let before = atlas.received().len();
    assert!(before < 350, "{before}");
    assert_eq!((&paused["state"], &paused["binds_up"]), (&"paused".into(), &1.into()));
    assert!(paused["round_trip_p50_ms"].is_f64(), "{paused}");
    time::sleep(Duration::from_secs(2)).await;
    assert_eq!(
        atlas.received().len(),
        before,
        "the only wait of this test: nothing came meanwhile"
    );
    let said = router.command(&["test", "atlas"]);
    assert!(said.contains("bind 0: the carrier answered after"), "{said}");
    router.command(&["resume", "atlas"]);
    delivered(&mut client, ids).await;
    assert_eq!(atlas.received().len(), 400, "each once");
    assert_eq!(destinations(&atlas).len(), 400);
}

/// Atlas takes ten a second, so that most wait for it when it is drained in the middle of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_drained_link_goes_to_the_next_carrier_and_it_stays_drained_across_a_restart() {
    let (atlas, borealis) = (carrier("atlas").await, carrier("borealis").await);
    let mut router = passwords::router(&["atlas", "borealis"]);
    passwords::link(&router, &[("atlas", &atlas, 10), ("borealis", &borealis, 1_000)]);
    let mut client = passwords::start(&mut router).await;
    let ids = submit(&mut client, 300).await;
    received(&atlas, 5).await;
    let said = router.command(&["drain", "atlas"]);
    assert!(said.contains("atlas is drained: disconnected"), "{said}");
    let by_atlas = atlas.received().len();
    delivered(&mut client, ids).await;
    let by_borealis = borealis.received().len();
    assert_eq!((atlas.received().len(), by_atlas + by_borealis), (by_atlas, 300));
    assert!(by_borealis >= 200, "{by_borealis}");
    let (code, said) = router.run(&["test", "atlas"]);
    assert!(code == Some(1) && said.contains("drained"), "{code:?} {said}");
    router.kill();
    passwords::start(&mut router).await;
    router.until("borealis", |link| link["state"] == "up").await;
    let drained = router.link_of("atlas");
    assert_eq!(
        (&drained["state"], &drained["binds_up"]),
        (&"drained".into(), &0.into())
    );
    router.command(&["resume", "atlas"]);
    router.until("atlas", |link| link["state"] == "up").await;
}

/// At five a second it would take a minute.
#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_rate_is_in_force_at_once_and_until_the_configuration_s_is_set() {
    let atlas = carrier("atlas").await;
    let mut router = passwords::router(&["atlas"]);
    passwords::link(&router, &[("atlas", &atlas, 5)]);
    let mut client = passwords::start(&mut router).await;
    let began = time::now();
    let ids = submit(&mut client, 300).await;
    received(&atlas, 5).await;
    let said = router.command(&["rate", "atlas", "500"]);
    assert!(said.contains("limited to 500/s by order (5/s configured)"), "{said}");
    delivered(&mut client, ids).await;
    let took = time::now().duration_since(began);
    assert!(took < Duration::from_secs(30), "{took:?}");
    let link = router.link_of("atlas");
    assert_eq!(
        (&link["rate_configured"], &link["rate_ordered"], &link["rate_in_force"]),
        (&5.into(), &500.into(), &500.into())
    );
    router.command(&["rate", "atlas", "configured"]);
    let link = router.link_of("atlas");
    assert_eq!(
        (&link["rate_ordered"], &link["rate_in_force"]),
        (&serde_json::Value::Null, &5.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_said_with_what_can() {
    let atlas = carrier("atlas").await;
    let mut router = passwords::router(&["atlas"]);
    passwords::link(&router, &[("atlas", &atlas, 5)]);
    passwords::start(&mut router).await;
    let (code, said) = router.run(&["pause", "atlsa"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("no link \"atlsa\" here; links of this connector: atlas"),
        "{said}"
    );
    let (code, said) = router.run(&["rate", "atlas", "0"]);
    assert_eq!(code, Some(64), "{said}");
    assert!(said.contains("1 to 100000"), "{said}");
    router.kill();
    let (code, said) = router.run(&["list"]);
    assert_eq!(code, Some(69), "{said}");
    assert!(said.contains(&router.links), "{said}");
}
