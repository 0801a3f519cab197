//! Traces of messages where no record says which one: they are in what was kept.

use std::time::Duration;

use service::{time, trace::context_of};
use signalbox_proto::{keys, record, topics};
use sms::{Class, Lane, TraceContext};
use store::Store as _;

use super::world::World;

/// Lets a carrier take a traced message and fall silent, so that its timer ends it; no record that the test publishes has a header.
#[tokio::test(start_paused = true)]
async fn what_is_kept_of_a_message_knows_its_trace() {
    let mut world = World::new("a", "").await;
    let mut message = world.message(Class::Transactional, 60);
    let trace = TraceContext::from_octets(&[7; 24]);
    message.trace = trace.map(Box::new);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    let key = keys::correlation(&order.carrier, "x");
    let kept = world.store.get(vec![key]).await.unwrap();
    let kept = record::correlation_from_bytes(&kept[0].as_ref().unwrap().value).unwrap();
    assert_eq!(kept.trace, message.trace, "a receipt finds it at any connector");
    time::sleep(Duration::from_secs(61) + message.class.grace()).await;
    for topic in [topics::dispatch(&order.carrier, Lane::Normal), topics::events()] {
        let stored = world.stored(&topic).await;
        let traces: Vec<_> = stored.iter().map(context_of).collect();
        assert_eq!(traces, [trace], "{topic}");
    }
}
