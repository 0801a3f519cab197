//! What becomes of a message's inputs while its state cannot be read: they are put aside as the records they came from, so
//! that they can be replayed once it can.

use journey::{Delayed, Input};
use signalbox_proto::{
    record::{self, DeadRecord, Invalid},
    topics,
};
use sms::UnixMs;

use crate::delay;

/// The dead records of `inputs` to a state that cannot be read, put aside `now`.
pub(crate) fn records(inputs: &[Input], invalid: &Invalid, now: UnixMs) -> impl Iterator<Item = DeadRecord> {
    let reason = format!("the state of its message cannot be read: {invalid}");
    let dead = move |input: &Input| {
        let (topic, octets) = match input {
            Input::Answered(answer) => (topics::outcomes(), record::outcome_to_bytes(answer)),
            Input::Receipt(receipt) => (topics::receipts(), record::receipt_to_bytes(receipt)),
            Input::Parked(waiting) => {
                let (word, _) = delay::that_fits(std::time::Duration::ZERO);
                let delayed = Delayed::Message(waiting.clone());
                (topics::retry(word), record::delayed_to_bytes(&delayed, now))
            }
            Input::DeadEnd(dead_end) => {
                let topic = topics::accepted(dead_end.message.class.lane());
                (topic, record::accepted_to_bytes(&dead_end.message))
            }
            // It stays in the store, and is looked at again.
            Input::Timer => return None,
        };
        Some(DeadRecord::new(topic.as_str(), octets, invalid.fault(), &reason))
    };
    inputs.iter().filter_map(dead).collect::<Vec<_>>().into_iter()
}
