//! Which batches may be acked.

use bus::Topic;

use super::*;

fn batch(partition: u32, end: u64) -> Delivered {
    Delivered {
        topic: Topic::new("t"),
        partition: PartitionId(partition),
        end,
        generation: 1,
    }
}

fn ends(ledger: &mut Ledger) -> Vec<(u32, u64)> {
    ledger
        .take_finished()
        .into_iter()
        .map(|done| (done.partition.0, done.end))
        .collect()
}

#[test]
fn a_batch_waits_for_those_before_it_in_its_partition_only() {
    let mut ledger = Ledger::default();
    let first = ledger.open(batch(0, 2), 2);
    let second = ledger.open(batch(0, 3), 1);
    let other = ledger.open(batch(1, 1), 1);
    ledger.done(second);
    ledger.done(first);
    assert_eq!(ends(&mut ledger), []);
    ledger.done(other);
    assert_eq!(ends(&mut ledger), [(1, 1)]);
    assert_eq!(ledger.records_open(), 1);
    ledger.done(first);
    assert_eq!(ends(&mut ledger), [(0, 3)], "one ack covers the finished prefix");
    assert_eq!(ledger.records_open(), 0);
}
