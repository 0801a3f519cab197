//! Damage of every sort is told, and whoever knows nothing of seals reads what is behind one.

use prost::Message as _;

use super::*;
use crate::pb::signalbox::bus::v1 as pb;

fn rebuilt() -> pb::Rebuilt {
    pb::Rebuilt {
        lost_at: 1_700_000_000_123,
    }
}

fn opened(octets: Bytes) -> Result<pb::Rebuilt, Invalid> {
    open(Kind::Rebuilt, &octets)
}

#[test]
fn the_form_of_a_seal_never_changes() {
    let sealed = seal(Kind::Rebuilt, &pb::Rebuilt { lost_at: 5 });
    assert_eq!(sealed[..], [0xFD, 0x7F, 0xF2, 0x84, 0x85, 0x03, 0x08, 0x05]);
    let keys = [FORMAT_KEY, CHECKSUM_KEY].map(|key| prost::encoding::decode_key(&mut &key[..]).unwrap());
    use prost::encoding::WireType::{ThirtyTwoBit, Varint};
    assert_eq!(keys, [(2046, Varint), (2047, ThirtyTwoBit)]);
}

#[test]
fn a_reader_that_knows_no_seals_skips_it() {
    let sealed = seal(Kind::Rebuilt, &rebuilt());
    assert_eq!(pb::Rebuilt::decode(sealed.clone()), Ok(rebuilt()));
    assert_eq!(pb::Rebuilt::decode(of_a_later_format(&sealed)), Ok(rebuilt()));
}

#[test]
fn octets_of_a_version_without_seals_are_read() {
    assert_eq!(opened(rebuilt().encode_to_vec().into()), Ok(rebuilt()));
}

/// Cuts at every octet: nothing that is left reads as a record of an older version, not even nothing at all.
#[test]
fn what_is_cut_short_is_told() {
    let sealed = seal(Kind::Rebuilt, &rebuilt());
    for end in 0..sealed.len() {
        let told = opened(sealed.slice(..end)).unwrap_err();
        let is_seal = end < SEAL_OCTETS;
        assert_eq!(told == Invalid::Truncated { octets: end }, is_seal, "{told}");
        assert_eq!(matches!(told, Invalid::Damaged(_)), !is_seal, "{told}");
    }
}

/// A state has no field that must be there, so no other octets than these tell that it is damaged.
#[test]
fn a_state_that_lost_its_octets_or_the_first_bit_of_its_seal_is_no_state() {
    assert_eq!(
        open::<pb::State>(Kind::State, &Bytes::new()),
        Err(Invalid::Truncated { octets: 0 })
    );
    let sealed = seal(Kind::State, &pb::State::default());
    for octets in [sealed.clone(), of_a_later_format(&sealed)] {
        let mut changed = octets.to_vec();
        changed[0] ^= LONG_KEY;
        let told = open::<pb::State>(Kind::State, &changed.into()).unwrap_err();
        assert!(matches!(told, Invalid::Damaged(_)), "{told}");
    }
}

/// Turns every bit: none is read as if nothing had happened.
#[test]
fn every_changed_bit_is_told() {
    for octets in [
        seal(Kind::Rebuilt, &rebuilt()),
        of_a_later_format(&seal(Kind::Rebuilt, &rebuilt())),
    ] {
        for bit in 0..octets.len() * 8 {
            let mut changed = octets.to_vec();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(opened(changed.into()).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn a_wrong_checksum_says_which_was_found() {
    let mut octets = seal(Kind::Rebuilt, &pb::Rebuilt { lost_at: 5 }).to_vec();
    octets[7] = 6;
    let told = opened(octets.into()).unwrap_err().to_string();
    let expected = "record was cut short or changed: checksum is 038584f2, octets give 9a8cd548";
    assert_eq!(told, expected);
}

#[test]
fn a_record_of_another_kind_is_named() {
    let told = opened(seal(Kind::Order, &rebuilt())).unwrap_err();
    let expected = "record is of another kind: order, not note of a rebuilt store";
    assert_eq!(told.to_string(), expected);
    assert_eq!(told.fault().as_str(), "checksum");
}

#[test]
fn a_later_format_is_refused_with_both_numbers() {
    let told = opened(of_a_later_format(&seal(Kind::Rebuilt, &rebuilt()))).unwrap_err();
    let expected = "written in format 2, this version reads up to 1: finish the upgrade, then replay";
    assert_eq!(told.to_string(), expected);
    assert_eq!(told.fault().as_str(), "newer");
}
