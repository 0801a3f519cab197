//! `HlrService` from both ends: what one of our providers says arrives word for word, and peers that do not keep to it are
//! named.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/peer.rs"]
mod peer;
#[path = "rig/scripted.rs"]
mod scripted;

use std::{net::SocketAddr, path::Path, sync::Arc};

use lookup::{Failure, HlrServer, HlrServerConfig, Provider, Reply, read_providers};
use peer::Peer;
use scripted::Scripted;
use service::{Stop, StopHandle, Tasks};
use signalbox_proto::server::Tls;
use sms::Msisdn;
use source::Secret;

const TOKEN: &str = "s3cr3t-bearer";

/// Our own server, for as long as this is kept.
struct Serving {
    address: SocketAddr,
    provider: Arc<Scripted>,
    stop: StopHandle,
    tasks: Tasks,
}

impl Serving {
    fn start(token: Option<&str>, tls: Option<Tls>) -> Self {
        let config = HlrServerConfig {
            address: "127.0.0.1:0".parse().unwrap(),
            token: token.map(Secret::new),
            tls,
        };
        let provider = Arc::new(Scripted::default());
        let server = HlrServer::bind(&config, Arc::clone(&provider) as _).unwrap();
        let (address, (stop, stopped)) = (server.address(), Stop::new());
        let mut tasks = Tasks::new();
        tasks.spawn(async move { server.run(stopped).await.unwrap() });
        Self {
            address,
            provider,
            stop,
            tasks,
        }
    }

    async fn stop(mut self) {
        self.stop.request();
        self.tasks.join_all().await;
    }
}

fn provider(url: &str, keys: &str, base: &Path) -> Arc<dyn Provider> {
    let text = format!("[[provider]]\nname = \"a\"\nkind = \"grpc\"\nprice = \"0.01\"\nurl = \"{url}\"\n{keys}");
    let configs = read_providers("providers.toml", &text, base).unwrap_or_else(|problems| panic!("{problems}"));
    configs[0].build(&service::Dice::seeded(1)).unwrap()
}

fn plain(address: SocketAddr, keys: &str) -> Arc<dyn Provider> {
    provider(&format!("http://{address}"), keys, "/".as_ref())
}

fn numbers(count: usize) -> Vec<Msisdn> {
    (0..count)
        .map(|n| Msisdn::new(&format!("4477009{n:05}")).unwrap())
        .collect()
}

async fn ask_one(provider: &Arc<dyn Provider>, number: &str) -> Result<Reply, Failure> {
    let mut results = provider.ask(&[Msisdn::new(number).unwrap()]).await;
    assert_eq!(results.len(), 1);
    results.pop().unwrap()
}

/// The failure as it reads on this side: the words of the other side behind its code.
fn over_the_wire(result: Result<Reply, Failure>) -> Result<Reply, Failure> {
    result.map_err(|failure| {
        let code = match &failure {
            Failure::Away(_) => "Unavailable",
            Failure::Busy { .. } => "ResourceExhausted",
            Failure::Refused(_) => "FailedPrecondition",
            Failure::Garbled(_) => "DataLoss",
            Failure::Undecided(_) => "Aborted",
        };
        let told = format!("{code}: {failure}");
        match failure {
            Failure::Away(_) => Failure::Away(told),
            Failure::Busy { retry_after, .. } => Failure::Busy { why: told, retry_after },
            Failure::Refused(_) => Failure::Refused(told),
            Failure::Garbled(_) => Failure::Garbled(told),
            Failure::Undecided(_) => Failure::Undecided(told),
        }
    })
}

/// Every kind of reply and failure, by `Lookup` and by `LookupStream`.
#[tokio::test]
async fn replies_and_failures_arrive_as_they_were_said() {
    let server = Serving::start(None, None);
    let provider = plain(server.address, "");
    let numbers = numbers(10);
    let expected: Vec<_> = "0123456789"
        .chars()
        .map(|last| over_the_wire(Scripted::result(last)))
        .collect();
    assert_eq!(provider.ask(&numbers).await, expected, "by a frame");
    for (number, expected) in numbers.iter().zip(&expected) {
        assert_eq!(&ask_one(&provider, number.digits()).await, expected, "{number:?} alone");
    }
    assert_eq!(provider.ask(&[]).await, []);
    server.stop().await;
}

/// The server asks its own provider about no more at a time than that takes.
#[tokio::test]
async fn a_full_frame_is_one_question_and_one_answer() {
    let server = Serving::start(None, None);
    let provider = plain(server.address, "numbers_max = 500");
    assert_eq!(provider.terms().numbers_max, 500);
    let results = provider.ask(&numbers(500)).await;
    assert_eq!(results.len(), 500);
    assert_eq!(results[491], Scripted::result('1'));
    let asked = std::mem::take(&mut *server.provider.asked.lock().unwrap());
    assert_eq!(asked.concat(), numbers(500));
    assert!(asked.iter().all(|part| part.len() <= 7), "{}", asked.len());
    server.stop().await;
}

#[tokio::test]
async fn only_who_shows_the_secret_is_answered() {
    let server = Serving::start(Some(TOKEN), None);
    let token = |token: &str| plain(server.address, &format!("token = \"{token}\""));
    let good = token(TOKEN);
    assert!(ask_one(&good, "447700900121").await.is_ok());
    assert!(good.ask(&numbers(2)).await.iter().all(Result::is_ok));
    let refused = "refused: Unauthenticated: the secret is missing or wrong";
    for bad in [token("s3cr3t-bearex"), token("x9"), plain(server.address, "")] {
        assert_eq!(ask_one(&bad, "447700900121").await.unwrap_err().to_string(), refused);
        let results = bad.ask(&numbers(2)).await;
        assert_eq!(results.len(), 2);
        assert!(
            results
                .iter()
                .all(|result| result.as_ref().unwrap_err().to_string() == refused)
        );
    }
    assert_eq!(
        server.provider.asked.lock().unwrap().len(),
        2,
        "the provider heard of the good ones alone"
    );
    server.stop().await;
}

/// With the authority that signed the server's certificate and a certificate of our own, and without each.
#[tokio::test]
async fn both_ends_show_certificates() {
    let folder = tempfile::tempdir().unwrap();
    for (name, usage) in [("server", "localhost"), ("client", "signalbox")] {
        let signed = rcgen::generate_simple_self_signed(vec![usage.to_owned()]).unwrap();
        std::fs::write(folder.path().join(format!("{name}.pem")), signed.cert.pem()).unwrap();
        std::fs::write(
            folder.path().join(format!("{name}.key")),
            signed.signing_key.serialize_pem(),
        )
        .unwrap();
    }
    let tls = Tls {
        certificate: folder.path().join("server.pem"),
        key: folder.path().join("server.key"),
        client_ca: Some(folder.path().join("client.pem")),
    };
    let server = Serving::start(None, Some(tls));
    let url = format!("https://localhost:{}", server.address.port());
    let (ca, identity) = (
        "ca = \"server.pem\"\n",
        "certificate = \"client.pem\"\nkey = \"client.key\"\n",
    );
    let good = provider(&url, &format!("{ca}{identity}"), folder.path());
    assert!(ask_one(&good, "447700900121").await.is_ok());
    for keys in [ca, identity] {
        let failure = ask_one(&provider(&url, keys, folder.path()), "447700900121")
            .await
            .unwrap_err();
        assert_eq!(failure.as_str(), "away", "{keys}{failure}");
    }
    drop(good);
    server.stop().await;
}

#[tokio::test]
async fn one_that_is_not_there_is_away() {
    let server = Serving::start(None, None);
    let address = server.address;
    let provider = plain(address, "");
    ask_one(&provider, "447700900121").await.unwrap();
    server.stop().await;
    let failure = ask_one(&provider, "447700900121").await.unwrap_err();
    assert_eq!(failure.as_str(), "away", "{failure}");
    assert!(failure.to_string().contains("refused"), "says how: {failure}");
    let results = provider.ask(&numbers(3)).await;
    assert!(
        results.len() == 3
            && results
                .iter()
                .all(|result| result.as_ref().unwrap_err().as_str() == "away")
    );
}

/// Peers that speak the protocol and do not keep to it.
#[tokio::test]
async fn what_is_no_answer_is_garbled() {
    for (number, expected) in [
        ("447700900100", "garbled: it answered for another number"),
        ("447700900101", "garbled: its answer is empty"),
        (
            "447700900102",
            "garbled: its network is \"23 4\": an MCC has three digits",
        ),
        ("447700900103", "garbled: its cost is \"-1\": it is no amount"),
        (
            "447700900104",
            "refused: PermissionDenied: a text that repeats a secret",
        ),
        ("447700900105", "away: Internal: no number **********05 here"),
    ] {
        let peer = Peer::start().await;
        let provider = plain(peer.address, &format!("token = \"{TOKEN}\""));
        let failure = ask_one(&provider, number).await.unwrap_err().to_string();
        let expected = expected.replace("**********05", "+************");
        assert_eq!(failure, expected, "{number}");
    }
}

/// A frame that is answered for another one, by too few results, or not at all.
#[tokio::test]
async fn frames_are_held_to_their_numbers() {
    let peer = Peer::start().await;
    let provider = plain(peer.address, "");
    for (count, expected) in [
        (2, "garbled: it gave 1 results for 2 numbers"),
        (3, "garbled: DataLoss: it answered another frame"),
        (4, "garbled: DataLoss: it ended the stream without an answer"),
    ] {
        let results = provider.ask(&numbers(count)).await;
        assert_eq!(results.len(), count);
        for result in results {
            assert_eq!(result.unwrap_err().to_string(), expected);
        }
    }
}

#[test]
fn bad_keys_are_named() {
    for (keys, expected) in [
        ("url = \"http://hlr.example.com\"", "is in plain text"),
        ("url = \"hlr.example.com:443\"", "has no https:// and host in front"),
        (
            "url = \"https://a\"\ncertificate = \"c\"",
            "\"provider.certificate\" is of no use without key",
        ),
        ("url = \"https://a\"\nnumbers_max = 501", "is 501, allowed are 1 to 500"),
        (
            "url = \"https://a\"\ntoken = { env = \"SIGNALBOX_NOT_SET\" }",
            "environment variable SIGNALBOX_NOT_SET",
        ),
        ("", "\"provider.url\" is missing"),
    ] {
        let text = format!("[[provider]]\nname = \"a\"\nkind = \"grpc\"\nprice = \"0.01\"\n{keys}");
        let problems = read_providers("p.toml", &text, "/".as_ref()).unwrap_err().to_string();
        assert!(problems.contains(expected), "{problems}");
    }
    let text = "[[provider]]\nname = \"a\"\nkind = \"grpc\"\nprice = \"0\"\nurl = \"https://a\"\nca = \"gone.pem\"";
    let config = &read_providers("p.toml", text, "/nowhere".as_ref()).unwrap()[0];
    let error = config.build(&service::Dice::seeded(1)).err().unwrap().to_string();
    assert!(
        error.starts_with("provider a: /nowhere/gone.pem: No such file"),
        "{error}"
    );
}
