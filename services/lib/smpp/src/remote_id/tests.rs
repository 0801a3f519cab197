//! Ids in every format, to one key.

use proptest::prelude::*;

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

#[test]
fn a_uuid_is_one_in_any_case_and_keeps_its_zeros() {
    let upper = "00A6C3B1-7F2D-4C59-9B1E-0123456789AB";
    assert_eq!(canonical_id(upper), "00a6c3b1-7f2d-4c59-9b1e-0123456789ab");
    assert_eq!(
        canonical_id(&upper.replace('-', "")),
        "00a6c3b17f2d4c599b1e0123456789ab"
    );
    assert_eq!(
        canonical_id("00A6C3B1-7F2D-4C59-9B1E-0123456789AX").chars().next_back(),
        Some('X')
    );
}

#[test]
fn an_exact_id_keeps_case_and_zeros() {
    let exact = formats(IdFormat::Exact, IdFormat::Exact);
    assert_eq!(exact.of_response(" 00aB "), "00aB");
    assert_ne!(exact.of_response("0A"), exact.of_receipt("A"));
}

/// One 64-bit number as carriers write it: in this radix, this case, with so many zeros before it.
fn written(number: u64, format: IdFormat, is_upper: bool, zeros: usize) -> String {
    let digits = match (format, is_upper) {
        (IdFormat::Dec, _) => number.to_string(),
        (_, true) => format!("{number:X}"),
        (_, false) => format!("{number:x}"),
    };
    // Longer than this no carrier's number is.
    format!("{}{digits}", "0".repeat(zeros.min(NUMBER_DIGITS_MAX - digits.len())))
}

proptest! {
    /// A number in the response and the same in the receipt, each in its own radix, case and width.
    #[test]
    fn one_number_is_one_key_however_both_sides_write_it(
        number: u64,
        radix in prop::sample::select(vec![
            (IdFormat::Hex, IdFormat::Dec),
            (IdFormat::Dec, IdFormat::Hex),
            (IdFormat::Hex, IdFormat::Hex),
            (IdFormat::Dec, IdFormat::Dec),
            (IdFormat::Opaque, IdFormat::Opaque),
        ]),
        upper: (bool, bool),
        zeros in (0_usize..12, 0_usize..12),
    ) {
        let carrier = formats(radix.0, radix.1);
        let response = written(number, radix.0, upper.0, zeros.0);
        let receipt = written(number, radix.1, upper.1, zeros.1);
        prop_assert_eq!(carrier.of_response(&response), carrier.of_receipt(&receipt), "{} {}", response, receipt);
    }

    /// Two numbers never share a key, or one message would get the other's receipt.
    #[test]
    fn two_numbers_are_two_keys(one: u64, other: u64) {
        prop_assume!(one != other);
        let carrier = formats(IdFormat::Hex, IdFormat::Dec);
        let response = written(one, IdFormat::Hex, true, 3);
        let receipt = written(other, IdFormat::Dec, false, 0);
        prop_assert_ne!(carrier.of_response(&response), carrier.of_receipt(&receipt));
    }

    /// A UUID in any case, with the spaces that some carriers put around it.
    #[test]
    fn a_uuid_is_one_key_in_any_case(number: u128, is_hyphened: bool) {
        let digits = format!("{number:032x}");
        let uuid = match is_hyphened {
            true => format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]),
            false => digits,
        };
        let carrier = formats(IdFormat::Opaque, IdFormat::Opaque);
        let receipt = format!(" {} ", uuid.to_uppercase());
        prop_assert_eq!(carrier.of_response(&uuid), carrier.of_receipt(&receipt));
    }

    /// Whatever a carrier writes, the key is none or short, and reading it again changes nothing.
    #[test]
    fn a_key_is_bounded_and_stays_what_it_is(id in ".{0,200}") {
        let key = canonical_id(&id);
        prop_assert_eq!(canonical_id(&key), key.clone());
        prop_assert!(IdFormats::default().of_response(&id).len() <= ID_OCTETS_MAX);
    }
}
