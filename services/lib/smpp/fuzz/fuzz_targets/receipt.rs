//! Texts of receipts, ids and validities as any carrier writes them: they are read or not, what is read stays within its
//! bounds, and reading an id's key again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use smpp::{
    Body, Deliver, ID_OCTETS_MAX, IdFormat, IdFormats, ReceiptFormat, ReceiptKey, Tlv, canonical_id, parse_receipt,
    receipt_date, tag, validity_duration,
};
use sms::UnixMs;

fuzz_target!(|input: &[u8]| {
    let (text, tlv) = match input.iter().position(|octet| *octet == 0xFF) {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[][..]),
    };
    let values = [tag::RECEIPTED_MESSAGE_ID, tag::MESSAGE_STATE, tag::NETWORK_ERROR_CODE];
    let deliver = Deliver {
        esm_class: 0x04,
        body: Body::ShortMessage(text.to_vec().into()),
        tlvs: values.map(|tag| Tlv::new(tag, tlv.to_vec())).to_vec(),
        ..Deliver::default()
    };
    let mut own = ReceiptFormat::default();
    own.spell(ReceiptKey::Id, "msgid=");
    own.spell(ReceiptKey::Stat, "state=");
    own.set_zone(-210);
    for receipt in [parse_receipt(&deliver), own.read(&deliver)] {
        let receipt = receipt.expect("it is marked as one");
        let formats = [IdFormat::Opaque, IdFormat::Hex, IdFormat::Dec, IdFormat::Exact];
        for (response, dlr) in formats.into_iter().flat_map(|one| formats.map(|other| (one, other))) {
            let ids = IdFormats { response, receipt: dlr };
            let id = receipt.id.as_deref().unwrap_or_default();
            assert!(ids.of_response(id).len() <= ID_OCTETS_MAX && ids.of_receipt(id).len() <= ID_OCTETS_MAX);
        }
        let key = canonical_id(receipt.id.as_deref().unwrap_or_default());
        assert_eq!(canonical_id(&key), key);
        let _ = receipt.error_code();
    }
    let words = String::from_utf8_lossy(text);
    let _ = (receipt_date(&words), validity_duration(&words, UnixMs(u64::MAX / 2)));
});
