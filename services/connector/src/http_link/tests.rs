//! The link over real TCP against a carrier that answers what the test says, well or badly.

mod carrier;
mod examples;
mod health;
mod hooks;
mod whole;

use std::{path::Path, sync::Arc, time::Duration};

use journey::Order;
use service::{Dice, Tasks, time};
use sms::Content;

use self::carrier::{Carrier, json};
use super::{Dialect, run};
use crate::{
    Concatenation, LinkConfig, LinkKind,
    fixture::order,
    link::{Command, Event, Job, Tag, Verdict, Wire, wire},
    maps::{LiveMaps, Maps},
    parts::Ready,
    read_links,
};

/// What a test waits for comes within this, or it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Most of a link; `{}` is the carrier's address.
const LINK: &str = r#"
name = "atlas"
kind = "http"
carriers = ["atlas"]
url = "http://{}/messages"
secrets = { token = "token-of-the-test" }
headers = { authorization = "Bearer {token}" }
json = { to = "+{to}", from = "{from}", text = "{text}", ttl = "{validity}", report = "{receipt}" }
answer = { id = "/id", code = "/code", detail = "/why" }
reconnect_min = "100ms"
reconnect_max = "200ms"
credentials_pause = "1s"
"#;

/// The link of `text` at `address`.
fn link(text: &str, address: impl ToString) -> LinkConfig {
    let text = format!("[[link]]\n{}", text.replacen("{}", &address.to_string(), 1));
    let links = read_links("links.toml", &text, Path::new("."));
    links.unwrap_or_else(|problems| panic!("{problems}")).remove(0)
}

/// A link on its own, with its end of the wire.
struct Rig {
    wire: Wire,
    _tasks: Tasks,
}

impl Rig {
    /// A link that has said that it is up.
    async fn start(config: &LinkConfig) -> Self {
        let (wire, plug) = wire();
        let LinkKind::Http(http) = &config.kind else {
            panic!("it is an HTTP link")
        };
        let dialect = Dialect {
            link: config.name.as_str().into(),
            http: (**http).clone(),
            window: config.window_in_effect(),
            maps: LiveMaps::new(Maps::of(config)),
        };
        let mut tasks = Tasks::new();
        tasks.spawn(async move { run(dialect, Dice::seeded(1), &mut None, plug).await });
        let mut rig = Self { wire, _tasks: tasks };
        assert!(matches!(rig.event().await, Event::Up));
        rig
    }

    async fn event(&mut self) -> Event {
        let event = time::timeout(PATIENCE, self.wire.events.recv()).await;
        event.expect("the link says something").expect("it runs")
    }

    fn submit(&self, jobs: Vec<Job>) {
        self.wire.commands.send(Command::Submit(jobs));
    }

    /// The next answers in words: `1 taken m-1`.
    async fn answers(&mut self) -> Vec<String> {
        loop {
            if let Event::Answers(answers) = self.event().await {
                let say = |answer: &crate::link::Answer| format!("{} {}", answer.tag.flight, words(&answer.verdict));
                return answers.iter().map(say).collect();
            }
        }
    }

    /// What becomes of message 1.
    async fn one(&mut self) -> String {
        self.submit(vec![job(1)]);
        self.answers().await.remove(0)
    }
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Taken { remote_id, .. } => format!("taken {remote_id}"),
        Verdict::Refused { rule, detail, .. } => format!("{} as {} ({detail})", rule.action, rule.code),
        Verdict::Unsent { code } => format!("unsent {code}"),
        Verdict::Displaced => "displaced".to_owned(),
        Verdict::Unanswered => "unanswered".to_owned(),
    }
}

fn job(id: u64) -> Job {
    job_of(id, order(u128::from(id)))
}

fn job_of(id: u64, order: Order) -> Job {
    Job {
        tag: Tag { flight: id, part: 0 },
        ready: Arc::new(Ready::cut(order, Concatenation::Payload)),
        valid_for: Duration::from_secs(90),
        answer_timeout: Duration::from_secs(10),
    }
}

/// A link to a carrier that gives `answer` to everything, and what becomes of one message.
async fn told(answer: Vec<u8>) -> String {
    let carrier = Carrier::start(move |_| answer.clone()).await;
    Rig::start(&link(LINK, carrier.address)).await.one().await
}

#[tokio::test]
async fn a_message_goes_out_as_configured_and_its_id_comes_back() {
    let carrier = Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await;
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    let mut order = order(1);
    order.message.content = Content::Text("\"quoted\" \\ {to}\n€ 😀".to_owned());
    rig.submit(vec![job_of(1, order)]);
    assert_eq!(rig.answers().await, ["1 taken m-1"]);
    let request = carrier.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /messages HTTP/1.1\r\n"), "{head}");
    for header in [
        "authorization: Bearer token-of-the-test",
        "content-type: application/json",
        "idempotency-key: 00000000-0000-0000-0000-000000000001-1",
    ] {
        assert!(head.contains(header), "{head}");
    }
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let wanted = serde_json::json!({
        "to": "+33639980001", "from": "ACME", "text": "\"quoted\" \\ {to}\n€ 😀", "ttl": 90, "report": true,
    });
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_form_is_written_as_forms_are() {
    let carrier = Carrier::start(|_| json("201 Created", r#"{"id":7}"#)).await;
    let text = LINK.replace("json = {", "form = { ref = \"{attempt}\", flash = false,");
    let mut rig = Rig::start(&link(&text, carrier.address)).await;
    assert_eq!(rig.one().await, "1 taken 7");
    let request = carrier.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(
        head.contains("content-type: application/x-www-form-urlencoded"),
        "{head}"
    );
    let mut fields: Vec<&str> = body.split('&').collect();
    fields.sort_unstable();
    let wanted = [
        "flash=false",
        "from=ACME",
        "ref=00000000-0000-0000-0000-000000000001-1",
        "report=true",
        "text=message%201",
        "to=%2B33639980001",
        "ttl=90",
    ];
    assert_eq!(fields, wanted);
}

#[tokio::test]
async fn a_message_that_wants_no_receipt_asks_for_none() {
    let carrier = Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await;
    let hook = "\n[link.webhook]\nlisten = \"127.0.0.1:9\"\nurl = \"https://a.example/{token}\"\n\
                receipts = { id = \"id\", status = \"status\" }\n";
    let text = LINK.replace("json = {", "json = { call = { url = \"{receipt_url}\" },") + hook;
    let mut rig = Rig::start(&link(&text, carrier.address)).await;
    rig.one().await;
    let mut silent = order(2);
    silent.receipt = false;
    rig.submit(vec![job_of(2, silent)]);
    rig.answers().await;
    let requests = carrier.requests();
    assert!(
        requests[0].contains(r#""call":{"url":"https://a.example/token-of-the-test"}"#),
        "{}",
        requests[0]
    );
    assert!(
        requests[1].contains(r#""report":false"#) && !requests[1].contains("call"),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn binary_content_is_refused_with_the_cause_and_nothing_is_sent() {
    let mut binary = order(1);
    binary.message.content = Content::Binary {
        data: vec![1, 2, 3].into(),
        header: None,
    };
    binary.message.encoding = sms::Encoding::Binary;
    let carrier = Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await;
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    rig.submit(vec![job_of(1, binary)]);
    let refused = "1 next as profile (binary content has no place in this link's requests)";
    assert_eq!(rig.answers().await, [refused]);
    assert!(carrier.requests().is_empty());
}

#[tokio::test]
async fn what_a_carrier_says_in_the_body_is_worth_more_than_its_status() {
    let body = r#"{"code":21610,"why":"+33639980001 said STOP to token-of-the-test"}"#;
    let carrier = Carrier::start(move |_| json("400 Bad Request", body)).await;
    let outcomes = "outcomes = { \"body 21610\" = \"next then fail as opted_out\", 400 = \"fail as content\" }\n";
    let mut rig = Rig::start(&link(&format!("{LINK}{outcomes}"), carrier.address)).await;
    let told = rig.one().await;
    assert_eq!(
        told,
        "1 next then fail as opted_out (HTTP 400 body 21610: a text that repeats a secret)"
    );
    let body = r#"{"code":"other","why":"no such number +33639980001"}"#;
    let carrier = Carrier::start(move |_| json("400 Bad Request", body)).await;
    let mut rig = Rig::start(&link(&format!("{LINK}{outcomes}"), carrier.address)).await;
    let told = rig.one().await;
    assert_eq!(
        told,
        "1 fail as content (HTTP 400 body other: no such number +***********)"
    );
}

#[tokio::test]
async fn a_success_that_the_body_takes_back_is_none() {
    let text = LINK.replace("id = \"/id\"", "id = \"/id\", ok = { at = \"/code\", is = \"0\" }");
    let text = format!("{text}outcomes = {{ \"body 1\" = \"hold as throttled\" }}\n");
    let told = async |body: &'static str| {
        let carrier = Carrier::start(move |_| json("200 OK", body)).await;
        Rig::start(&link(&text, carrier.address)).await.one().await
    };
    assert_eq!(told(r#"{"code":"0","id":"m-1"}"#).await, "1 taken m-1");
    assert_eq!(
        told(r#"{"code":"1","id":"m-1"}"#).await,
        "1 hold as throttled (HTTP 200 body 1)"
    );
    assert_eq!(told(r#"{"code":"9"}"#).await, "1 next as unmapped (HTTP 200 body 9)");
    assert_eq!(told("{}").await, "1 unanswered", "nobody can tell");
}

#[tokio::test]
async fn answers_that_cannot_be_read_are_no_refusals() {
    let long = format!(r#"{{"id":"m-1","x":"{}"}}"#, "x".repeat(100_000));
    assert_eq!(told(json("200 OK", &long)).await, "1 unanswered");
    assert_eq!(told(json("200 OK", "no JSON")).await, "1 unanswered");
    assert_eq!(told(json("200 OK", "{}")).await, "1 taken ", "taken, without an id");
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":"
        .as_bytes()
        .to_vec();
    assert_eq!(told(cut).await, "1 unanswered");
    assert_eq!(told(b"HTTP/1.1 200".to_vec()).await, "1 unanswered");
    assert_eq!(told(b"\x00\x01\x02 garbage\r\n\r\n".to_vec()).await, "1 unanswered");
    assert_eq!(told(Vec::new()).await, "1 unanswered");
}

#[tokio::test]
async fn errors_that_cannot_be_read_count_by_their_status() {
    assert_eq!(
        told(json("500 Internal Server Error", "<html>")).await,
        "1 hold 1 then next as system_error (HTTP 500)"
    );
    assert_eq!(told(json("504 Gateway Timeout", "")).await, "1 unanswered");
    assert_eq!(
        told(json("418 I'm a teapot", "{}")).await,
        "1 next as unmapped (HTTP 418)"
    );
    let huge = json("400 Bad Request", &"x".repeat(100_000));
    assert_eq!(told(huge).await, "1 next as refused (HTTP 400)");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await;
    let redirect = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
        elsewhere.address
    );
    assert_eq!(told(redirect.into_bytes()).await, "1 next as profile (HTTP 307)");
    assert!(elsewhere.requests().is_empty());
}

/// The carrier holds its answers until the link has given up on one of them.
#[tokio::test]
async fn a_slow_answer_is_unanswered_first_and_an_answer_later() {
    let carrier = Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await;
    let gate = carrier.hold();
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    let mut hasty = job(1);
    hasty.answer_timeout = Duration::from_millis(50);
    rig.submit(vec![hasty]);
    assert_eq!(rig.answers().await, ["1 unanswered"]);
    gate.open();
    assert_eq!(rig.answers().await, ["1 taken m-1"]);
}

#[tokio::test]
async fn closing_answers_what_is_open() {
    let carrier = Carrier::start(|_| json("200 OK", r#"{"id":"m-1"}"#)).await;
    let _gate = carrier.hold();
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    rig.submit(vec![job(1)]);
    carrier.seen(1).await;
    rig.wire.commands.send(Command::Close);
    assert_eq!(rig.answers().await, ["1 unanswered"]);
    assert!(matches!(rig.event().await, Event::Down { .. }));
    assert!(rig.wire.events.recv().await.is_none(), "the link is gone");
}

#[tokio::test]
async fn a_window_of_messages_is_on_its_way_at_once() {
    let carrier = Carrier::start(|request| {
        let id = request.split("message ").nth(1).and_then(|rest| rest.split('"').next());
        json("200 OK", &format!(r#"{{"id":"m-{}"}}"#, id.unwrap()))
    })
    .await;
    let gate = carrier.hold();
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    rig.submit((1..=50).map(job).collect());
    carrier.seen(50).await;
    gate.open();
    let mut answers = Vec::new();
    while answers.len() < 50 {
        answers.extend(rig.answers().await);
    }
    for id in 1..=50 {
        assert!(answers.contains(&format!("{id} taken m-{id}")), "{answers:?}");
    }
}

/// Debug of everything that may end up in a log.
#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let text = LINK
        .replace(
            "headers = {",
            "basic = { user = \"user-7d1\", password = \"password-3f9\" }\nheaders = { x = \"{token}\",",
        )
        .replace("\"Bearer {token}\"", "\"{token}\"")
        .replace("authorization", "x-key");
    let config = link(&text, "127.0.0.1:9");
    let LinkKind::Http(http) = &config.kind else {
        panic!("HTTP")
    };
    let request = super::request::request(http, &job(1)).unwrap();
    let shown = format!("{config:?} {request:?} {:?}", request.headers);
    for secret in [
        "token-of-the-test",
        "user-7d1",
        "password-3f9",
        "dXNlci03ZDE6cGFzc3dvcmQtM2Y5",
        "33639980001",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
