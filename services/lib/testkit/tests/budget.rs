//! What a delivered message may cost at most.

/// Records of one message: accepted, order, outcome, receipt, end.
const RECORDS_MAX: f64 = 5.0;
/// Store operations of one message, reads included.
const OPERATIONS_MAX: f64 = 5.0;
/// Calls of the store for one message that travels alone.
const CALLS_MAX: f64 = 3.0;

/// Counts every call of every process while a hundred messages travel one by one.
#[test]
fn a_delivered_message_keeps_to_its_budget() {
    let budget = testkit::budget(100);
    print!("{budget}");
    assert!(budget.records_each() <= RECORDS_MAX, "{budget}");
    assert!(budget.operations_each() <= OPERATIONS_MAX, "{budget}");
    assert!(budget.calls_each() <= CALLS_MAX, "{budget}");
}
