//! Over the loopback: what is heard, and what is not waited for.

use std::net::SocketAddr;

use futures::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

/// A server that says 200 to who says `yes` and 503 to anybody else.
async fn server() -> (SocketAddr, Tasks) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, mut tasks) = (listener.local_addr().unwrap(), Tasks::new());
    let answerer: Answerer = Arc::new(|call: Call| {
        let status = match &*call.body {
            b"yes" => StatusCode::OK,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        let retry_after = (status != StatusCode::OK).then_some(7);
        std::future::ready(Said { status, retry_after }).boxed()
    });
    tasks.spawn(serve(listener, answerer));
    (address, tasks)
}

async fn say(address: SocketAddr, text: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may hang up before all of it is written.
    let _ = stream.write_all(text).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn request(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST /a?b=c HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

#[tokio::test]
async fn a_call_is_answered_as_its_answerer_says() {
    let (address, _tasks) = server().await;
    assert!(say(address, &request("yes")).await.starts_with("HTTP/1.1 200 "));
    let refused = say(address, &request("no")).await;
    assert!(
        refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 7\r\n"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_is_too_long_is_refused_before_it_is_read() {
    let (address, _tasks) = server().await;
    let long = say(address, &request(&"x".repeat(BODY_OCTETS_MAX + 1))).await;
    assert!(long.is_empty() || long.starts_with("HTTP/1.1 413 "), "{long}");
    let head = format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "x".repeat(HEAD_OCTETS_MAX));
    let answer = say(address, head.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn garbage_costs_nobody_else_anything() {
    let (address, _tasks) = server().await;
    let garbage = say(address, b"\x16\x03\x01 hello\r\n\r\n").await;
    assert!(garbage.is_empty() || garbage.starts_with("HTTP/1.1 400 "), "{garbage}");
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS_MAX - 1 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    assert!(say(address, &request("yes")).await.starts_with("HTTP/1.1 200 "));
}
