//! `WatchInbound`: messages from handsets to the numbers of one account.

use bus::{Stored, Topic};
use signalbox_proto::{
    ingest,
    pb::signalbox::ingest::v1::{InboundMessage, WatchInboundResponse},
    record::{Invalid, inbound_from_bytes},
    topics,
};

use super::{Caller, watch::Feed};
use crate::{Account, metrics};

/// What was sent to the account's numbers.
pub(super) struct InboundMessages;

impl Feed for InboundMessages {
    type Item = InboundMessage;
    type Response = WatchInboundResponse;
    const STREAMS: &'static str = "streams of inbound messages";

    fn topic() -> Topic {
        topics::inbound()
    }

    fn read(caller: &Caller, account: &Account, stored: &Stored) -> Result<Option<InboundMessage>, Invalid> {
        let inbound = inbound_from_bytes(&stored.value)?;
        let called = caller.directory.called(&account.name, &inbound.carriers, &inbound.to);
        Ok(called.map(|carrier| ingest::inbound(&inbound, &carrier)))
    }

    fn response(messages: Vec<InboundMessage>, token: String) -> WatchInboundResponse {
        WatchInboundResponse { messages, token }
    }

    fn count(messages: usize) {
        metrics::inbound(messages);
    }
}
