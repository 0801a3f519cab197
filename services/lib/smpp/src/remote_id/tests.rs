//! Ids in every format, to one key.

use super::*;

fn formats(response: IdFormat, receipt: IdFormat) -> IdFormats {
    IdFormats { response, receipt }
}

#[test]
fn case_and_leading_zeros_do_not_part_an_id_from_itself() {
    assert_eq!(canonical_id("00B8BE19"), canonical_id("b8be19"));
    assert_eq!(canonical_id("0e999f21"), canonical_id("E999F21"));
    assert_eq!(canonical_id("0000000000"), "0");
}

#[test]
fn an_id_that_is_no_number_stays_as_it_is() {
    assert_eq!(canonical_id("0A6C3B1E-7F2D-4C59"), "0A6C3B1E-7F2D-4C59");
    assert_eq!(
        canonical_id("00000000000000000000A"),
        "00000000000000000000A",
        "21 digits are opaque"
    );
    assert_eq!(canonical_id("00msg"), "00msg");
    assert_eq!(canonical_id(""), "");
}

#[test]
fn hexadecimal_response_meets_decimal_receipt() {
    let vonage = formats(IdFormat::Hex, IdFormat::Dec);
    assert_eq!(vonage.of_response("00B8BE19"), vonage.of_receipt("12107289"));
    assert_eq!(vonage.of_receipt("0012107289"), "b8be19");
}

#[test]
fn decimal_response_meets_hexadecimal_receipt() {
    let carrier = formats(IdFormat::Dec, IdFormat::Hex);
    assert_eq!(carrier.of_response("12107289"), carrier.of_receipt("B8BE19"));
}

#[test]
fn equal_formats_convert_nothing() {
    for format in [IdFormat::Opaque, IdFormat::Hex, IdFormat::Dec] {
        let same = formats(format, format);
        assert_eq!(same.of_response("0123456789"), "123456789");
        assert_eq!(same.of_receipt("123456789"), "123456789");
    }
}

#[test]
fn an_id_that_breaks_its_format_is_taken_as_it_is() {
    let vonage = formats(IdFormat::Hex, IdFormat::Dec);
    assert_eq!(vonage.of_receipt("B8BE19"), "b8be19", "not decimal after all");
    assert_eq!(vonage.of_receipt("not-a-number"), "not-a-number");
}

/// Cutting them would make two long ids one, and one message's receipt another's.
#[test]
fn an_id_of_absurd_length_is_none() {
    let carrier = formats(IdFormat::Opaque, IdFormat::Opaque);
    let longest = "x".repeat(ID_OCTETS_MAX);
    assert_eq!(carrier.of_response(&longest), longest);
    assert_eq!(carrier.of_receipt(&format!(" {longest} ")), longest);
    assert_eq!(carrier.of_response(&format!("{longest}x")), "");
    assert_eq!(carrier.of_receipt(&"7".repeat(60_000)), "");
}
