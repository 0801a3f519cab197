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
