//! What is gathered, and for how long, under virtual time.

use bus::{MemoryBus, Retention, TopicSpec};
use service::time;
use signalbox_proto::topics;

use super::*;

async fn outbox() -> Outbox<u32> {
    let bus: Arc<dyn Bus> = Arc::new(MemoryBus::new(Arc::new(|| 0)));
    let spec = TopicSpec {
        topic: topics::outcomes(),
        partitions: 1,
        retention: Retention::Time(Duration::from_secs(60)),
    };
    bus.ensure(&[spec]).await.unwrap();
    Outbox::new(bus)
}

fn push(outbox: &mut Outbox<u32>, number: u32, hurry: Hurry) {
    outbox.push(&topics::outcomes(), Record::new(1, "value"), number, hurry);
    outbox.flush(time::now());
}

#[tokio::test(start_paused = true)]
async fn what_is_in_no_hurry_waits_for_others_and_goes_with_them() {
    let mut outbox = outbox().await;
    push(&mut outbox, 1, Hurry::No);
    let due = outbox.due().unwrap();
    time::sleep(LINGER / 2).await;
    push(&mut outbox, 2, Hurry::No);
    assert_eq!(outbox.under_way.len(), 0);
    assert_eq!(outbox.due(), Some(due), "the first does not wait longer for the second");
    time::sleep_until(due).await;
    outbox.flush(time::now());
    assert_eq!(outbox.due(), None);
    assert_eq!(outbox.next().await, [1, 2]);
    assert_eq!(outbox.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_hurry_goes_at_once_and_takes_the_others_along() {
    let mut outbox = outbox().await;
    push(&mut outbox, 1, Hurry::No);
    push(&mut outbox, 2, Hurry::Yes);
    assert_eq!(outbox.next().await, [1, 2]);
    push(&mut outbox, 3, Hurry::No);
    assert_eq!(outbox.under_way.len(), 0, "the next one waits again");
}

/// The log's disk syncs what nobody else waits for once the time is over.
#[tokio::test(start_paused = true)]
async fn an_ack_leaves_time_for_a_sync_that_others_wait_for() {
    let mut outbox = outbox().await;
    let start = time::now();
    push(&mut outbox, 1, Hurry::Yes);
    assert_eq!(outbox.next().await, [1]);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn enough_records_wait_no_longer() {
    let mut outbox = outbox().await;
    for number in 1..=GATHERED as u32 {
        assert_eq!(outbox.under_way.len(), 0);
        push(&mut outbox, number, Hurry::No);
    }
    assert_eq!(outbox.next().await.len(), GATHERED);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_due_while_as_much_as_may_be_is_under_way() {
    let mut outbox = outbox().await;
    for number in 0..=PUBLISHES_MAX as u32 {
        push(&mut outbox, number, Hurry::Yes);
    }
    assert_eq!((outbox.under_way.len(), outbox.due()), (PUBLISHES_MAX, None));
    outbox.next().await;
    outbox.flush(time::now());
    assert_eq!(outbox.under_way.len(), PUBLISHES_MAX);
}
