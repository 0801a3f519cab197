//! Calls of the carrier that wait until all they said is safe.

use std::collections::BTreeMap;

use sms::{InboundPart, Receipt};
use tokio::sync::oneshot;

use crate::{
    inbound::{Came, InboundRules},
    link::{Arrived, Reply},
};

/// Receipts and messages that may wait at once; a call beyond them is asked to come again.
const OPEN_MAX: usize = 5_000;

/// What one call says, and who waits for it to be safe.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(super) receipts: Vec<(String, Receipt)>,
    pub(super) inbound: Vec<InboundPart>,
    pub(super) rules: InboundRules,
    /// Hears whether all of it is safe; dropped = it is not.
    pub(super) reply: oneshot::Sender<bool>,
}

/// Calls by what is open of them.
#[derive(Debug, Default)]
pub(super) struct Desk {
    numbers: u64,
    calls: BTreeMap<u64, Open>,
    /// The call of each token.
    tokens: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Open {
    left: usize,
    is_safe: bool,
    reply: oneshot::Sender<bool>,
}

impl Desk {
    /// Gives each thing of a call its token; `None` = there is no room, and the call was told so.
    pub(super) fn enter(&mut self, delivered: Delivered) -> Option<(Vec<Arrived>, Vec<Came>)> {
        let Delivered {
            receipts,
            inbound,
            rules,
            reply,
        } = delivered;
        let left = receipts.len() + inbound.len();
        if self.tokens.len() + left > OPEN_MAX {
            let _ = reply.send(false);
            return None;
        }
        let call = self.next();
        let mut token = || {
            let token = self.next();
            self.tokens.insert(token, call);
            token
        };
        let arrived = receipts.into_iter().map(|(remote_id, receipt)| Arrived {
            token: token(),
            remote_id,
            receipt,
            party: None,
        });
        let arrived = arrived.collect();
        let came = inbound.into_iter().map(|part| Came {
            token: token(),
            part,
            rules,
        });
        let came = came.collect();
        let open = Open {
            left,
            is_safe: true,
            reply,
        };
        self.calls.insert(call, open);
        Some((arrived, came))
    }

    /// Enters a reply; the call hears once all of it is replied to.
    pub(super) fn reply(&mut self, reply: Reply) {
        let Some(call) = self.tokens.remove(&reply.token) else {
            return;
        };
        let Some(open) = self.calls.get_mut(&call) else { return };
        open.left -= 1;
        open.is_safe &= reply.is_safe;
        if open.left == 0
            && let Some(open) = self.calls.remove(&call)
        {
            // Whoever called may have hung up: it calls again, and hears of a repeat.
            let _ = open.reply.send(open.is_safe);
        }
    }

    fn next(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }
}

#[cfg(test)]
mod tests {
    //! A call is told that it is safe once all of it is.

    use std::time::Duration;

    use sms::{ReceiptFault, ReceiptState};

    use super::*;

    fn call(count: usize) -> (Delivered, oneshot::Receiver<bool>) {
        let (reply, heard) = oneshot::channel();
        let receipt = |number: usize| {
            let receipt = Receipt {
                state: ReceiptState::Delivered,
                fault: ReceiptFault::Handset,
                raw: String::new(),
                error: String::new(),
                done_at: None,
                vendor: Vec::new(),
            };
            (format!("id-{number}"), receipt)
        };
        let day = Duration::from_secs(86_400);
        let delivered = Delivered {
            receipts: (0..count).map(receipt).collect(),
            inbound: Vec::new(),
            rules: InboundRules {
                gather: sms::GatherRules {
                    repeats: day,
                    within: day,
                },
                waiting_max: 1,
            },
            reply,
        };
        (delivered, heard)
    }

    #[test]
    fn a_call_is_safe_once_all_of_it_is() {
        let mut desk = Desk::default();
        for last_is_safe in [true, false] {
            let (delivered, mut heard) = call(2);
            let (arrived, _) = desk.enter(delivered).unwrap();
            let reply = |at: usize, is_safe| Reply {
                token: arrived[at].token,
                is_safe,
            };
            desk.reply(reply(0, true));
            desk.reply(reply(0, true));
            assert!(heard.try_recv().is_err(), "one of it is open");
            desk.reply(reply(1, last_is_safe));
            assert_eq!(heard.try_recv(), Ok(last_is_safe));
        }
        assert!(desk.calls.is_empty() && desk.tokens.is_empty());
    }

    #[test]
    fn what_there_is_no_room_for_is_asked_for_again() {
        let mut desk = Desk::default();
        let (delivered, _heard) = call(OPEN_MAX);
        assert!(desk.enter(delivered).is_some());
        let (delivered, mut heard) = call(1);
        assert!(desk.enter(delivered).is_none());
        assert_eq!(heard.try_recv(), Ok(false));
    }
}
