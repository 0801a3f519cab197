//! The bounded memory of carrier ids.

use journey::{OrderNumber, OrderRef};
use sms::{CarrierName, MessageId, RecordKey};

use super::*;

fn correlation(segment: u8) -> Correlation {
    let order = OrderRef {
        message: MessageId(uuid::Uuid::nil()),
        key: RecordKey(1),
        number: OrderNumber(1),
        carrier: CarrierName::new("atlas").unwrap(),
    };
    Correlation {
        order,
        segment,
        segments: 2,
        trace: None,
    }
}

#[test]
fn a_final_receipt_is_the_last_that_is_looked_up() {
    let mut correlations = Correlations::default();
    correlations.insert("a1", correlation(1));
    assert_eq!(correlations.look("a1", false), Some(correlation(1)));
    assert_eq!(correlations.look("a1", true), Some(correlation(1)));
    assert_eq!(correlations.look("a1", true), None);
}

#[test]
fn memory_is_bounded_and_the_oldest_goes_first() {
    let mut correlations = Correlations::default();
    for id in 0..=KEPT_MAX {
        correlations.insert(&id.to_string(), correlation(0));
    }
    assert_eq!(correlations.order.len(), KEPT_MAX);
    assert_eq!(correlations.look("0", false), None);
    assert!(correlations.look("1", false).is_some());
}
