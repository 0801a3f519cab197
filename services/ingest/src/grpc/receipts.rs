//! `WatchReceipts`: the events of one account.

use bus::{Stored, Topic};
use journey::Event;
use signalbox_proto::{
    ingest,
    pb::signalbox::ingest::v1::{Receipt, WatchReceiptsResponse},
    record::{Invalid, event_from_bytes},
    topics,
};
use sms::AccountId;

use super::{Caller, watch::Feed};
use crate::{Account, metrics};

/// How the account's messages ended.
pub(super) struct Receipts;

impl Feed for Receipts {
    type Item = Receipt;
    type Response = WatchReceiptsResponse;
    const STREAMS: &'static str = "receipt streams";

    fn topic() -> Topic {
        topics::events()
    }

    fn read(_: &Caller, account: &Account, stored: &Stored) -> Result<Option<Receipt>, Invalid> {
        let event = event_from_bytes(&stored.value)?;
        Ok(receipt_of(&account.name, &event))
    }

    fn response(receipts: Vec<Receipt>, token: String) -> WatchReceiptsResponse {
        WatchReceiptsResponse { receipts, token }
    }

    fn count(receipts: usize) {
        metrics::receipts(receipts);
    }
}

/// The receipt in an event of `account`. The customer is not told of copies: it never got their ids.
fn receipt_of(account: &AccountId, event: &Event) -> Option<Receipt> {
    let (owner, is_copy) = match event {
        Event::Ended(ended) => (&ended.message.account, ended.message.copy_of.is_some()),
        Event::Late(late) => (&late.account, late.copy_of.is_some()),
    };
    (owner == account && !is_copy).then(|| ingest::receipt(event))
}
