//! Keys and their secret.

use super::*;

fn key(secret: &str, account: &str, to: &str) -> RecordKey {
    let secret: KeySecret = secret.parse().unwrap();
    secret.key(&AccountId::new(account).unwrap(), &Msisdn::new(to).unwrap())
}

/// A fixed value: a change of the function would tear the order of messages in flight.
#[test]
fn key_depends_on_secret_account_and_recipient_and_never_changes() {
    let (one, two) = ("000102030405060708090a0b0c0d0e0f", "100102030405060708090a0b0c0d0e0f");
    let first = key(one, "acme", "447700900001");
    assert_eq!(first, key(one, "acme", "+447700900001"));
    assert_ne!(first, key(two, "acme", "447700900001"));
    assert_ne!(first, key(one, "acme2", "447700900001"));
    assert_ne!(first, key(one, "acme", "447700900002"));
    assert_ne!(key(one, "acme4", "47700900001"), key(one, "acme", "447700900001"));
    assert_eq!(first, RecordKey(3_831_494_074_965_252_852));
}

#[test]
fn secret_reads_back_and_is_masked() {
    let text = "000102030405060708090a0b0c0d0eff";
    let secret: KeySecret = text.parse().unwrap();
    assert_eq!(secret.reveal(), text);
    assert_eq!(format!("{secret:?}"), "KeySecret(***)");
    for bad in [
        "",
        "00",
        "g00102030405060708090a0b0c0d0e0f",
        "+00102030405060708090a0b0c0d0e0f",
        "000102030405060708090a0b0c0d0e0f0",
    ] {
        assert!(bad.parse::<KeySecret>().is_err(), "{bad}");
    }
}
