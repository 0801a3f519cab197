//! Instants in ids.

use super::*;

#[test]
fn an_id_tells_the_microsecond_of_its_message_and_stays_a_version_7() {
    for part in 0..1_000 {
        let instant = UnixUs(1_795_262_400_123_000 + part);
        let id = MessageId::precisely(instant, [0xff; 10]);
        assert_eq!(id.precise_instant(), instant);
        assert_eq!(id.instant(), instant.millis());
        assert_eq!(id.0.get_version_num(), 7);
    }
}

#[test]
fn ids_sort_by_the_microsecond_of_their_messages() {
    let at = |us, rest| MessageId::precisely(UnixUs(us), [rest; 10]);
    assert!(at(1_000_001, 0xff) < at(1_000_002, 0));
    assert!(at(1_000_999, 0xff) < at(1_001_000, 0));
}
