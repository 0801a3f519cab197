//! Names and numbers of command_status, both ways.

use super::*;

#[test]
fn every_name_reads_back_as_its_number() {
    for (name, status) in Status::named() {
        assert_eq!(name.parse(), Ok(status));
        assert_eq!(format!("ESME_{}", name.to_lowercase()).parse(), Ok(status));
        assert_eq!(status.to_string(), name);
    }
}

#[test]
fn what_5_0_renamed_is_read_under_both_names() {
    assert_eq!("ESME_RINVTLVLEN".parse(), Ok(Status::RINVPARLEN));
    assert_eq!("RINVPARLEN".parse(), Ok(Status::RINVPARLEN));
}

#[test]
fn hexadecimal_and_decimal_are_told_apart_by_their_prefix() {
    assert_eq!("0x58".parse(), Ok(Status::RTHROTTLED));
    assert_eq!("88".parse(), Ok(Status::RTHROTTLED));
    assert_eq!("58".parse(), Ok(Status(58)));
}

#[test]
fn vendor_codes_are_written_in_hexadecimal() {
    assert_eq!(Status(0x4A1).to_string(), "0x4A1");
    assert_eq!("0x4A1".parse(), Ok(Status(0x4A1)));
}

#[test]
fn neither_name_nor_number_is_refused() {
    assert!("THROTTLE".parse::<Status>().is_err());
    assert!("".parse::<Status>().is_err());
}
