//! One trace shows a message from submit to receipt over all processes, and tells nothing of people.

use std::{collections::BTreeSet, net::TcpListener, time::Duration};

use backing::{Kafka, KafkaOptions, Redis, RedisOptions};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use service::time;
use signalbox_loadtest::{
    smsc::Behaviour,
    stage::{API_KEY, Ground},
};
use signalbox_proto::pb::signalbox::{
    ingest::v1::{Submission, SubmitRequest, WatchReceiptsRequest, message_service_client::MessageServiceClient},
    sms::v1::{Content, MessageClass, content::Body},
};
use tonic::Request;

use crate::{
    collector::{Collector, Span, absent_parents, tree},
    load,
    logs::{self, Forbidden},
    rig::Rig,
};

/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(120);
const TTL: Duration = Duration::from_secs(600);
/// What a caller says of its own span.
const CALLER: (&str, &str) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");

/// A password whose first carrier has a system error, again after a hold, so that the second one takes it.
const FAILOVER: &str = "\
ingest: signalbox.ingest.v1.MessageService/Submit
  ingest: send signalbox.accepted.urgent
    router: process signalbox.accepted.urgent
      router: send signalbox.lookup.urgent
        router: process signalbox.lookup.urgent
          router: send signalbox.dispatch.carrier-0.urgent
            connector: process signalbox.dispatch.carrier-0.urgent ✗
              connector: submit carrier-0 ✗
              connector: submit carrier-0 ✗
              connector: send signalbox.outcomes
                router: process signalbox.outcomes
                  router: send signalbox.dispatch.carrier-1.urgent
                    connector: process signalbox.dispatch.carrier-1.urgent
                      connector: submit carrier-1
                      connector: send signalbox.outcomes
                        router: process signalbox.outcomes
  connector: receipt carrier-1
    connector: send signalbox.receipts
      router: process signalbox.receipts
";
/// The end of it, once: under the answer or the receipt, whichever the router hears of last.
const END: [&str; 2] = ["router: send signalbox.events", "ingest: process signalbox.events"];

/// A carrier that takes nothing.
fn failing() -> Behaviour {
    Behaviour {
        error_rate: 1.0,
        ..Behaviour::default()
    }
}

/// To a number that the cheapest carrier of network `network` reaches, each time another one.
fn submission(network: usize, number: u32, text: &str) -> Submission {
    Submission {
        to: format!("9999{network}{number:07}"),
        from: "+447700900123".to_owned(),
        content: Some(Content {
            body: Some(Body::Text(text.to_owned())),
        }),
        class: MessageClass::Otp.into(),
        ..Submission::default()
    }
}

fn request<T>(message: T, traceparent: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    let metadata = request.metadata_mut();
    metadata.insert("authorization", format!("Bearer {API_KEY}").parse().unwrap());
    if let Some(traceparent) = traceparent {
        metadata.insert("traceparent", traceparent.parse().unwrap());
    }
    request
}

/// Submits each of `messages` in a call of its own, waits until all were delivered, and returns their ids.
async fn deliver(rig: &Rig, messages: &[(Submission, Option<&str>)]) -> Vec<String> {
    let mut client = MessageServiceClient::connect(rig.target().url()).await.unwrap();
    let watch = request(WatchReceiptsRequest::default(), None);
    let mut receipts = client.watch_receipts(watch).await.unwrap().into_inner();
    let mut ids = Vec::new();
    for (message, traceparent) in messages {
        let message = Some(message.clone());
        let answer = client
            .submit(request(SubmitRequest { message }, *traceparent))
            .await
            .unwrap();
        ids.push(answer.into_inner().accepted.unwrap().message_id);
    }
    let mut open: BTreeSet<_> = ids.iter().cloned().collect();
    let all = async {
        while !open.is_empty() {
            for receipt in receipts.message().await.unwrap().unwrap().receipts {
                open.remove(&receipt.message_id);
            }
        }
    };
    let done = time::timeout(PATIENCE, all).await;
    assert!(done.is_some(), "no receipts of {open:?}");
    ids
}

/// The spans of the one trace that message `id` is in.
fn trace_of(collector: &Collector, id: &str) -> Vec<Span> {
    let traces = collector.traces().into_values();
    let has = |span: &Span| {
        span.attributes
            .get("messaging.message.id")
            .is_some_and(|found| found == id)
    };
    let mut found = traces.filter(|spans| spans.iter().any(has));
    let spans = found.next().unwrap_or_else(|| panic!("{id} has no trace"));
    assert!(found.next().is_none(), "{id} is in two traces");
    spans
}

fn attribute<'a>(spans: &'a [Span], name: &str, attribute: &str) -> Vec<&'a str> {
    let mut named: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    named.sort_by_key(|span| span.begun_at);
    let named = named.into_iter();
    named.map(|span| span.attributes[attribute].as_str()).collect()
}

/// Starts every role over Kafka and Redis, all of them sending spans to one collector, and sends three messages: one that fails
/// over, one of three parts, and one whose caller has a trace.
#[tokio::test(flavor = "multi_thread")]
async fn one_trace_shows_a_message_from_submit_to_receipt_over_all_processes() {
    // A broker of its own: what other tests send in their groups is none of this one's traces.
    let (kafka, redis) = (
        Kafka::start(KafkaOptions::default()),
        Redis::start(RedisOptions::default()),
    );
    let (kafka, redis) = (kafka.unwrap(), redis.unwrap());
    let ground = Ground::Apart {
        brokers: kafka.bootstrap(),
        redis: redis.url(),
    };
    let collector = Collector::start().await;
    let behaviours = vec![failing(), Behaviour::default()];
    let mut rig = Rig::start(&ground, behaviours, &collector.setting("1")).await;
    let long = "A word that nobody may ever read in a trace. ".repeat(9);
    let caller = format!("00-{}-{}-01", CALLER.0, CALLER.1);
    let messages = [
        (submission(0, 1, "Your secret code for the bank is 481516"), None),
        (submission(1, 2, &long), None),
        (
            submission(1, 3, "Your secret code for the shop is 234200"),
            Some(caller.as_str()),
        ),
    ];
    let ids = deliver(&rig, &messages).await;
    rig.cast.stop_all().await.unwrap();

    let failover = trace_of(&collector, &ids[0]);
    let told = tree(&failover, "");
    let (end, path): (Vec<_>, Vec<_>) = told.lines().partition(|line| END.contains(&line.trim_start()));
    assert_eq!(path, FAILOVER.lines().collect::<Vec<_>>(), "{told}");
    let end: Vec<_> = end.iter().map(|line| line.trim_start()).collect();
    assert_eq!(end, END, "{told}");
    assert_eq!(
        attribute(&failover, "submit carrier-0", "smpp.command_status"),
        ["ESME_RSYSERR"; 2]
    );
    assert_eq!(
        attribute(&failover, "submit carrier-0", "sms.outcome"),
        ["hold", "next"]
    );
    assert_eq!(attribute(&failover, "submit carrier-1", "sms.mccmnc"), ["99900"]);
    let long = trace_of(&collector, &ids[1]);
    assert_eq!(attribute(&long, "submit carrier-1", "sms.segments"), ["3"]);
    assert_eq!(attribute(&long, "receipt carrier-1", "sms.receipt"), ["delivered"; 3]);
    let called = trace_of(&collector, &ids[2]);
    assert_eq!(
        tree(&called, CALLER.1),
        tree(&called, CALLER.1).replace("✗", ""),
        "nothing failed"
    );
    assert!(called.iter().all(|span| span.trace == CALLER.0));
    assert_eq!(absent_parents(&called), BTreeSet::from([CALLER.1]));
    for spans in [&failover, &long] {
        assert_eq!(absent_parents(spans), BTreeSet::new(), "{}", tree(spans, ""));
    }
    for spans in [&failover, &long, &called] {
        let processes: BTreeSet<&str> = spans.iter().map(|span| span.process.as_str()).collect();
        assert_eq!(processes, BTreeSet::from(["connector", "ingest", "router"]));
        let follows_conventions = |span: &Span| match span.name.split_once(' ') {
            Some(("send", topic)) => span.kind == SpanKind::Producer && is_on(span, topic),
            Some(("process", topic)) => span.kind == SpanKind::Consumer && is_on(span, topic),
            Some(("submit", _)) => span.kind == SpanKind::Client,
            _ => span.kind == SpanKind::Server,
        };
        let odd: Vec<_> = spans.iter().filter(|span| !follows_conventions(span)).collect();
        assert!(odd.is_empty(), "{odd:#?}");
        assert!(spans.iter().all(|span| span.begun_at <= span.ended_at));
    }
    assert_eq!(
        collector.traces().len(),
        messages.len(),
        "each message has a trace, and nothing else has one"
    );

    let mut forbidden = Forbidden::default();
    for (message, _) in &messages {
        forbidden.add(&message.to);
        forbidden.add(message.from.trim_start_matches('+'));
        if let Some(Content {
            body: Some(Body::Text(text)),
        }) = &message.content
        {
            forbidden.add_text(text);
        }
    }
    let found = forbidden.found(collector.octets());
    assert!(found.is_empty(), "in the spans: {found:#?}");
}

/// Whether it says of `topic` what the conventions of messaging want.
fn is_on(span: &Span, topic: &str) -> bool {
    let said = |name: &str| span.attributes.get(name).map(String::as_str);
    let operation = span.name.split(' ').next();
    said("messaging.system") == Some("kafka")
        && said("messaging.destination.name") == Some(topic)
        && said("messaging.operation.name") == operation
        && said("messaging.operation.type") == operation
}

/// Sends messages past a collector that wants none of them, and then looks at what was put on the log.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_traced_says_nothing_to_the_collector_and_nothing_on_the_log() {
    let collector = Collector::start().await;
    let mut rig = Rig::start(&Ground::Embedded, vec![Behaviour::default()], &collector.setting("0")).await;
    let outcome = load::run(rig.target(), (&load::letters(100, 1), TTL), Vec::new(), 0, || ()).await;
    assert_eq!(outcome.accepted, 100);
    rig.cast.stop_all().await.unwrap();
    assert!(collector.traces().is_empty(), "{:?}", collector.traces());
    let (records, headers) = rig.on_the_log().await;
    assert!(records > 500 && headers == 0, "{headers} headers of {records} records");
}

/// Sends messages, every one of them traced, while the collector takes a connection and never says a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_silent_holds_up_no_message_and_no_stop() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let setting = format!("otlp = \"http://{}\"\nsample_ratio = 1\n", silent.local_addr().unwrap());
    let mut rig = Rig::start(&Ground::Embedded, vec![Behaviour::default()], &setting).await;
    let outcome = load::run(rig.target(), (&load::letters(2_000, 1), TTL), Vec::new(), 0, || ()).await;
    assert_eq!(outcome.accepted, 2_000);
    rig.cast.stop_all().await.unwrap();
    let log = logs::logs(rig.folder.path());
    assert!(
        log.contains("the collector of traces"),
        "it is told that spans are lost:\n{log}"
    );
}
