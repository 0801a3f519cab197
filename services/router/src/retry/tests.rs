//! How long a record waits, whatever clocks say.

use journey::Unmatched;
use sms::{CarrierName, Receipt, ReceiptFault, ReceiptState};

use super::*;

const NOW: UnixMs = UnixMs(1_790_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const DELAY: Duration = Duration::from_secs(30);

/// A receipt on a delay topic that is read now.
fn waits(put_at: UnixMs, stored_at: UnixMs) -> Waits {
    let receipt = Unmatched {
        carrier: CarrierName::new("a").unwrap(),
        remote_id: "1".to_owned(),
        receipt: Receipt {
            state: ReceiptState::Delivered,
            fault: ReceiptFault::Handset,
            raw: String::new(),
            error: String::new(),
            done_at: None,
            vendor: Vec::new(),
        },
        first_seen: NOW,
        party: None,
    };
    let (key, waited) = (RecordKey(1), DELAY);
    let stored = Stored {
        key: key.0,
        value: record::delayed_to_bytes(&Delayed::Receipt { receipt, key, waited }, put_at),
        stored_at_ms: stored_at.0,
        headers: Vec::new(),
    };
    Waits::read(stored, NOW)
}

fn held(partition: u32, end: u64, records: impl IntoIterator<Item = Waits>) -> Held {
    Held {
        records: records.into_iter().collect(),
        delivered: Delivered {
            topic: Topic::new("x"),
            partition: bus::PartitionId(partition),
            end,
            generation: 1,
        },
    }
}

/// Time until a record is due that is read now.
fn due_in(put_at: UnixMs, stored_at: UnixMs) -> Duration {
    held(0, 1, [waits(put_at, stored_at)]).due_in(DELAY, NOW).unwrap()
}

#[test]
fn a_record_waits_from_when_it_was_put_there_whatever_the_log_says() {
    let second_ago = NOW - Duration::from_secs(1);
    for stored_at in [second_ago, NOW - HOUR, NOW + HOUR] {
        assert_eq!(due_in(second_ago, stored_at), DELAY - Duration::from_secs(1));
    }
    assert_eq!(due_in(NOW - HOUR, NOW), Duration::ZERO);
}

#[test]
fn a_record_from_a_clock_ahead_of_ours_waits_no_longer_than_its_delay() {
    assert_eq!(due_in(NOW + HOUR, NOW + HOUR), DELAY);
}

/// The first batch was put there by a clock ahead of ours, and the second by one that was not.
#[test]
fn a_batch_is_acked_once_all_before_it_in_its_partition_are_done() {
    let slow = waits(NOW + HOUR, NOW);
    let mut read = vec![held(0, 1, [slow]), held(1, 7, []), held(0, 2, []), held(0, 3, [])];
    let acked = |read: &mut Vec<Held>| take_done(read).into_iter().map(|done| done.end).collect::<Vec<_>>();
    assert_eq!(acked(&mut read), [7]);
    read[0].records.clear();
    assert_eq!(acked(&mut read), [1, 2, 3]);
}
