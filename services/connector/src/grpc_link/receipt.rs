//! What a receipt of a carrier says, in our words.

use std::sync::Arc;

use futures::{FutureExt as _, future::BoxFuture};
use signalbox_proto::{carrier, pb::signalbox::carrier::v1 as pb};
use sms::{Receipt, ReceiptState};
use tonic::Status;

use super::{
    client::Client,
    feed::{Kind, Stream},
    remote_id, short,
};
use crate::{maps::Maps, metrics};

/// Characters kept of the carrier's own words, each.
const WORD_CHARS_MAX: usize = 32;

/// The stream of receipts.
pub(super) struct Receipts;

impl Kind for Receipts {
    type Request = pb::ReceiptsRequest;
    type Response = pb::ReceiptsResponse;
    type Item = pb::Receipt;

    const NAME: &'static str = "Receipts";
    const WINDOW: u32 = 5_000;

    fn request(window: u32, confirmed: Vec<String>, again: Vec<String>) -> pb::ReceiptsRequest {
        pb::ReceiptsRequest {
            window,
            confirmed,
            again,
        }
    }

    fn open(mut client: Client, first: pb::ReceiptsRequest) -> BoxFuture<'static, Result<Stream<Self>, Status>> {
        async move {
            let (requests, request) = client.stream(first);
            let responses = client.calls.receipts(request).await?.into_inner();
            Ok(Stream { requests, responses })
        }
        .boxed()
    }

    fn items(response: pb::ReceiptsResponse) -> Vec<(String, pb::Receipt)> {
        let named = |mut receipt: pb::Receipt| (std::mem::take(&mut receipt.receipt_id), receipt);
        response.receipts.into_iter().map(named).collect()
    }
}

/// The carrier's id of the message, and the receipt.
pub(super) fn read(link: &Arc<str>, maps: &Maps, receipt: &pb::Receipt) -> (String, Receipt) {
    let (word, error) = (
        short(&receipt.word, WORD_CHARS_MAX),
        short(&receipt.error, WORD_CHARS_MAX),
    );
    let own = maps.faults.word(&word).filter(|_| !word.is_empty());
    let said = own
        .map(|(state, _)| state)
        .or_else(|| carrier::receipt_state(receipt.state()));
    if said.is_none() {
        metrics::unmapped(link, "receipt_state");
    }
    // A state that nobody knows ends nothing: taking one for the end would lose what follows.
    let state = said.unwrap_or(ReceiptState::Enroute);
    let blamed = own
        .and_then(|(_, fault)| fault)
        .or_else(|| maps.faults.of_error(&error))
        .or_else(|| carrier::receipt_fault(receipt.blame()));
    if blamed.is_none() && maps.faults.is_unmapped(state, &error, None) {
        metrics::unmapped(link, "receipt_error");
    }
    let fault = blamed.unwrap_or_else(|| maps.faults.fault(state, &error, None));
    let stat = match word.is_empty() {
        true => receipt
            .state()
            .as_str_name()
            .trim_start_matches("RECEIPT_STATE_")
            .to_owned(),
        false => word,
    };
    let raw = match error.is_empty() {
        true => stat,
        false => format!("{stat} {error}"),
    };
    let id = remote_id(&receipt.remote_id);
    let receipt = Receipt {
        state,
        fault,
        raw,
        error,
        done_at: receipt.done_at.as_ref().and_then(carrier::instant),
        vendor: Vec::new(),
    };
    (id, receipt)
}

#[cfg(test)]
mod tests {
    use signalbox_proto::ingest::timestamp;
    use sms::{ReceiptFault, UnixMs};

    use super::*;

    fn receipt(state: pb::ReceiptState) -> pb::Receipt {
        pb::Receipt {
            remote_id: "7".to_owned(),
            state: state.into(),
            ..pb::Receipt::default()
        }
    }

    fn read_with(maps: &Maps, receipt: &pb::Receipt) -> Receipt {
        read(&"atlas".into(), maps, receipt).1
    }

    #[test]
    fn every_state_is_taken_as_it_is_said_and_one_that_is_not_said_ends_nothing() {
        let maps = Maps::default();
        for number in 0..20 {
            let said = pb::ReceiptState::try_from(number).ok();
            let wanted = said.and_then(carrier::receipt_state).unwrap_or(ReceiptState::Enroute);
            let mut odd = receipt(pb::ReceiptState::Unspecified);
            odd.state = number;
            assert_eq!(read_with(&maps, &odd).state, wanted, "{number}");
        }
    }

    #[test]
    fn the_link_s_own_words_come_before_what_the_carrier_says() {
        let mut maps = Maps::default();
        maps.faults
            .set_word("SPAM", ReceiptState::Rejected, Some(ReceiptFault::Recipient));
        maps.faults.set("042", ReceiptFault::Number);
        let mut said = receipt(pb::ReceiptState::Undeliverable);
        said.blame = pb::Blame::Route.into();
        assert_eq!(read_with(&maps, &said).fault, ReceiptFault::Route);
        said.error = "42".to_owned();
        let read = read_with(&maps, &said);
        assert_eq!((read.fault, &*read.raw), (ReceiptFault::Number, "UNDELIVERABLE 42"));
        said.word = "spam".to_owned();
        let read = read_with(&maps, &said);
        assert_eq!(
            (read.state, read.fault),
            (ReceiptState::Rejected, ReceiptFault::Recipient)
        );
        assert_eq!(read.raw, "spam 42");
    }

    #[test]
    fn a_rejection_without_a_word_blames_the_route_and_a_failure_the_handset() {
        let maps = Maps::default();
        let fault = |state| read_with(&maps, &receipt(state)).fault;
        assert_eq!(fault(pb::ReceiptState::Rejected), ReceiptFault::Route);
        assert_eq!(fault(pb::ReceiptState::Undeliverable), ReceiptFault::Handset);
    }

    #[test]
    fn words_of_any_length_are_cut_and_times_before_1970_are_none() {
        let mut said = receipt(pb::ReceiptState::Delivered);
        said.word = "x".repeat(100_000);
        said.error = "é".repeat(100_000);
        let at = UnixMs(1_767_225_600_000);
        said.done_at = Some(timestamp(at));
        let read = read_with(&Maps::default(), &said);
        assert_eq!(read.raw.chars().count(), 2 * WORD_CHARS_MAX + 1);
        assert_eq!(read.done_at, Some(at));
        said.done_at.iter_mut().for_each(|at| at.seconds = -1);
        assert_eq!(read_with(&Maps::default(), &said).done_at, None);
    }
}
