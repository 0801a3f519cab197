//! Links that operators pause, drain, limit and test, by the commands they use: a real process on the embedded log, and
//! carriers over TCP.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use service::time;
use signalbox_loadtest::smsc::{Config, Handle, Smsc};
use signalbox_proto::pb::signalbox::{
    ingest::v1::{
        MessageState, Submission, SubmitStreamRequest, WatchReceiptsRequest, answer::Result as Answered,
        message_service_client::MessageServiceClient,
    },
    sms::v1::{Content, MessageClass, content::Body},
};
use tonic::{Request, transport::Channel};

const KEY: &str = "key-of-the-test";
/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// The folder of one router, and the process if it runs.
struct Router {
    folder: tempfile::TempDir,
    child: Option<Child>,
    /// Where it answers operators.
    links: String,
}

impl Router {
    /// A router whose passwords go to the first of `carriers`, and to the others when that cannot be.
    fn new(carriers: &[&str]) -> Self {
        let router = Self {
            folder: tempfile::tempdir().unwrap(),
            child: None,
            links: String::new(),
        };
        let place = "kind = \"embedded\"\npath = \"data/log\"\n";
        let config = format!(
            "[bus]\n{place}[store]\n{place}[table]\npath = \"table\"\n[connector]\nlinks = \"links.toml\"\n\
             grpc = \"127.0.0.1:0\"\n\
             [ingest]\ngrpc = \"127.0.0.1:0\"\naccounts = \"accounts.toml\"\n"
        );
        router.write("signalbox.toml", &config);
        let account = format!("[[account]]\nname = \"acme\"\nkeys = [\"{KEY}\"]\nin_flight = 10000\n");
        router.write("accounts.toml", &account);
        router.write(
            "table/numbering.csv",
            "prefix,mcc,mnc,country,operator\n33,208,,FR,\n33620,208,10,FR,SFR\n",
        );
        router.write("table/table.toml", "name = \"plain\"\ncurrency = \"EUR\"\n");
        router.route(carriers);
        router
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(path, text).unwrap();
    }

    fn route(&self, carriers: &[&str]) {
        let entry = |name: &&str| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
        self.write("table/carriers.toml", &carriers.iter().map(entry).collect::<String>());
        let names: Vec<_> = carriers.iter().map(|name| format!("\"{name}\"")).collect();
        let route = format!("strategy = \"priority\", carriers = [{}]", names.join(", "));
        // What a killed carrier took and never said a word about goes to the next one.
        let more = "spill_after = \"10m\", receipt_within = \"3s\"";
        let policy = format!("[[policy]]\nname = \"all\"\nroute = {{ {route}, {more} }}\n");
        self.write("table/policies.toml", &policy);
        let _ = fs::remove_dir_all(self.path("table/rates"));
        for name in carriers {
            let rates = "mcc,mnc,prefix,price,from,until\n208,,,0.05,,\n";
            self.write(&format!("table/rates/{name}.csv"), rates);
        }
    }

    /// Links by name of their carrier; each sends so many parts a second.
    fn link(&self, links: &[(&str, &Handle, u32)]) {
        let entry = |(name, carrier, rate): &(&str, &Handle, u32)| {
            format!(
                "[[link]]\nname = \"{name}\"\nkind = \"smpp\"\ncarriers = [\"{name}\"]\naddress = \"{}\"\n\
                 system_id = \"test\"\npassword = \"test\"\nwindow = 50\nrate = {rate}\n",
                carrier.addr()
            )
        };
        self.write("links.toml", &links.iter().map(entry).collect::<String>());
    }

    /// Starts the process and connects to it.
    async fn start(&mut self) -> MessageServiceClient<Channel> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_signalbox"))
            .args(["standalone", "--config"])
            .arg(self.path("signalbox.toml"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.child = Some(child);
        let mut lines = lines.map(Result::unwrap);
        let mut told = |words: &str| {
            let line = lines.find(|line| line.starts_with(words)).expect("it says where it is");
            format!("http://{}", &line[words.len()..])
        };
        self.links = told("signalbox: links, gRPC on ");
        let ingest = told("signalbox: ready, gRPC on ");
        MessageServiceClient::connect(ingest).await.unwrap()
    }

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

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.kill();
    }
}

fn with_key<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    let key = format!("Bearer {KEY}").parse().unwrap();
    request.metadata_mut().insert("authorization", key);
    request
}

fn number(index: usize) -> String {
    format!("33620{index:06}")
}

/// Submits `count` passwords to as many numbers; their ids.
async fn submit(client: &mut MessageServiceClient<Channel>, count: usize) -> BTreeSet<String> {
    let password = |index: usize| Submission {
        to: number(index),
        from: "ACME".to_owned(),
        content: Some(Content {
            body: Some(Body::Text(format!("Your code is {index}"))),
        }),
        class: MessageClass::Otp.into(),
        ..Submission::default()
    };
    let frame = SubmitStreamRequest {
        sequence: 1,
        messages: (0..count).map(password).collect(),
    };
    let request = with_key(tokio_stream::once(frame));
    let mut answers = client.submit_stream(request).await.unwrap().into_inner();
    let mut ids = BTreeSet::new();
    while let Some(response) = answers.message().await.unwrap() {
        for answer in response.answers {
            match answer.result {
                Some(Answered::Accepted(accepted)) => ids.insert(accepted.message_id),
                other => panic!("a password was not accepted: {other:?}"),
            };
        }
    }
    assert_eq!(ids.len(), count);
    ids
}

/// Waits until every one of `ids` was delivered, by whomever.
async fn delivered(client: &mut MessageServiceClient<Channel>, mut ids: BTreeSet<String>) {
    let since = Some(prost_types::Timestamp::default());
    let request = WatchReceiptsRequest {
        token: String::new(),
        since,
    };
    let mut receipts = client.watch_receipts(with_key(request)).await.unwrap().into_inner();
    let all = async {
        while !ids.is_empty() {
            let response = receipts.message().await.unwrap().expect("the watch goes on");
            for receipt in response.receipts {
                assert_eq!(receipt.state(), MessageState::Delivered, "{receipt:?}");
                ids.remove(&receipt.message_id);
            }
        }
    };
    let done = time::timeout(PATIENCE, all).await;
    assert!(done.is_some(), "some were never delivered");
}

async fn carrier(name: &str) -> Handle {
    let config = Config {
        name: name.to_owned(),
        ..Config::default()
    };
    Smsc::start(config).await.unwrap()
}

/// Waits until `carrier` received `count` messages.
async fn received(carrier: &Handle, count: usize) {
    let enough = async {
        while carrier.received().len() < count {
            time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(
        time::timeout(PATIENCE, enough).await.is_some(),
        "the carrier received too little"
    );
}

fn destinations(carrier: &Handle) -> BTreeSet<String> {
    let received = carrier.received().into_iter();
    received.map(|message| message.destination).collect()
}

/// Nothing reaches the carrier for a while, and all of it does then; the one command of the operator is heeded before it ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_paused_link_submits_nothing_and_a_resumed_one_everything_once() {
    let atlas = carrier("atlas").await;
    let mut router = Router::new(&["atlas"]);
    router.link(&[("atlas", &atlas, 100)]);
    let mut client = router.start().await;
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
    let mut router = Router::new(&["atlas", "borealis"]);
    router.link(&[("atlas", &atlas, 10), ("borealis", &borealis, 1_000)]);
    let mut client = router.start().await;
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
    router.start().await;
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
    let mut router = Router::new(&["atlas"]);
    router.link(&[("atlas", &atlas, 5)]);
    let mut client = router.start().await;
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
    let mut router = Router::new(&["atlas"]);
    router.link(&[("atlas", &atlas, 5)]);
    router.start().await;
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
