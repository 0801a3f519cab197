//! Webhooks over real TCP: what is believed, what is handed up, and what the carrier is told.

use std::net::SocketAddr;

use sms::ReceiptState;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;
use crate::{
    http_link::Hooks,
    link::{Arrived, Reply},
};

/// What a link with a webhook has beside [`LINK`].
const HOOK: &str = r#"
[link.webhook]
listen = "127.0.0.1:0"
url = "https://sms.example.com/receipts?who=us"
answer_within = "1s"
proof = { header = "x-key", value = "key-of-the-test" }
[link.webhook.receipts]
id = "id"
status = "status"
error = "error"
done_at = "at"
"#;
const KEY: &str = "x-key: key-of-the-test\r\n";

/// A link with a webhook, and both ends of it.
pub(super) struct Hooked {
    pub(super) rig: Rig,
    address: SocketAddr,
    _tasks: Tasks,
}

impl Hooked {
    async fn start(text: &str) -> Self {
        Self::of(&link(text, "127.0.0.1:9")).await
    }

    pub(super) async fn of(config: &LinkConfig) -> Self {
        let LinkKind::Http(http) = &config.kind else {
            panic!("it is an HTTP link")
        };
        let maps = LiveMaps::new(Maps::of(config));
        let mut hooks = Hooks::listen(std::slice::from_ref(config)).await.unwrap();
        let (calls, address, mut tasks) = (hooks.enter(config, &maps), hooks.address(), Tasks::new());
        hooks.serve(&mut tasks);
        let (wire, plug) = wire();
        let dialect = Dialect {
            link: "atlas".into(),
            http: (**http).clone(),
            window: 10,
            maps,
        };
        let mut link = Tasks::new();
        let mut calls = calls;
        link.spawn(async move { run(dialect, Dice::seeded(1), &mut calls, plug).await });
        let mut rig = Rig { wire, _tasks: link };
        assert!(matches!(rig.event().await, Event::Up));
        Self {
            rig,
            address,
            _tasks: tasks,
        }
    }

    /// Calls, with what is said to that as it comes.
    pub(super) fn call(&self, path: &str, headers: &str, body: &str) -> tokio::task::JoinHandle<String> {
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
        );
        say(self.address, request)
    }

    pub(super) async fn receipts(&mut self) -> Vec<Arrived> {
        match self.rig.event().await {
            Event::Receipts(arrived) => arrived,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn reply(&self, arrived: &[Arrived], is_safe: bool) {
        let reply = |arrived: &Arrived| Reply {
            token: arrived.token,
            is_safe,
        };
        self.rig
            .wire
            .commands
            .send(Command::Reply(arrived.iter().map(reply).collect()));
    }

    fn is_silent(&mut self) -> bool {
        self.rig.wire.events.try_recv().is_err()
    }
}

/// Says `request` at `address`; the status of what comes back.
fn say(address: SocketAddr, request: String) -> tokio::task::JoinHandle<String> {
    #[expect(clippy::disallowed_methods, reason = "a test that is over takes its tasks with it")]
    tokio::spawn(async move {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let again = if answer.contains("retry-after: ") { " again" } else { "" };
        format!("{}{again}", answer.get(9..12).unwrap_or("none"))
    })
}

#[tokio::test]
async fn a_receipt_goes_up_and_is_confirmed_once_it_is_safe() {
    let mut hooked = Hooked::start(&format!("{LINK}{HOOK}")).await;
    let body = r#"{"id":"M-1","status":"Delivered","error":0,"at":"2026-01-01T12:00:00Z"}"#;
    let told = hooked.call("/receipts?who=us", KEY, body);
    let arrived = hooked.receipts().await;
    let receipt = &arrived[0].receipt;
    assert_eq!((arrived.len(), arrived[0].remote_id.as_str()), (1, "M-1"));
    assert_eq!(
        (receipt.state, receipt.raw.as_str()),
        (ReceiptState::Delivered, "Delivered 0")
    );
    assert_eq!(receipt.done_at, Some(sms::UnixMs(1_767_268_800_000)));
    assert!(!told.is_finished(), "it waits until that is safe");
    hooked.reply(&arrived, true);
    assert_eq!(told.await.unwrap(), "200");
}

#[tokio::test]
async fn what_is_not_safe_is_asked_for_again_and_comes_again() {
    let mut hooked = Hooked::start(&format!("{LINK}{HOOK}")).await;
    for is_safe in [false, true] {
        let told = hooked.call("/receipts", KEY, r#"{"id":"m-1","status":"failed"}"#);
        let arrived = hooked.receipts().await;
        hooked.reply(&arrived, is_safe);
        assert_eq!(told.await.unwrap(), if is_safe { "200" } else { "503 again" });
    }
    let told = hooked.call("/receipts", KEY, r#"{"id":"m-1","status":"failed"}"#);
    hooked.receipts().await;
    assert_eq!(told.await.unwrap(), "503 again", "nobody replied in time");
}

#[tokio::test]
async fn whoever_does_not_prove_who_he_is_is_not_heard() {
    let mut hooked = Hooked::start(&format!("{LINK}{HOOK}")).await;
    let body = r#"{"id":"m-1","status":"delivered"}"#;
    for headers in [
        "",
        "x-key: key-of-the-tesT\r\n",
        "x-key: key-of-the-test-\r\n",
        "authorization: key-of-the-test\r\n",
    ] {
        assert_eq!(
            hooked.call("/receipts", headers, body).await.unwrap(),
            "403",
            "{headers}"
        );
    }
    assert_eq!(hooked.call("/receipt", KEY, body).await.unwrap(), "404");
    assert_eq!(hooked.call("/receipts/", KEY, body).await.unwrap(), "404");
    let delete = format!("DELETE /receipts HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{KEY}\r\n");
    assert_eq!(say(hooked.address, delete).await.unwrap(), "405");
    assert!(hooked.is_silent());
}

#[tokio::test]
async fn what_cannot_be_read_costs_nothing_and_ends_nothing() {
    let mut hooked = Hooked::start(&format!("{LINK}{HOOK}")).await;
    for garbage in ["", "no JSON", "7", "\"text\""] {
        assert_eq!(
            hooked.call("/receipts", KEY, garbage).await.unwrap(),
            "400",
            "{garbage}"
        );
    }
    for empty in [
        "[]",
        "{}",
        r#"{"id":"m-1"}"#,
        r#"{"status":"delivered"}"#,
        r#"[{"id":{},"status":1}]"#,
    ] {
        assert_eq!(hooked.call("/receipts", KEY, empty).await.unwrap(), "200", "{empty}");
    }
    let many = format!("[{}]", vec![r#"{"id":"m","status":"sent"}"#; 1_001].join(","));
    assert_eq!(hooked.call("/receipts", KEY, &many).await.unwrap(), "400");
    assert_eq!(
        hooked.call("/receipts", KEY, &"x".repeat(300_000)).await.unwrap(),
        "413"
    );
    let long = format!(r#"{{"id":"{}","status":"sent"}}"#, "x".repeat(1_000));
    assert_eq!(hooked.call("/receipts", KEY, &long).await.unwrap(), "200");
    assert!(hooked.is_silent());
    let told = hooked.call("/receipts", KEY, r#"{"id":"m-1","status":"gone fishing"}"#);
    let arrived = hooked.receipts().await;
    assert_eq!(
        arrived[0].receipt.state,
        ReceiptState::Enroute,
        "a word that nobody knows ends nothing"
    );
    hooked.reply(&arrived, true);
    assert_eq!(told.await.unwrap(), "200");
}

#[tokio::test]
async fn receipts_come_by_form_and_query_and_many_at_once() {
    let mut hooked = Hooked::start(&format!("{LINK}{HOOK}")).await;
    let form = format!("{KEY}content-type: application/x-www-form-urlencoded; charset=utf-8\r\n");
    let told = hooked.call(
        "/receipts",
        &form,
        "id=m%2B1&status=undelivered&error=30003&status=delivered",
    );
    let arrived = hooked.receipts().await;
    assert_eq!(
        (arrived[0].remote_id.as_str(), arrived[0].receipt.state),
        ("m+1", ReceiptState::Undeliverable)
    );
    hooked.reply(&arrived, true);
    assert_eq!(told.await.unwrap(), "200");
    let get = format!("GET /receipts?id=m-2&status=expired HTTP/1.1\r\nhost: h\r\nconnection: close\r\n{KEY}\r\n");
    let told = say(hooked.address, get);
    let arrived = hooked.receipts().await;
    assert_eq!(arrived[0].receipt.state, ReceiptState::Expired);
    hooked.reply(&arrived, true);
    assert_eq!(told.await.unwrap(), "200");
    let told = hooked.call(
        "/receipts",
        KEY,
        r#"[{"id":"a","status":"sent"},{"id":"b","status":"rejected"},{}]"#,
    );
    let arrived = hooked.receipts().await;
    assert_eq!(arrived.len(), 2);
    hooked.reply(&arrived[..1], true);
    hooked.reply(&arrived[1..], false);
    assert_eq!(told.await.unwrap(), "503 again", "one of them is not safe");
}

#[tokio::test]
async fn a_links_own_words_come_before_the_common_ones() {
    let words = "receipt_states = { 7 = \"rejected blames recipient\", SENT = \"delivered\" }\nreceipt_errors = { 21 = \"number\" }\n";
    let mut hooked = Hooked::start(&format!("{LINK}{words}{HOOK}")).await;
    let body = r#"[{"id":"a","status":7},{"id":"b","status":"sent"},{"id":"c","status":"failed","error":"0021"}]"#;
    let told = hooked.call("/receipts", KEY, body);
    let arrived = hooked.receipts().await;
    let said: Vec<_> = arrived
        .iter()
        .map(|arrived| (arrived.receipt.state, arrived.receipt.fault))
        .collect();
    assert_eq!(said[0], (ReceiptState::Rejected, sms::ReceiptFault::Recipient));
    assert_eq!(said[1].0, ReceiptState::Delivered);
    assert_eq!(said[2], (ReceiptState::Undeliverable, sms::ReceiptFault::Number));
    hooked.reply(&arrived, true);
    told.await.unwrap();
}

/// 400 calls at once, none of which is replied to: every one hears something, and those that are replied to are heard.
#[tokio::test]
async fn a_flood_is_asked_to_come_again() {
    let mut hooked = Hooked::start(&format!("{LINK}{HOOK}")).await;
    let body = format!("[{}]", vec![r#"{"id":"m","status":"sent"}"#; 100].join(","));
    let calls: Vec<_> = (0..400).map(|_| hooked.call("/receipts", KEY, &body)).collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), "503 again");
    }
    let mut open = 0;
    while let Ok(Event::Receipts(arrived)) = hooked.rig.wire.events.try_recv() {
        open += arrived.len();
        hooked.reply(&arrived, true);
    }
    assert!((100..=5_000).contains(&open), "{open} were open at once");
    let told = hooked.call("/receipts", KEY, r#"{"id":"m-1","status":"sent"}"#);
    let arrived = hooked.receipts().await;
    hooked.reply(&arrived, true);
    assert_eq!(told.await.unwrap(), "200");
}

#[tokio::test]
async fn a_message_from_a_handset_goes_up_with_its_text() {
    let inbound = "[link.webhook.inbound]\nonly = { at = \"type\", is = \"mo\" }\nfrom = \"from\"\nto = \"to\"\ntext = \"/body/text\"\nid = \"id\"\n";
    let hook = HOOK.replace(
        "[link.webhook.receipts]",
        "[link.webhook.receipts]\nonly = { at = \"type\", is = [\"dlr\"] }",
    );
    let mut hooked = Hooked::start(&format!("{LINK}{hook}{inbound}")).await;
    let body =
        r#"{"type":"mo","id":"in-1","from":"+447700900123","to":"70001","body":{"text":" STOP 😀 "},"status":"sent"}"#;
    let told = hooked.call("/receipts", KEY, body);
    let Event::Inbound(came) = hooked.rig.event().await else {
        panic!("a message")
    };
    let part = &came[0].part;
    assert_eq!(
        (part.from.as_str(), part.to.as_str(), part.name.as_str()),
        ("447700900123", "70001", "in-1")
    );
    assert_eq!(part.charset.read(&part.octets).unwrap().text, " STOP 😀 ");
    let reply = Reply {
        token: came[0].token,
        is_safe: true,
    };
    hooked.rig.wire.commands.send(Command::Reply(vec![reply]));
    assert_eq!(told.await.unwrap(), "200");
    assert_eq!(
        hooked.call("/receipts", KEY, r#"{"type":"else"}"#).await.unwrap(),
        "200"
    );
}
