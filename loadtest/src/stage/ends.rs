//! Which accepted messages have not ended.

use std::collections::BTreeSet;

use signalbox_proto::pb::signalbox::ingest::v1::WatchReceiptsResponse;

/// Messages by id. A receipt may overtake the answer that names the message.
#[derive(Debug, Default)]
pub struct Ends {
    open: BTreeSet<String>,
    ended: BTreeSet<String>,
}

impl Ends {
    /// A message was accepted.
    pub fn begin(&mut self, id: &str) {
        if !self.ended.contains(id) {
            self.open.insert(id.to_owned());
        }
    }

    /// Takes the ends among `receipts`: a late receipt is none.
    pub fn end(&mut self, receipts: WatchReceiptsResponse) {
        for receipt in receipts.receipts.into_iter().filter(|receipt| !receipt.late) {
            self.open.remove(&receipt.message_id);
            self.ended.insert(receipt.message_id);
        }
    }

    /// Accepted and not ended.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// One of those.
    pub fn first_open(&self) -> Option<&str> {
        self.open.first().map(String::as_str)
    }

    /// Ended, accepted or not as far as we were told.
    pub fn ended(&self) -> usize {
        self.ended.len()
    }
}
