//! What waits for a carrier that goes is delivered by another: a real process on the embedded log, and carriers over TCP.
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
}

impl Router {
    /// A router whose passwords go to the first of `carriers`, and to the others when that cannot be.
    fn new(carriers: &[&str]) -> Self {
        let router = Self {
            folder: tempfile::tempdir().unwrap(),
            child: None,
        };
        let place = "kind = \"embedded\"\npath = \"data/log\"\n";
        let config = format!(
            "[bus]\n{place}[store]\n{place}[table]\npath = \"table\"\n[connector]\nlinks = \"links.toml\"\n\
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
        let ready = "signalbox: ready, gRPC on ";
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.child = Some(child);
        let line = lines.map(Result::unwrap).find(|line| line.starts_with(ready));
        let url = format!("http://{}", &line.expect("it becomes ready")[ready.len()..]);
        MessageServiceClient::connect(url).await.unwrap()
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

/// Atlas takes ten a second, so that most wait for it when it is killed in the middle of them.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_that_wait_for_a_killed_carrier_are_delivered_by_the_next() {
    let (atlas, borealis) = (carrier("atlas").await, carrier("borealis").await);
    let mut router = Router::new(&["atlas", "borealis"]);
    router.link(&[("atlas", &atlas, 10), ("borealis", &borealis, 1_000)]);
    let mut client = router.start().await;
    let ids = submit(&mut client, 300).await;
    received(&atlas, 5).await;
    atlas.kill();
    delivered(&mut client, ids).await;
    let by_borealis = destinations(&borealis).len();
    assert!(by_borealis >= 200, "{by_borealis}");
}

/// Its link and its name in the table are gone when the router comes back: nobody speaks of it any more, and the caretaker
/// hands its queue back.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_that_wait_for_a_carrier_taken_out_are_delivered_by_another() {
    let (atlas, borealis) = (carrier("atlas").await, carrier("borealis").await);
    let mut router = Router::new(&["atlas"]);
    router.link(&[("atlas", &atlas, 1)]);
    let mut client = router.start().await;
    let ids = submit(&mut client, 200).await;
    received(&atlas, 1).await;
    router.kill();
    router.route(&["borealis"]);
    router.link(&[("borealis", &borealis, 1_000)]);
    let mut client = router.start().await;
    delivered(&mut client, ids).await;
    assert!(
        destinations(&borealis).len() >= 150,
        "{}",
        destinations(&borealis).len()
    );
}
