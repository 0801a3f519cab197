//! What a connector says in traces. Carriers' own words stay out, since they may name people; their statuses do not.

use bus::{Stored, Topic};
use journey::{Correlation, Order, Outcome};
use service::{
    Tracer,
    trace::{Kind, Span, attribute},
};
use sms::{Receipt, ReceiptState, TraceContext};

/// Longest status of an SMPP carrier as it is written.
const STATUS_CHARS_MAX: usize = 32;

/// The spans of one order, which end as they are dropped; nothing for one that is not traced.
#[derive(Debug, Default)]
pub(crate) struct OrderSpans {
    /// The carrier has it.
    submit: Span,
    /// From when it was read until what became of it is on its way to the log.
    process: Span,
}

impl OrderSpans {
    /// An order read from `topic`.
    pub(crate) fn read(tracer: &Tracer, topic: &Topic, stored: &Stored, order: &Order) -> Self {
        let mut process = tracer.process(topic, stored);
        process.set(attribute::MESSAGE_ID, || order.message.id.to_string());
        let submit = Span::default();
        Self { submit, process }
    }

    /// What follows from the order has this as its parent.
    pub(crate) fn context(&self) -> Option<&TraceContext> {
        self.process.context()
    }

    /// A part of it is on its way to the carrier, the first one perhaps.
    pub(crate) fn submitted(&mut self, order: &Order, parts: usize) {
        if self.submit.context().is_some() {
            return;
        }
        let carrier = &order.carrier;
        let mut submit = self.process.begin(Kind::Client, || format!("submit {carrier}"));
        let (_, encoding, _) = order.content();
        submit.set(attribute::CARRIER, || carrier.to_string());
        submit.set(attribute::ORDER, || order.number.0);
        submit.set(attribute::NETWORK, || order.network.clone());
        submit.set(attribute::ENCODING, || encoding.as_str());
        submit.set(attribute::SEGMENTS, || u32::try_from(parts).unwrap_or(u32::MAX));
        self.submit = submit;
    }

    /// The carrier wants it later, and said so for `code` as `detail`: the next try is a span of its own.
    pub(crate) fn held(&mut self, code: &str, detail: &str) {
        let mut submit = std::mem::take(&mut self.submit);
        submit.set(attribute::OUTCOME, || "hold");
        submit.fail(code);
        set_status(&mut submit, detail);
    }

    /// This became of it.
    pub(crate) fn ended(&mut self, outcome: &Outcome) {
        let (code, detail) = match outcome {
            Outcome::Accepted { .. } => (None, ""),
            Outcome::Hold { cause, .. }
            | Outcome::Next { cause }
            | Outcome::Fail { cause }
            | Outcome::LinkDown { cause } => (Some(cause.code.as_str()), cause.detail.as_str()),
            Outcome::Unknown { .. } => (Some(outcome.as_str()), ""),
        };
        for span in [&mut self.submit, &mut self.process] {
            span.set(attribute::OUTCOME, || outcome.as_str());
            if let Some(code) = code {
                span.fail(code);
            }
        }
        set_status(&mut self.submit, detail);
    }
}

/// A receipt that a carrier sent.
pub(crate) fn receipt(tracer: &Tracer, found: &Correlation, receipt: &Receipt) -> Span {
    let carrier = &found.order.carrier;
    let mut span = tracer.begin(found.trace.as_deref(), Kind::Server, || format!("receipt {carrier}"));
    let word = receipt.state.as_str();
    span.set(attribute::MESSAGE_ID, || found.order.message.to_string());
    span.set(attribute::CARRIER, || carrier.to_string());
    span.set(attribute::ORDER, || found.order.number.0);
    span.set(attribute::RECEIPT, || word);
    if receipt.state.is_final() && receipt.state != ReceiptState::Delivered {
        span.fail(word);
    }
    span
}

fn set_status(span: &mut Span, detail: &str) {
    if let Some(status) = command_status(detail) {
        span.set(attribute::COMMAND_STATUS, || status.to_owned());
    }
}

/// The status that a carrier's own words are, if they are one: its name, or its number.
fn command_status(detail: &str) -> Option<&str> {
    let is_name = |name: &str| name.bytes().all(|octet| octet.is_ascii_uppercase() || octet == b'_');
    let is_number = |digits: &str| digits.len() <= 8 && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    let is_status =
        detail.strip_prefix("ESME_").is_some_and(is_name) || detail.strip_prefix("0x").is_some_and(is_number);
    (is_status && detail.len() <= STATUS_CHARS_MAX).then_some(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives the words of carriers of every kind, one of them with a number in it.
    #[test]
    fn of_a_carriers_words_only_its_status_is_told() {
        let told = |detail: &str| command_status(detail).is_some();
        assert_eq!(["ESME_RTHROTTLED", "ESME_RX_T_APPN", "0x00000401"].map(told), [true; 3]);
        assert_eq!(
            ["", "ESME_447700900001", "no such number 447700900001", "0x447700900001"].map(told),
            [false; 4]
        );
    }
}
