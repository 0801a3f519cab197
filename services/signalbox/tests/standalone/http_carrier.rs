//! A message goes to a carrier over HTTP, and the carrier's webhook ends it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use service::{Tasks, time};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::rig::{KEY, Standalone};

const TOKEN: &str = "token-of-the-test";

/// A router that sends to `carrier` and hears of it at `hook`.
fn router(carrier: SocketAddr, hook: SocketAddr) -> Standalone {
    let mut router = Standalone::new("");
    router.table(&["atlas"], "");
    router.write("token", TOKEN);
    router.write("links.toml", &links(carrier, hook));
    router.start();
    router
}

fn links(carrier: SocketAddr, hook: SocketAddr) -> String {
    format!(
        "[[link]]\nname = \"atlas\"\nkind = \"http\"\ncarriers = [\"atlas\"]\nurl = \"http://{carrier}/send\"\n\
         secrets = {{ token = {{ file = \"token\" }} }}\nheaders = {{ authorization = \"Bearer {{token}}\" }}\n\
         json = {{ to = \"+{{to}}\", text = \"{{text}}\", call = \"{{receipt_url}}\" }}\nanswer = {{ id = \"/id\" }}\n\
         [link.webhook]\nlisten = \"{hook}\"\nurl = \"http://{hook}/receipts\"\n\
         proof = {{ header = \"x-token\", value = {{ file = \"token\" }} }}\n\
         receipts = {{ id = \"id\", status = \"status\", error = \"error\" }}\n"
    )
}

/// Reads one request or answer that tells its length.
async fn read(stream: &mut TcpStream) -> String {
    let mut octets = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&octets).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        let mut more = [0; 4_096];
        let count = stream.read(&mut more).await.unwrap();
        assert!(count > 0, "it breaks off: {text}");
        octets.extend(&more[..count]);
    }
}

/// Takes every message under one id more, and calls with `status` until that is taken, as carriers do.
async fn carrier(listener: TcpListener, hook: SocketAddr, status: &str, seen: Arc<Mutex<Vec<String>>>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read(&mut stream).await;
        let id = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            format!("m-{}", seen.len())
        };
        let body = format!("{{\"id\":\"{id}\"}}");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        drop(stream);
        let body = format!("{{\"id\":\"{id}\",\"status\":\"{status}\",\"error\":\"7\"}}");
        let call = format!(
            "POST /receipts HTTP/1.1\r\nhost: h\r\nx-token: {TOKEN}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        loop {
            let mut stream = TcpStream::connect(hook).await.unwrap();
            stream.write_all(call.as_bytes()).await.unwrap();
            if read(&mut stream).await.starts_with("HTTP/1.1 200 ") {
                break;
            }
            time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What `send` says of a message that the carrier reports with `status`, and what the carrier was asked.
async fn sent(status: &'static str) -> (String, Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    // Whoever else wants a port within the next moment may take it, which fails the test.
    let hook = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Tasks::new();
    let kept = Arc::clone(&seen);
    tasks.spawn(async move { carrier(listener, hook, status, kept).await });
    let router = router(address, hook);
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args([
            "send",
            "--from",
            "ACME",
            "--to",
            "+33639981234",
            "--text",
            "Grüße, \"Łódź\" 😀",
        ])
        .args(["--server", &router.server, "--api-key", KEY])
        .output()
        .await
        .unwrap();
    let requests = seen.lock().unwrap().clone();
    (
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap(),
        requests,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_http_is_delivered_once_the_carrier_calls() {
    let (said, requests) = sent("delivered").await;
    assert!(said.lines().last().unwrap().ends_with("delivered"), "{said}");
    assert_eq!(requests.len(), 1, "{requests:?}");
    let (head, body) = requests[0].split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("authorization: Bearer token-of-the-test") && head.contains("idempotency-key: "),
        "{head}"
    );
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (body["to"].as_str(), body["text"].as_str()),
        (Some("+33639981234"), Some("Grüße, \"Łódź\" 😀"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_the_carrier_cannot_deliver_ends_so() {
    let (said, _) = sent("failed").await;
    assert!(said.lines().last().unwrap().contains("  failed"), "{said}");
}
