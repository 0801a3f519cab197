//! Copies of a message to other numbers, as policies ask for them.
//!
//! A copy is an accepted message of its own: it has its own orders and its own end, and whatever becomes of it leaves the
//! original alone. Its id and key follow from the original and the number, so that a message that is delivered again makes
//! the same copies again, and claims let one of each through.

use std::collections::BTreeSet;

use siphasher::sip128::{Hasher128 as _, SipHasher24};
use sms::{Message, MessageId, Msisdn, RecordKey};

/// The copies of `message` to `numbers`, each once: what was asked, to another number. A copy has none.
pub(crate) fn of<'a>(message: &'a Message, numbers: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Message> {
    // The table checks numbers when it is read.
    let numbers = numbers
        .filter(|_| message.copy_of.is_none())
        .filter_map(|number| Msisdn::new(number).ok());
    let numbers: BTreeSet<Msisdn> = numbers.collect();
    numbers.into_iter().map(|to| copy(message, to))
}

fn copy(message: &Message, to: Msisdn) -> Message {
    // The key of the original is a hash under a secret, so nobody finds the number by trying all there are.
    let hash = |what: u64| {
        let mut hasher = SipHasher24::new_with_keys(message.key.0, what);
        std::hash::Hasher::write(&mut hasher, message.id.0.as_bytes());
        std::hash::Hasher::write(&mut hasher, to.digits().as_bytes());
        hasher.finish128().as_u128()
    };
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash(1).to_be_bytes()[..10]);
    Message {
        id: MessageId::of(message.id.instant(), rest),
        key: RecordKey(hash(2) as u64),
        to,
        copy_of: Some(message.id),
        ..message.clone()
    }
}

#[cfg(test)]
mod tests;
