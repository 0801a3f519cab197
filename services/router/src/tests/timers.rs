//! Timers that do not go away, and those behind them.

use std::time::Duration;

use bytes::Bytes;
use journey::EndState;
use service::time;
use signalbox_proto::keys;
use sms::{Class, RecordKey, UnixMs};
use store::{Applied, Due, Key, Op, Store};

use super::world::World;
use crate::{
    Config,
    due::{ASIDE, ASIDE_KEPT, CATCH_UP, ENTRIES_MAX},
};

/// Writes `key` with octets that are no state, due since long ago in the partition of `record`.
fn unreadable(key: Key, record: RecordKey) -> Op {
    let partition = bus::PartitionId::of(record.0, Config::default().partitions).0;
    Op::Swap {
        key,
        expected: None,
        value: Some(Bytes::from_static(b"no state")),
        expires_at_ms: u64::MAX,
        due: Some(Due { partition, second: 1 }),
    }
}

/// A message that nobody reports on: it ends by its timer alone.
async fn silent(world: &mut World) -> sms::Message {
    let message = world.message(Class::Transactional, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    message
}

async fn ends_in_time(world: &World, message: &sms::Message) {
    let left = Duration::from_secs(61) + message.class.grace();
    time::sleep(left).await;
    assert_eq!(world.end(message).await.unwrap().0, EndState::Unknown);
}

#[tokio::test(start_paused = true)]
async fn states_that_cannot_be_read_are_set_aside() {
    let mut world = World::new("a", "").await;
    let message = silent(&mut world).await;
    let now = world.deps.clock.now();
    let mut ids: Vec<_> = (0..2 * ENTRIES_MAX).map(|_| world.deps.dice.message_id(now)).collect();
    let long_ago = UnixMs(now.0 - ASIDE_KEPT.as_millis() as u64);
    ids.push(world.deps.dice.message_id(long_ago));
    let ops = ids.iter().map(|id| unreadable(keys::state(*id), message.key)).collect();
    let (written, commit) = world.store.apply(ops).await.unwrap();
    commit.await.unwrap();
    assert!(written.iter().all(|applied| matches!(applied, Applied::Written(_))));
    time::sleep(CATCH_UP + Duration::from_secs(1)).await;
    let partition = bus::PartitionId::of(message.key.0, Config::default().partitions).0;
    let due = |at: UnixMs| world.store.due(partition, at.second_ceil(), 3 * ENTRIES_MAX);
    assert_eq!(due(world.deps.clock.now()).await.unwrap(), [], "out of the way");
    let later = due(world.deps.clock.now() + ASIDE).await.unwrap();
    assert!(later.len() >= ids.len(), "but not forgotten");
    ends_in_time(&world, &message).await;
    time::sleep(ASIDE).await;
    let ends = [ids[0], ids[ids.len() - 1]].map(keys::state);
    let left = world.store.get(ends.into()).await.unwrap();
    let kept = left[0].as_ref().map(|there| &there.value[..]);
    assert_eq!(kept, Some(&b"no state"[..]), "a router that can read it may come");
    assert_eq!(left[1], None, "nothing is kept for ever");
}

#[tokio::test(start_paused = true)]
async fn a_partition_whose_timers_do_not_go_away_leaves_time_for_the_others() {
    let mut world = World::new("a", "").await;
    let message = silent(&mut world).await;
    // Not the state of anything, so that nothing is ever done about it.
    for partition_of in 0..64 {
        if bus::PartitionId::of(partition_of, Config::default().partitions)
            == bus::PartitionId::of(message.key.0, Config::default().partitions)
        {
            continue;
        }
        let key = |at: usize| Key::new("other", format!("{partition_of}.{at}"));
        let ops = (0..ENTRIES_MAX).map(|at| unreadable(key(at), RecordKey(partition_of)));
        let (_, commit) = world.store.apply(ops.collect()).await.unwrap();
        commit.await.unwrap();
    }
    ends_in_time(&world, &message).await;
}
