//! How long a record waits, whatever clocks say.

use journey::Unmatched;
use sms::{CarrierName, Receipt, ReceiptFault, ReceiptState};

use super::*;

const NOW: UnixMs = UnixMs(1_790_000_000_000);
const HOUR: Duration = Duration::from_secs(3_600);
const DELAY: Duration = Duration::from_secs(30);

/// Time until a record is due that is read now.
fn due_in(put_at: UnixMs, stored_at: UnixMs) -> Duration {
    let receipt = Unmatched {
        carrier: CarrierName::new("a").unwrap(),
        remote_id: "1".to_owned(),
        receipt: Receipt {
            state: ReceiptState::Delivered,
            fault: ReceiptFault::Handset,
            raw: String::new(),
            error: String::new(),
            done_at: None,
        },
        first_seen: NOW,
        party: None,
    };
    let key = RecordKey(1);
    let stored = Stored {
        key: key.0,
        value: record::delayed_to_bytes(&Delayed::Receipt { receipt, key }, put_at),
        stored_at_ms: stored_at.0,
        headers: Vec::new(),
    };
    let held = Held {
        records: [Waits::read(stored, NOW)].into(),
        delivered: Delivered {
            topic: Topic::new("x"),
            partition: bus::PartitionId(0),
            end: 1,
            generation: 1,
        },
    };
    held.due_in(DELAY, NOW).unwrap()
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
