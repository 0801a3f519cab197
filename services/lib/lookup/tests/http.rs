//! A provider over HTTP that answers well, badly, late, for somebody else, or with our own secrets.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/answering.rs"]
mod answering;

use std::{sync::Arc, time::Duration};

use answering::{Answering, json};
use lookup::{Failure, Provider, Reach, Reply, Terms, read_providers};
use sms::Msisdn;
use table::{Micros, Network};
use tokio::io::AsyncReadExt as _;

const SECRET: &str = "s3cr3t/Val-ue";
const NUMBER: &str = "447700900123";

/// A provider with every key, at `address`.
fn provider(address: std::net::SocketAddr) -> Arc<dyn Provider> {
    let text = format!(
        r#"
        [[provider]]
        name = "atlas"
        kind = "http"
        price = "0.005"
        method = "POST"
        url = "http://{address}/v1/{{key}}?to={{msisdn}}"
        body = '{{"to":["+{{msisdn}}"],"key":"{{key}}"}}'
        [provider.secrets]
        key = "{SECRET}"
        [provider.headers]
        Authorization = "Bearer {{key}}"
        [provider.answer]
        number = "/to"
        mccmnc = "/net"
        ported = "/ported"
        roaming = "/roaming"
        cost = "/cost"
        cost_fx = "0.5"
        status = "/status"
        error = "/error"
        [provider.answer.statuses]
        ON = "connected"
        OFF = "absent"
        GONE = "dead"
        LATER = "retry"
        [provider.answer.errors]
        none = "none"
        money = "refused"
        slow = "busy"
        gone = "dead"
        [provider.answer.codes]
        404 = "unknown"
        "#
    );
    let configs = read_providers("providers.toml", &text, "/".as_ref()).unwrap_or_else(|found| panic!("{found}"));
    configs[0].build(&service::Dice::seeded(1)).unwrap()
}

/// What the provider makes of an answer, octet for octet.
async fn made_of(answer: Vec<u8>) -> Result<Reply, Failure> {
    let server = Answering::start(move |_| answer.clone()).await;
    let provider = provider(server.address);
    let number = Msisdn::new(NUMBER).unwrap();
    let found = service::time::timeout(Duration::from_secs(20), provider.ask(&[number])).await;
    let result = found.expect("an answer in time").pop().unwrap();
    if let Err(failure) = &result {
        let told = failure.to_string().to_lowercase();
        assert!(!told.contains("s3cr3t") && !told.contains("val-ue"), "{told}");
        assert!(!told.contains("7700900123"), "{told}");
    }
    result
}

async fn body(body: &str) -> Result<Reply, Failure> {
    made_of(json("200 OK", body)).await
}

fn garbled(why: &str) -> Result<Reply, Failure> {
    Err(Failure::Garbled(why.to_owned()))
}

/// Looks at what goes over the wire: secrets are written as their place wants it.
#[tokio::test]
async fn the_question_is_as_configured() {
    let server = Answering::start(|_| json("200 OK", r#"{"to":"447700900123","net":"23410"}"#)).await;
    let provider = provider(server.address);
    assert_eq!(
        provider.terms(),
        &Terms {
            name: "atlas".to_owned(),
            price: Micros(5_000),
            is_authoritative: false,
            numbers_max: 1,
        }
    );
    let numbers = [Msisdn::new(NUMBER).unwrap()];
    provider.ask(&numbers).await.pop().unwrap().unwrap();
    let request = server.requests().pop().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.starts_with("POST /v1/s3cr3t%2FVal-ue?to=447700900123 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("authorization: Bearer s3cr3t/Val-ue"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert_eq!(body, r#"{"to":["+447700900123"],"key":"s3cr3t/Val-ue"}"#);
}

#[tokio::test]
async fn all_that_is_said_is_read() {
    let found = body(
        r#"{"to":"+44 7700 900123","net":"23410","ported":"YES","roaming":0,"cost":0.01,"status":"ON","error":null}"#,
    );
    let expected = Reply {
        network: Some(Network::parse("234", "10").unwrap()),
        ported: Some(true),
        reach: Reach::Connected,
        roaming: Some(false),
        ttl: None,
        cost: Some(Micros(5_000)),
    };
    assert_eq!(found.await, Ok(expected));
}

#[tokio::test]
async fn words_mean_what_the_maps_say() {
    let status = |word: &str| body_of_status(word.to_owned());
    assert_eq!(status("OFF").await.unwrap().reach, Reach::Absent);
    let dead = status("GONE").await.unwrap();
    assert_eq!((dead.reach, dead.network), (Reach::Dead, None), "nobody serves it");
    assert_eq!(
        status("NEW").await.unwrap().reach,
        Reach::Unknown,
        "the network still counts"
    );
    assert_eq!(status("LATER").await.unwrap_err().as_str(), "undecided");
    let error = async |word: &str| body(&format!(r#"{{"to":"447700900123","error":"{word}"}}"#)).await;
    assert_eq!(
        error("money").await.unwrap_err(),
        Failure::Refused("it says \"money\"".to_owned())
    );
    assert_eq!(error("slow").await.unwrap_err().as_str(), "busy");
    assert_eq!(error("gone").await.unwrap().reach, Reach::Dead);
    assert_eq!(
        error("what").await,
        garbled("its error is \"what\", which `errors` does not name")
    );
    assert_eq!(
        body(r#"{"to":"447700900123","status":"NEW"}"#).await,
        garbled("its status is \"NEW\", which `statuses` does not name")
    );
}

async fn body_of_status(word: String) -> Result<Reply, Failure> {
    body(&format!(r#"{{"to":"447700900123","net":"23410","status":"{word}"}}"#)).await
}

#[tokio::test]
async fn an_answer_about_another_number_is_garbled() {
    let another = body(r#"{"to":"447700900124","net":"23410"}"#).await;
    assert_eq!(another, garbled("it answered for another number"));
    let nobody = body(r#"{"net":"23410"}"#).await;
    assert_eq!(nobody, garbled("it does not say which number its answer is about"));
}

#[tokio::test]
async fn what_is_no_answer_is_garbled() {
    for (text, why) in [
        (
            "",
            "its answer is no JSON: EOF while parsing a value at line 1 column 0",
        ),
        ("<html>", "its answer is no JSON: expected value at line 1 column 1"),
        (
            r#"{"to":"447700900123","net":"2341"#,
            "its answer is no JSON: EOF while parsing a string at line 1 column 32",
        ),
        (
            r#"{"to":"447700900123"}"#,
            "in its answer nothing stands where it should",
        ),
        (
            r#"{"to":"447700900123","net":"234 10"}"#,
            "its network is \"234 10\": MCC and MNC are written together in 5 or 6 digits, such as 20801",
        ),
        (
            r#"{"to":"447700900123","net":23410,"cost":"-1"}"#,
            "its cost \"-1\" is no amount",
        ),
    ] {
        assert_eq!(body(text).await, garbled(why), "{text}");
    }
    assert_eq!(
        body(r#"{"to":"447700900123","net":null}"#).await,
        Ok(Reply::default()),
        "not known there"
    );
    let deep = "[".repeat(60_000);
    assert_eq!(body(&deep).await.unwrap_err().as_str(), "garbled");
}

/// Ten megabytes, with and without saying so first, and without an end.
#[tokio::test]
async fn an_answer_is_read_up_to_its_limit() {
    let long = garbled("its answer is longer than 65536 octets");
    let text = format!(r#"{{"to":"{}"}}"#, "x".repeat(10_000_000));
    assert_eq!(body(&text).await, long);
    let mut endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    endless.extend(text.as_bytes());
    assert_eq!(made_of(endless).await, long);
    let head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(1_000_000));
    assert_eq!(made_of(head.into_bytes()).await.unwrap_err().as_str(), "away");
}

/// A redirect leads to a server that would be sent the secrets; it never hears of us.
#[tokio::test]
async fn redirects_are_refused() {
    let elsewhere = Answering::start(|_| json("200 OK", r#"{"to":"447700900123","net":"23410"}"#)).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: http://{}/?key={SECRET}\r\ncontent-length: 0\r\n\r\n",
            elsewhere.address
        );
        let failure = made_of(answer.into_bytes()).await.unwrap_err();
        assert_eq!(failure.as_str(), "refused");
        assert!(failure.to_string().contains("redirects"), "{failure}");
    }
    assert_eq!(elsewhere.requests(), Vec::<String>::new());
}

#[tokio::test]
async fn status_codes_say_whom_to_blame() {
    for (status, expected) in [
        ("400 Bad", "undecided"),
        ("422 Bad", "undecided"),
        ("405 Bad", "refused"),
        ("401 Who", "refused"),
        ("402 Pay", "refused"),
        ("403 No", "refused"),
        ("429 Slow", "busy"),
        ("500 Oops", "away"),
        ("503 Away", "away"),
    ] {
        let failure = made_of(json(status, "<html>")).await.unwrap_err();
        assert_eq!(failure.as_str(), expected, "{status}");
    }
    assert_eq!(
        made_of(json("404 None", "")).await,
        Ok(Reply::default()),
        "as `codes` says"
    );
    let told = made_of(json("403 No", r#"{"error":"slow"}"#)).await;
    assert_eq!(told.unwrap_err().as_str(), "busy", "its own word is worth more");
    let slow = "HTTP/1.1 429 Slow\r\nretry-after: 30\r\ncontent-length: 0\r\n\r\n";
    let expected = Failure::Busy {
        why: "it answered HTTP 429".to_owned(),
        retry_after: Some(Duration::from_secs(30)),
    };
    assert_eq!(made_of(slow.into()).await, Err(expected));
    let for_ever = slow.replace("30", &u64::MAX.to_string());
    let Err(Failure::Busy { retry_after, .. }) = made_of(for_ever.into()).await else {
        panic!("it is busy")
    };
    assert_eq!(retry_after, Some(lookup::RETRY_AFTER_MAX));
}

/// The check for leaks is in [`made_of`]; here is what the log says instead.
#[tokio::test]
async fn secrets_and_numbers_that_come_back_are_hidden() {
    let said = async |word: &str| body(&format!(r#"{{"to":"447700900123","error":"{word}"}}"#)).await;
    let hidden = garbled("its error is \"a text that repeats a secret\", which `errors` does not name");
    for word in ["bad key s3cr3t/Val-ue", "S3CR3T%2FVAL-UE", "Bearer s3cr3t/Val"] {
        assert_eq!(said(word).await, hidden, "{word}");
    }
    let failure = said("no such number +44 7700 900123").await.unwrap_err();
    assert!(
        failure.to_string().contains("no such number +** **** ******"),
        "{failure}"
    );
    for status in ["200 OK", "500 Oops", "403 No"] {
        let text = r#"{"error":"Bearer s3cr3t/Val-ue 447700900123","to":"447700900123"}"#;
        made_of(json(status, text)).await.unwrap_err();
        made_of(json(status, r#"{"to":"447700900123","net":"s3cr3t/Val-ue"}"#))
            .await
            .unwrap_err();
    }
}

#[tokio::test]
async fn one_that_hangs_up_or_is_not_there_is_away() {
    let torn = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"to\":";
    for answer in ["", "HTTP/1.1 2", torn, "SSH-2.0-OpenSSH\r\n"] {
        assert_eq!(made_of(answer.into()).await.unwrap_err().as_str(), "away", "{answer:?}");
    }
    let gone = Answering::start(|_| Vec::new()).await.address;
    let number = Msisdn::new(NUMBER).unwrap();
    let failure = provider(gone).ask(&[number]).await.pop().unwrap().unwrap_err();
    assert_eq!(failure.as_str(), "away", "{failure}");
}

/// Whoever asks gives up: the connection is closed, and nothing of the question goes on.
#[tokio::test]
async fn a_question_ends_with_who_asks() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let provider = provider(listener.local_addr().unwrap());
    let numbers = [Msisdn::new(NUMBER).unwrap()];
    let mut question = provider.ask(&numbers);
    let accepted = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut octets = [0; 4_096];
        assert!(stream.read(&mut octets).await.unwrap() > 0);
        stream
    };
    let mut stream = tokio::select! {
        biased;
        stream = accepted => stream,
        _ = &mut question => panic!("nobody answered"),
    };
    drop(question);
    let mut rest = Vec::new();
    let closed = service::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut rest)).await;
    assert!(closed.is_some(), "the connection is closed");
}

/// One of a hundred that is dropped takes no other with it.
#[tokio::test]
async fn many_are_asked_at_a_time() {
    let server = Answering::start(|request| {
        let (_, digits) = request.split_once("?to=").unwrap();
        let digits = digits.split(' ').next().unwrap();
        json("200 OK", &format!(r#"{{"to":"{digits}","net":"23410"}}"#))
    })
    .await;
    let provider = provider(server.address);
    let numbers: Vec<_> = (100..200)
        .map(|n| Msisdn::new(&format!("447700900{n}")).unwrap())
        .collect();
    drop(provider.ask(&numbers[..1]));
    let replies = provider.ask(&numbers).await;
    assert_eq!(replies.len(), 100);
    assert!(replies.iter().all(Result::is_ok), "{replies:?}");
}

/// Behind TLS, with the authority that signed its certificate and without it.
#[tokio::test]
async fn a_provider_shows_a_certificate_that_is_trusted() {
    use tokio_rustls::{TlsAcceptor, rustls};
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let server = Answering::over_tls(|_| json("200 OK", r#"{"net":"23410"}"#), acceptor).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), signed.cert.pem()).unwrap();
    let port = server.address.port();
    let text = format!(
        "[[provider]]\nname = \"a\"\nkind = \"http\"\nprice = \"0\"\nurl = \"https://localhost:{port}/{{msisdn}}\"\n\
         ca = \"ca.pem\"\n[provider.answer]\nmccmnc = \"/net\""
    );
    let ask = async |text: &str| {
        let configs = read_providers("providers.toml", text, folder.path()).unwrap();
        let provider = configs[0].build(&service::Dice::seeded(1)).unwrap();
        provider.ask(&[Msisdn::new(NUMBER).unwrap()]).await.pop().unwrap()
    };
    assert!(ask(&text).await.unwrap().network.is_some());
    let failure = ask(&text.replace("ca = \"ca.pem\"\n", "")).await.unwrap_err();
    assert!(failure.to_string().contains("invalid peer certificate"), "{failure}");
    std::fs::write(folder.path().join("ca.pem"), "no certificate").unwrap();
    let config = &read_providers("providers.toml", &text, folder.path()).unwrap()[0];
    let error = config.build(&service::Dice::seeded(1)).err().unwrap().to_string();
    assert!(
        error.starts_with("provider a: there is no certificate of an authority in "),
        "{error}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 64, failure_persistence: None, ..Default::default() })]

    /// Whatever a provider answers, it is read, refused or garbled, and our secret is not in what is said of it.
    #[test]
    fn any_answer_comes_to_something(
        code in 200_u16..600,
        fields in proptest::collection::vec((0_usize..7, 0_usize..9, "[ -~]{0,24}"), 0..8),
    ) {
        let value = |kind: usize, text: &str| match kind {
            0 => "null".to_owned(),
            1 => "true".to_owned(),
            2 => "23410".to_owned(),
            3 => "-1e9".to_owned(),
            4 => "[1]".to_owned(),
            5 => format!("\"{SECRET}\""),
            6 => format!("\"{NUMBER}\""),
            _ => serde_json::Value::from(text).to_string(),
        };
        let names = ["to", "net", "ported", "roaming", "cost", "status", "error"];
        let fields: Vec<_> = fields.iter().map(|(at, kind, text)| format!("\"{}\":{}", names[*at], value(*kind, text))).collect();
        let body = format!("{{{}}}", fields.join(","));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let _ = runtime.block_on(made_of(json(&format!("{code} X"), &body)));
    }
}
