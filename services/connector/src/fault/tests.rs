//! Whom negative receipts blame.

use super::*;

fn gsm(code: u16) -> Option<NetworkError> {
    Some(NetworkError { network: GSM, code })
}

#[test]
fn doubt_blames_the_handset_so_nothing_fails_over() {
    let map = FaultMap::default();
    for state in [
        ReceiptState::Undeliverable,
        ReceiptState::Expired,
        ReceiptState::Deleted,
        ReceiptState::Unknown,
    ] {
        assert_eq!(map.fault(state, "", None), ReceiptFault::Handset);
        assert_eq!(map.fault(state, "123", None), ReceiptFault::Handset);
    }
    assert_eq!(map.fault(ReceiptState::Rejected, "", None), ReceiptFault::Route);
}

#[test]
fn errors_of_the_gsm_network_blame_whom_they_name() {
    let map = FaultMap::default();
    let fault = |code| map.fault(ReceiptState::Undeliverable, "", gsm(code));
    assert_eq!(fault(1), ReceiptFault::Number);
    assert_eq!(fault(13), ReceiptFault::Recipient);
    assert_eq!(fault(27), ReceiptFault::Handset, "absent subscriber");
    assert_eq!(fault(34), ReceiptFault::Route, "system failure");
}

#[test]
fn the_link_s_own_codes_come_first_with_or_without_leading_zeros() {
    let mut map = FaultMap::default();
    map.set("021", ReceiptFault::Route);
    map.set("000", ReceiptFault::Number);
    assert_eq!(
        map.fault(ReceiptState::Undeliverable, "21", gsm(1)),
        ReceiptFault::Route
    );
    assert_eq!(map.fault(ReceiptState::Undeliverable, "0", None), ReceiptFault::Number);
}

#[test]
fn a_word_of_the_carrier_s_own_means_what_the_link_says_in_any_case() {
    let mut map = FaultMap::default();
    map.set_word("Spam", ReceiptState::Rejected, Some(ReceiptFault::Recipient));
    assert_eq!(
        map.word("SPAM"),
        Some((ReceiptState::Rejected, Some(ReceiptFault::Recipient)))
    );
    assert_eq!(map.word("DELIVRD"), None);
}

#[test]
fn only_negative_codes_that_nobody_maps_are_unmapped() {
    let mut map = FaultMap::default();
    map.set("7", ReceiptFault::Route);
    let undeliverable = |error, network| map.is_unmapped(ReceiptState::Undeliverable, error, network);
    assert!(undeliverable("21b", None));
    assert!(!undeliverable("007", None));
    assert!(!undeliverable("000", None) && !undeliverable("", None));
    assert!(!undeliverable("99", gsm(1)));
    assert!(!map.is_unmapped(ReceiptState::Delivered, "21b", None));
    assert!(!map.is_unmapped(ReceiptState::Enroute, "21b", None));
}
