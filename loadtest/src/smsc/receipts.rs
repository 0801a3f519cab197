//! Receipts on their way: when each is due, and what it says.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use smpp::{Address, Body, Deliver, Tlv, absolute_validity, state_name, tag};
use sms::{ReceiptState, UnixMs};

use super::config::IdStyle;

/// A receipt that no client has taken yet.
#[derive(Clone, Debug)]
pub(super) struct Receipt {
    pub(super) id: u64,
    pub(super) source: Address,
    pub(super) destination: Address,
    pub(super) state: ReceiptState,
    pub(super) error: String,
    pub(super) submitted_at: UnixMs,
    pub(super) done_at: UnixMs,
    /// Whether it is sent once more when a client took it.
    pub(super) comes_twice: bool,
}

impl Receipt {
    /// The `deliver_sm` that tells it: appendix B's text, and TLVs if `tlvs`.
    pub(super) fn deliver(&self, style: IdStyle, tlvs: bool) -> Deliver {
        let id = style.write(self.id);
        let (stat, number) = state_name(self.state);
        let delivered = u8::from(self.state == ReceiptState::Delivered);
        let (submitted, done) = (date(self.submitted_at), date(self.done_at));
        let text = format!(
            "id:{id} sub:001 dlvrd:00{delivered} submit date:{submitted} done date:{done} stat:{stat} err:{} text:",
            self.error
        );
        Deliver {
            source: self.destination.clone(),
            destination: self.source.clone(),
            esm_class: 0x04,
            data_coding: 0,
            body: Body::ShortMessage(Bytes::from(text)),
            tlvs: if tlvs { self.tlvs(id, number) } else { Vec::new() },
        }
    }

    fn tlvs(&self, mut id: String, state: u8) -> Vec<Tlv> {
        id.push('\0');
        let mut tlvs = vec![
            Tlv::new(tag::RECEIPTED_MESSAGE_ID, id),
            Tlv::octet(tag::MESSAGE_STATE, state),
        ];
        // 3 stands for GSM.
        if let Some([high, low]) = self.error.parse().ok().filter(|code| *code != 0).map(u16::to_be_bytes) {
            tlvs.push(Tlv::new(tag::NETWORK_ERROR_CODE, vec![3, high, low]));
        }
        tlvs
    }
}

/// `YYMMDDhhmm` in UTC.
fn date(at: UnixMs) -> String {
    absolute_validity(at).map_or_else(String::new, |time| time[..10].to_owned())
}

/// Receipts, or what else goes to clients, by the time they are due.
#[derive(Debug)]
pub(super) struct Receipts<T = Receipt> {
    due: BTreeMap<(Duration, u64), T>,
    added: u64,
}

impl<T> Default for Receipts<T> {
    fn default() -> Self {
        Self {
            due: BTreeMap::new(),
            added: 0,
        }
    }
}

impl<T> Receipts<T> {
    pub(super) fn add(&mut self, due: Duration, receipt: T) {
        let number = self.number();
        self.due.insert((due, number), receipt);
    }

    /// A number that no other of them has.
    pub(super) fn number(&mut self) -> u64 {
        self.added += 1;
        self.added
    }

    pub(super) fn next_due(&self) -> Option<Duration> {
        self.due.first_key_value().map(|((due, _), _)| *due)
    }

    /// Takes up to `max` receipts that are due at `now`, oldest first, each with a number of its own.
    pub(super) fn take(&mut self, now: Duration, max: usize) -> Vec<(u64, T)> {
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some(first) = self.due.first_entry().filter(|first| first.key().0 <= now)
        {
            let ((_, number), receipt) = first.remove_entry();
            taken.push((number, receipt));
        }
        taken
    }

    pub(super) fn len(&self) -> usize {
        self.due.len()
    }
}
