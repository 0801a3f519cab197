//! Every provider under `deploy/examples/providers` against answers in the shapes that its provider documents; numbers are
//! made up.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

#[path = "rig/answering.rs"]
mod answering;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use answering::{Answering, json};
use lookup::{Failure, Provider, ProviderConfig, Reply, read_providers};
use sms::Msisdn;
use table::Micros;

/// A made-up secret for each file that an example may name.
const SECRETS: [(&str, &str); 5] = [
    ("hlr-service", "hlr-token-3e7d"),
    ("hlr-lookups", "hlr-basic-0f3a"),
    ("tmt-key", "tmt-key-77b1"),
    ("tmt-secret", "tmt-secret-91c4"),
    ("tyntec", "tyntec-key-5d20"),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../deploy/examples/providers")
}

fn read(file: &str, text: &str) -> Vec<ProviderConfig> {
    let base = tempfile::tempdir().unwrap();
    fs::create_dir(base.path().join("secrets")).unwrap();
    for (name, secret) in SECRETS {
        fs::write(base.path().join("secrets").join(name), format!("{secret}\n")).unwrap();
    }
    read_providers(file, text, base.path()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// The provider of an example, asked about `number` with its host played by a recording: what it makes of the answer, and
/// what was asked.
async fn ask(example: &str, recording: &str, number: &str) -> (Result<Reply, Failure>, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recorded/{example}.{recording}.json"));
    let body = fs::read_to_string(path).unwrap();
    let server = Answering::start(move |_| json("200 OK", &body)).await;
    let file = format!("{example}.toml");
    let text = fs::read_to_string(folder().join(&file)).unwrap();
    let host = text.split_once("https://").unwrap().1.split('/').next().unwrap();
    let text = text.replace(&format!("https://{host}"), &format!("http://{}", server.address));
    let provider: Arc<dyn Provider> = read(&file, &text)[0].build(&service::Dice::seeded(1)).unwrap();
    let reply = provider.ask(&[Msisdn::new(number).unwrap()]).await.pop().unwrap();
    (reply, server.requests().pop().unwrap())
}

/// One line for a reply: network, ported, reach, roaming, cost.
fn line(reply: &Result<Reply, Failure>) -> String {
    let reply = match reply {
        Ok(reply) => reply,
        Err(failure) => return failure.to_string(),
    };
    let flag = |flag: Option<bool>, yes: &str, no: &str| match flag {
        Some(true) => yes.to_owned(),
        Some(false) => no.to_owned(),
        None => "?".to_owned(),
    };
    let network = reply
        .network
        .map_or_else(|| "?".to_owned(), |network| network.to_string());
    let (ported, roaming) = (
        flag(reply.ported, "ported", "home"),
        flag(reply.roaming, "abroad", "inland"),
    );
    let cost = reply.cost.map_or_else(|| "?".to_owned(), |cost| cost.to_string());
    format!("{network} {ported} {} {roaming} {cost}", reply.reach.as_str())
}

#[tokio::test]
async fn hlr_lookups_hlr() {
    let of = async |recording| ask("hlr-lookups-hlr", recording, "447700900123").await;
    let (reply, request) = of("connected").await;
    assert_eq!(line(&reply), "23410 ported connected inland 0.010000");
    assert!(request.starts_with("POST /api/v2/hlr-lookup HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-basic: hlr-basic-0f3a\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"msisdn\":\"+447700900123\"}"), "{request}");
    assert_eq!(line(&of("absent").await.0), "23415 home absent ? 0.010000");
    assert_eq!(line(&of("invalid").await.0), "? ? dead ? 0.010000");
    assert_eq!(line(&of("undetermined").await.0), "? ? unknown ? 0.000000");
}

#[tokio::test]
async fn hlr_lookups_mnp() {
    let of = async |recording| ask("hlr-lookups-mnp", recording, "14155550123").await;
    let (reply, request) = of("ported").await;
    assert_eq!(line(&reply), "310260 ported unknown ? 0.005000");
    assert!(request.starts_with("POST /api/v2/mnp-lookup HTTP/1.1\r\n"), "{request}");
    assert_eq!(line(&of("failed").await.0), "undecided: it says \"FAILED\"");
}

#[tokio::test]
async fn tmt_live() {
    let of = async |recording| ask("tmt-live", recording, "40700900123").await;
    let (reply, request) = of("present").await;
    assert_eq!(line(&reply), "22610 ported connected ? ?");
    assert!(
        request.starts_with("GET /live/json/tmt-key-77b1/tmt-secret-91c4/40700900123 HTTP/1.1\r\n"),
        "{request}"
    );
    assert_eq!(line(&of("network-only").await.0), "22601 home unknown ? ?");
    assert_eq!(line(&of("invalid").await.0), "? ? dead ? ?");
    assert_eq!(line(&of("congestion").await.0), "busy: it says \"3\"");
    assert_eq!(line(&of("unauthorised").await.0), "refused: it says \"2\"");
    let another = ask("tmt-live", "present", "40700900124").await.0;
    assert_eq!(line(&another), "garbled: in its answer nothing stands where it should");
}

#[tokio::test]
async fn tyntec_gnp() {
    let of = async |recording| ask("tyntec-gnp", recording, "4915550123456").await;
    let (reply, request) = of("found").await;
    assert_eq!(line(&reply), "26202 home unknown ? 0.001000");
    assert!(
        request.starts_with("GET /nis/v1/gnp?msisdn=%2B4915550123456 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("apikey: tyntec-key-5d20\r\n"), "{request}");
    assert_eq!(line(&of("failed").await.0), "undecided: it says \"ffff\"");
}

/// An example that nobody plays would go stale unseen.
#[test]
fn every_example_is_read_and_played() {
    let mut found: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let expected = [
        "carrier-enum",
        "hlr-lookups-hlr",
        "hlr-lookups-mnp",
        "hlr-service",
        "simulator",
        "tmt-live",
        "tyntec-gnp",
    ];
    assert_eq!(found, expected.map(|name| format!("{name}.toml")));
    for file in &found {
        let configs = read(file, &fs::read_to_string(folder().join(file)).unwrap());
        assert_eq!((configs.len(), configs[0].name.clone() + ".toml"), (1, file.clone()));
        let is_paid = configs[0].price > Micros(0);
        assert_eq!(is_paid, configs[0].rate.is_some(), "{file}: what costs has a limit");
        assert_eq!(
            configs[0].is_authoritative,
            file.contains("hlr.toml") || file == "simulator.toml"
        );
    }
}
