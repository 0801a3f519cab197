//! What of an address may be seen.

use super::*;

#[test]
fn debug_shows_no_number_whole() {
    let recipient = Msisdn::new("+447900000001").unwrap();
    assert_eq!(format!("{recipient:?} {recipient}"), "+4479******01 +4479******01");
    for number in ["447900000001", "+447900000001"] {
        assert_eq!(format!("{:?}", Sender::new(number).unwrap()), "+4479******01");
    }
    assert_eq!(format!("{:?}", Sender::new("123456789").unwrap()), "+1234***89");
}

#[test]
fn names_and_short_codes_are_no_secret() {
    assert_eq!(format!("{:?}", Sender::new("ACME").unwrap()), "\"ACME\"");
    assert_eq!(format!("{:?}", Sender::new("12345").unwrap()), "\"12345\"");
}
