//! Tracers over a queue that the test reads.

use std::time::Duration;

use sms::UnixMs;

use super::*;
use crate::time;

const START: UnixMs = UnixMs(1_790_000_000_000);
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn tracer(ratio: f64) -> (Tracer, mpsc::Receiver<Ended>) {
    Tracer::new(ratio, "memory", Clock::starting_at(START), Dice::seeded(7))
}

fn call(traceparent: &str) -> Call {
    Call {
        method: "signalbox.ingest.v1.MessageService/Submit",
        asked: asked(traceparent.as_bytes()),
    }
}

fn ended(spans: &mut mpsc::Receiver<Ended>) -> Vec<Ended> {
    std::iter::from_fn(|| spans.try_recv().ok()).collect()
}

/// `record` as it is read back.
fn stored(record: &Record) -> Stored {
    let headers = record
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    Stored {
        key: record.key,
        value: record.value.clone(),
        stored_at_ms: 0,
        headers: headers.collect(),
    }
}

/// Sends a record from one process, reads it in another, and compares the ids.
#[tokio::test(start_paused = true)]
async fn a_trace_goes_on_over_a_record_and_its_spans_name_their_parents() {
    let (here, mut spans) = tracer(1.0);
    let (there, mut others) = Tracer::new(0.0, "memory", Clock::starting_at(START), Dice::seeded(8));
    let (topic, message) = (
        Topic::new("signalbox.accepted.urgent"),
        Dice::seeded(1).message_id(START),
    );
    let mut record = Record::new(1, "value");
    let root = here.accept(&call(""), START.into());
    let sent = here.send(&topic, &mut record, message, root.context());
    let mut read = there.process(&topic, &stored(&record));
    time::sleep(Duration::from_millis(3)).await;
    read.fail("no_route");
    drop((sent, root, read));

    let [sent, root] = ended(&mut spans).try_into().unwrap();
    let [read] = ended(&mut others).try_into().unwrap();
    assert_eq!((root.parent, root.kind), (None, Kind::Server));
    assert_eq!((sent.parent, sent.kind), (Some(root.context.span), Kind::Producer));
    assert_eq!((read.parent, read.kind), (Some(sent.context.span), Kind::Consumer));
    assert_eq!([sent.context.trace, read.context.trace], [root.context.trace; 2]);
    assert_eq!(read.name, "process signalbox.accepted.urgent");
    assert_eq!(read.ended_at.since(read.begun_at), Duration::from_millis(3));
    assert!(
        read.is_failed
            && read
                .attributes
                .contains(&(attribute::ERROR, Value::Text("no_route".into())))
    );
    assert!(
        sent.attributes
            .contains(&(attribute::MESSAGE_ID, message.to_string().into()))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_traced_has_no_header_and_no_span() {
    let (tracer, mut spans) = tracer(0.0);
    let mut record = Record::new(1, "value");
    let root = tracer.accept(&call(""), START.into());
    let sent = tracer.send(
        &Topic::new("t"),
        &mut record,
        Dice::seeded(1).message_id(START),
        root.context(),
    );
    let read = tracer.process(&Topic::new("t"), &stored(&record));
    let begun = read.begin(Kind::Client, || unreachable!("nothing is traced"));
    assert!(
        [&root, &sent, &read, &begun]
            .iter()
            .all(|span| span.context().is_none())
    );
    drop((root, sent, read, begun));
    assert_eq!(record.headers, []);
    assert!(ended(&mut spans).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_process_without_traces_passes_on_what_it_got() {
    let parent = asked(CALLER.as_bytes()).unwrap();
    let mut record = Record::new(1, "value");
    let none = Tracer::default();
    drop(none.send(
        &Topic::new("t"),
        &mut record,
        Dice::seeded(1).message_id(START),
        Some(&parent),
    ));
    assert_eq!(context_of(&stored(&record)), Some(parent));
    assert!(none.accept(&call(CALLER), START.into()).context().is_none());
}

#[tokio::test(start_paused = true)]
async fn callers_have_ten_messages_a_second_traced_as_part_of_their_own_trace() {
    let (tracer, mut spans) = tracer(0.0);
    let accept = |ms: u64| drop(tracer.accept(&call(CALLER), (START + Duration::from_millis(ms)).into()));
    (0..50).for_each(&accept);
    let caller = asked(CALLER.as_bytes()).unwrap();
    let first = ended(&mut spans);
    assert_eq!(first.len(), ASKED_PER_SECOND_MAX as usize);
    assert!(
        first
            .iter()
            .all(|span| span.context.trace == caller.trace && span.parent == Some(caller.span))
    );
    (1_000..1_050).for_each(&accept);
    assert_eq!(ended(&mut spans).len(), ASKED_PER_SECOND_MAX as usize);
}

#[tokio::test(start_paused = true)]
async fn callers_whose_trace_is_not_recorded_do_not_ask() {
    let (tracer, _spans) = tracer(0.0);
    let not_recorded = CALLER.replace("-01", "-00");
    assert!(tracer.accept(&call(&not_recorded), START.into()).context().is_none());
}

/// Accepts 10,000 messages at a ratio of one in twenty.
#[tokio::test(start_paused = true)]
async fn the_ratio_says_how_many_are_traced() {
    let (tracer, _spans) = tracer(0.05);
    let traced = (0..10_000).filter(|_| tracer.accept(&call(""), START.into()).context().is_some());
    let traced = traced.count();
    assert!((400..600).contains(&traced), "{traced}");
}

#[tokio::test(start_paused = true)]
async fn spans_beyond_the_queue_are_lost_and_nobody_waits() {
    let (tracer, mut spans) = tracer(1.0);
    (0..WAITING_MAX + 5).for_each(|_| drop(tracer.accept(&call(""), START.into())));
    assert_eq!(ended(&mut spans).len(), WAITING_MAX);
    drop(spans);
    drop(tracer.accept(&call(""), START.into()));
}
