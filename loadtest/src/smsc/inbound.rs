//! Messages from handsets that the carrier hands to its clients: queued until a client is bound, and sent again until one takes
//! them.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp::{Address, Answer, Body, Deliver};
use sms::{Content, Reference};

use super::carrier::Carrier;

/// Tags of these deliveries have this bit, and those of receipts never do.
const TAG: u64 = 1 << 63;

/// The `deliver_sm`s of a text from `from` to `to`: one, or as many as its length takes, tied by user data headers with
/// `reference`.
///
/// # Panics
/// The text takes more than 255 parts.
pub fn inbound(from: &str, to: &str, text: &str, reference: Reference) -> Vec<Deliver> {
    let content = Content::Text(text.to_owned());
    let encoding = sms::encoding_of(text);
    let parts = sms::segment(&content, encoding, reference).expect("a text of a test fits into 255 parts");
    let deliver = |part: sms::Segment| Deliver {
        source: Address::sender(from),
        destination: Address::sender(to),
        esm_class: if part.header().is_empty() { 0 } else { 0x40 },
        data_coding: if encoding == sms::Encoding::Ucs2 { 8 } else { 0 },
        body: Body::ShortMessage(part.octets().clone()),
        tlvs: Vec::new(),
    };
    parts.into_iter().map(deliver).collect()
}

/// Those of one connection that were sent and not answered, by their tag.
#[derive(Debug, Default)]
pub(super) struct Unanswered(BTreeMap<u64, Deliver>);

impl Unanswered {
    /// Takes up to `max` that are due at `now`, each with its tag.
    pub(super) fn take(&mut self, carrier: &Carrier, now: Duration, max: usize) -> Vec<(u64, Deliver)> {
        let taken = carrier.take_inbound(now, max);
        let tagged = taken.into_iter().map(|(number, deliver)| (number | TAG, deliver));
        let tagged: Vec<_> = tagged.collect();
        self.0.extend(tagged.iter().cloned());
        tagged
    }

    /// The client's answer to one of them, or that none came. What was not taken comes again: at once where the connection
    /// failed, later where the client refused. False = it is none of these.
    pub(super) fn answered(&mut self, carrier: &Carrier, now: Duration, tag: u64, answer: &Answer) -> bool {
        let Some(deliver) = self.0.remove(&tag) else {
            return false;
        };
        match answer {
            Answer::Accepted(_) => carrier.inbound_taken(),
            Answer::Refused(..) => carrier.inbound_again(now + carrier.config.receipt_retry, deliver),
            _ => carrier.inbound_again(now, deliver),
        }
        true
    }
}
