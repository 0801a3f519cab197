//! The whole connector with a link over HTTP: from the order on the log to the receipt on it.

use service::{Stop, StopHandle};
use signalbox_proto::{record, topics};
use sms::ReceiptState;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    Deps, Error,
    fixture::{World, connector_of, long_order},
};

struct Running {
    world: World,
    carrier: Carrier,
    /// Where the carrier calls.
    hook: std::net::SocketAddr,
    stop: StopHandle,
    service: Tasks<Result<(), Error>>,
}

impl Running {
    async fn start(carrier: Carrier) -> Self {
        let world = World::new(&["atlas"]).await;
        // Whoever else wants a port within the next moment may take it, which fails the test.
        let hook = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let webhook = format!(
            "[link.webhook]\nlisten = \"{hook}\"\nurl = \"http://{hook}/receipts\"\nunproved = true\n\
             receipts = {{ id = \"id\", status = \"status\" }}\n"
        );
        let config = link(&format!("{LINK}{webhook}"), carrier.address);
        let (stop, stopped) = Stop::new();
        let mut service = Tasks::new();
        service.spawn(crate::run(
            connector_of(config),
            Deps::from(world.deps.clone()),
            stopped,
        ));
        Self {
            world,
            carrier,
            hook,
            stop,
            service,
        }
    }

    async fn until(&self, happened: impl AsyncFn() -> bool) {
        let wait = async {
            while !happened().await {
                time::sleep(Duration::from_millis(5)).await;
            }
        };
        time::timeout(PATIENCE, wait).await.expect("it happens in time");
    }

    /// The carrier calls with `body`; the status it hears.
    async fn call(&self, body: &str) -> String {
        let mut stream = TcpStream::connect(self.hook).await.unwrap();
        let length = body.len();
        let request = format!(
            "POST /receipts HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer[9..12].to_owned()
    }

    async fn receipts(&self, count: usize) -> Vec<journey::ReceiptRecord> {
        self.until(async || self.world.values(&topics::receipts()).await.len() >= count)
            .await;
        let values = self.world.values(&topics::receipts()).await;
        values
            .iter()
            .map(|value| record::receipt_from_bytes(value).unwrap())
            .collect()
    }
}

#[tokio::test]
async fn a_long_message_is_one_request_and_its_receipt_reaches_the_log() {
    let running = Running::start(Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await).await;
    running.world.publish(&[long_order(1, 3)]).await;
    running.until(async || !running.world.said().await.is_empty()).await;
    assert_eq!(running.world.said().await, ["1 accepted m-1"]);
    assert_eq!(running.carrier.requests().len(), 1);
    assert!(running.carrier.requests()[0].contains(&"x".repeat(459)));
    assert_eq!(running.call(r#"{"id":"m-1","status":"delivered"}"#).await, "200");
    let receipts = running.receipts(1).await;
    assert_eq!(receipts[0].order, long_order(1, 3).order_ref());
    assert_eq!(receipts[0].receipt.state, ReceiptState::Delivered);
    assert_eq!(
        running.call(r#"{"id":"m-1","status":"delivered"}"#).await,
        "200",
        "a repeat is taken"
    );
    running.stop.request();
    let mut service = running.service;
    service.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_receipt_that_overtakes_the_answer_is_kept() {
    let carrier = Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await;
    let gate = carrier.hold();
    let running = Running::start(carrier).await;
    running.world.publish(&[order(1)]).await;
    running.carrier.seen(1).await;
    assert_eq!(running.call(r#"{"id":"m-1","status":"delivered"}"#).await, "200");
    let unmatched = running.world.values(&topics::unmatched()).await;
    assert_eq!(unmatched.len(), 1, "it waits for its message");
    gate.open();
    running
        .until(async || running.world.said().await == ["1 accepted m-1"])
        .await;
}

#[tokio::test]
async fn a_receipt_is_refused_while_nothing_is_safe() {
    let running = Running::start(Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await).await;
    running.world.publish(&[order(1)]).await;
    running.until(async || !running.world.said().await.is_empty()).await;
    running.world.bus_away.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(running.call(r#"{"id":"m-1","status":"sent"}"#).await, "503");
    running
        .world
        .bus_away
        .store(false, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(running.call(r#"{"id":"m-1","status":"sent"}"#).await, "200");
    assert_eq!(running.receipts(1).await.len(), 1);
}

#[tokio::test]
async fn a_throttled_message_is_sent_again_under_the_same_key() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let carrier = Carrier::start(
        move |_| match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => json("429 Too Many Requests", "{}"),
            _ => json("200 OK", r#"{"id":"m-1"}"#),
        },
    )
    .await;
    let running = Running::start(carrier).await;
    running.world.publish(&[order(1)]).await;
    running
        .until(async || running.world.said().await == ["1 accepted m-1"])
        .await;
    let requests = running.carrier.requests();
    let key = |request: &String| {
        let line = request.lines().find(|line| line.starts_with("idempotency-key: "));
        line.unwrap().to_owned()
    };
    assert_eq!((requests.len(), key(&requests[0])), (2, key(&requests[1])));
}

#[tokio::test]
async fn an_address_that_is_taken_stops_the_start_and_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap();
    let hook = format!(
        "[link.webhook]\nlisten = \"{address}\"\nurl = \"http://a.example/x\"\nunproved = true\n\
         receipts = {{ id = \"id\", status = \"status\" }}\n"
    );
    let config = link(&format!("{LINK}{hook}"), "127.0.0.1:9");
    let world = World::new(&["atlas"]).await;
    let (_stop, stopped) = Stop::new();
    let ended = crate::run(connector_of(config), Deps::from(world.deps.clone()), stopped).await;
    let error = ended.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("cannot listen for calls of carriers on {address}: ")),
        "{error}"
    );
}
