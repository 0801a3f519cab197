//! Limits, boundaries and properties of cutting and counting.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;

fn text(text: impl Into<String>) -> Content {
    Content::Text(text.into())
}

fn binary(octets: usize) -> Content {
    Content::Binary {
        data: vec![0xA5; octets].into(),
        header: None,
    }
}

fn counted(content: &Content) -> (Encoding, u8, u32) {
    let size = count(content);
    (size.encoding, size.segments, size.units)
}

/// Every boundary of the table of limits: the last size that fits into so many segments, and one more.
#[test]
fn limits_are_those_of_the_format() {
    let long = Reference::Long(0x1234);
    for (content, short_parts, long_parts) in [
        (text("a".repeat(160)), 1, 1),
        (text("a".repeat(161)), 2, 2),
        (text("a".repeat(304)), 2, 2),
        (text("a".repeat(305)), 2, 3),
        (text("a".repeat(306)), 2, 3),
        (text("a".repeat(307)), 3, 3),
        (text("ж".repeat(70)), 1, 1),
        (text("ж".repeat(71)), 2, 2),
        (text("ж".repeat(132)), 2, 2),
        (text("ж".repeat(133)), 2, 3),
        (text("ж".repeat(134)), 2, 3),
        (text("ж".repeat(135)), 3, 3),
        (binary(140), 1, 1),
        (binary(141), 2, 2),
        (binary(266), 2, 2),
        (binary(267), 2, 3),
        (binary(268), 2, 3),
        (binary(269), 3, 3),
        (binary(0), 1, 1),
        (text(""), 1, 1),
    ] {
        let (encoding, segments, units) = counted(&content);
        assert_eq!(segments, short_parts, "{content:?} of {units} units in {encoding}");
        assert_eq!(
            segment(&content, encoding, SHORT).unwrap().len(),
            usize::from(short_parts),
            "{content:?}"
        );
        assert_eq!(
            segment(&content, encoding, long).unwrap().len(),
            long_parts,
            "{content:?}"
        );
    }
}

#[test]
fn extension_characters_take_two_septets_and_are_never_torn() {
    let content = text("a".repeat(152) + "€" + &"a".repeat(10));
    assert_eq!(counted(&content), (Encoding::Gsm7, 2, 164));
    let parts = segment(&content, Encoding::Gsm7, Reference::Short(7)).unwrap();
    assert_eq!(parts[0].payload().len(), 152, "the 153rd septet stays empty");
    assert_eq!(&parts[1].payload()[..2], &[gsm7::ESCAPE, 0x65]);
    assert_eq!(counted(&text("[".repeat(80))), (Encoding::Gsm7, 1, 160));
    assert_eq!(counted(&text("[".repeat(81))), (Encoding::Gsm7, 2, 162));
    // 76 pairs fill 152 of 153 septets: three parts hold 228, though 306 septets would do for 229.
    assert_eq!(counted(&text("[".repeat(153))).1, 3);
}

#[test]
fn surrogate_pairs_are_never_torn() {
    let content = text("ж".repeat(66) + "😀" + "ж");
    assert_eq!(counted(&content), (Encoding::Ucs2, 1, 69));
    let content = text("ж".repeat(66) + "😀жжж");
    assert_eq!(counted(&content), (Encoding::Ucs2, 2, 71));
    let parts = segment(&content, Encoding::Ucs2, SHORT).unwrap();
    assert_eq!(parts[0].payload().len(), 132);
    assert_eq!(decode(Encoding::Ucs2, parts[1].payload()).unwrap(), "😀жжж");
    assert_eq!(counted(&text("🏳️‍🌈")).2, 6);
    assert_eq!(counted(&text("🇮🇹")).2, 4);
}

#[test]
fn alphabet_is_the_one_of_the_standard() {
    let greek = "ΔΦΓΛΩΠΨΣΘΞ";
    let all = format!("@£$¥èéùìòÇ\nØø\rÅå_{greek}ÆæßÉ !\"#¤%&'()*+,-./0189:;<=>?¡AZÄÖÑÜ§¿azäöñüà\u{0C}^{{}}\\[~]|€");
    assert_eq!(encoding_of(&all), Encoding::Gsm7);
    for absent in [
        'ç', 'á', 'í', 'ó', 'ú', '`', '\0', '\t', '\u{1B}', 'Α', '“', '’', '–', '\u{A0}', 'ẞ', '😀',
    ] {
        assert_eq!(encoding_of(&absent.to_string()), Encoding::Ucs2, "{absent:?}");
        let refused = segment(&text(absent), Encoding::Gsm7, SHORT);
        assert_eq!(refused, Err(SegmentError::Unencodable(absent)));
    }
    let septets: Vec<u8> = (0..128).filter(|code| *code != gsm7::ESCAPE).collect();
    let characters = gsm7::decode(&septets);
    assert_eq!(characters.chars().count(), 127);
    assert_eq!(
        segment(&text(characters), Encoding::Gsm7, SHORT).unwrap()[0].payload(),
        &septets[..]
    );
}

#[test]
fn decoding_follows_the_handset_rules() {
    assert_eq!(gsm7::decode(&[0x1B, 0x65, 0x41, 0x1B, 0x41, 0x1B]), "€AA ");
    assert_eq!(gsm7::decode(&[0x80, 0xFF]), "\u{FFFD}\u{FFFD}");
    assert_eq!(decode(Encoding::Ucs2, &[0x04, 0x16, 0x04]).unwrap(), "Ж\u{FFFD}");
    assert_eq!(decode(Encoding::Ucs2, &[0xD8, 0x3D, 0x00, 0x41]).unwrap(), "\u{FFFD}A");
    assert_eq!(decode(Encoding::Binary, &[1]), None);
}

#[test]
fn headers_count_the_parts() {
    let parts = segment(&text("a".repeat(400)), Encoding::Gsm7, Reference::Short(0xAB)).unwrap();
    assert_eq!(parts[2].header(), [0x05, 0x00, 0x03, 0xAB, 3, 3]);
    assert_eq!(parts[2].octets().len(), 6 + 400 - 306);
    let parts = segment(&text("a".repeat(400)), Encoding::Gsm7, Reference::Long(0xABCD)).unwrap();
    assert_eq!(parts[0].header(), [0x06, 0x08, 0x04, 0xAB, 0xCD, 3, 1]);
    assert_eq!(segment(&text("a"), Encoding::Gsm7, SHORT).unwrap()[0].header(), b"");
}

#[test]
fn place_is_found_among_other_elements_and_nonsense_is_none() {
    let place = Concatenation {
        reference: Reference::Short(9),
        total: 2,
        part: 1,
    };
    assert_eq!(
        Concatenation::read(&[0x09, 0x05, 0x02, 1, 2, 0x00, 0x03, 9, 2, 1]),
        Some(place)
    );
    for nonsense in [
        &[][..],
        &[5],
        &[5, 0, 3, 1, 2, 0],
        &[5, 0, 3, 1, 2, 3],
        &[5, 0, 4, 1, 2, 1],
        &[0],
        &[2, 0, 9],
    ] {
        assert_eq!(Concatenation::read(nonsense), None, "{nonsense:?}");
    }
}

#[test]
fn header_of_its_own_allows_one_segment() {
    let with_header = |octets: usize| Content::Binary {
        data: vec![1; octets].into(),
        header: Some(Bytes::from_static(&[0x05, 0x04, 0x0B, 0x84, 0x23, 0xF0])),
    };
    let parts = segment(&with_header(133), Encoding::Binary, SHORT).unwrap();
    assert_eq!(
        (parts.len(), parts[0].header().len(), parts[0].payload().len()),
        (1, 7, 133)
    );
    let refused = segment(&with_header(134), Encoding::Binary, SHORT);
    assert_eq!(refused, Err(SegmentError::HeaderNotAlone(141)));
}

#[test]
fn over_255_segments_and_wrong_encodings_are_refused() {
    assert_eq!(segment(&binary(134 * 255), Encoding::Binary, SHORT).unwrap().len(), 255);
    assert_eq!(
        segment(&binary(134 * 255 + 1), Encoding::Binary, SHORT),
        Err(SegmentError::TooMany(256))
    );
    assert_eq!(count(&binary(134 * 255 + 1)).segments, 255);
    assert!(matches!(
        segment(&text("a"), Encoding::Binary, SHORT),
        Err(SegmentError::Mismatch { .. })
    ));
    assert!(matches!(
        segment(&binary(1), Encoding::Ucs2, SHORT),
        Err(SegmentError::Mismatch { .. })
    ));
}

/// Texts near the boundaries, of one and two units, in and out of the alphabet.
fn texts() -> impl Strategy<Value = String> {
    let gsm = prop::sample::select("abc @£€[]{}\\^~|ÅΔ\n".chars().collect::<Vec<_>>());
    let any = prop_oneof![8 => gsm.clone(), 1 => any::<char>(), 1 => prop::sample::select(vec!['ж', '😀', '🇮'])];
    prop_oneof![
        prop::collection::vec(gsm, 0..700).prop_map(String::from_iter),
        prop::collection::vec(any, 0..400).prop_map(String::from_iter),
    ]
}

fn references() -> impl Strategy<Value = Reference> {
    prop_oneof![
        any::<u8>().prop_map(Reference::Short),
        any::<u16>().prop_map(Reference::Long)
    ]
}

proptest! {
    /// Cuts random texts and joins them again: nothing is lost, no part is over its limit, every part decodes by itself
    /// (so nothing was torn), headers number the parts, and counting agrees with cutting.
    #[test]
    fn cut_text_joins_to_the_same_text(text in texts(), reference in references()) {
        let content = Content::Text(text.clone());
        let size = count(&content);
        prop_assert_eq!(size.encoding, encoding_of(&text));
        let parts = segment(&content, size.encoding, reference).unwrap();
        let joined: String = parts.iter().map(|part| decode(size.encoding, part.payload()).unwrap()).collect();
        prop_assert_eq!(joined, text);
        check_parts(&parts, size, reference)?;
    }

    /// The same for octets.
    #[test]
    fn cut_octets_join_to_the_same_octets(data in prop::collection::vec(any::<u8>(), 0..2_000), reference in references()) {
        let content = Content::Binary { data: data.clone().into(), header: None };
        let size = count(&content);
        let parts = segment(&content, Encoding::Binary, reference).unwrap();
        prop_assert_eq!(parts.iter().flat_map(|part| part.payload().to_vec()).collect::<Vec<_>>(), data);
        check_parts(&parts, size, reference)?;
    }

    /// Random octets never panic the readers.
    #[test]
    fn readers_take_any_octets(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        gsm7::decode(&octets);
        decode(Encoding::Ucs2, &octets);
        Concatenation::read(&octets);
    }
}

fn check_parts(parts: &[Segment], size: Size, reference: Reference) -> Result<(), TestCaseError> {
    if matches!(reference, Reference::Short(_)) {
        prop_assert_eq!(parts.len(), usize::from(size.segments));
    }
    let (alone, each) = capacity(size.encoding, reference);
    let octets_of = |units| {
        if size.encoding == Encoding::Ucs2 {
            units * 2
        } else {
            units
        }
    };
    let units: usize = parts.iter().map(|part| part.payload().len()).sum();
    prop_assert_eq!(units, octets_of(size.units as usize));
    for (part, number) in parts.iter().zip(1..) {
        let limit = octets_of(if parts.len() == 1 { alone } else { each });
        prop_assert!(part.payload().len() <= limit);
        prop_assert!(size.encoding != Encoding::Gsm7 || !ends_in_escape(part.payload()));
        let total = u8::try_from(parts.len()).unwrap();
        let place = (total > 1).then_some(Concatenation {
            reference,
            total,
            part: number,
        });
        prop_assert_eq!(Concatenation::read(part.header()), place);
    }
    Ok(())
}

fn ends_in_escape(septets: &[u8]) -> bool {
    septets.last() == Some(&gsm7::ESCAPE)
}

#[test]
fn a_whole_is_one_piece_however_long() {
    let long = text("x".repeat(1_000));
    assert_eq!(whole(&long, Encoding::Gsm7).unwrap().octets().len(), 1_000);
    assert_eq!(whole(&long, Encoding::Ucs2).unwrap().octets().len(), 2_000);
    assert_eq!(whole(&binary(900), Encoding::Binary).unwrap().header(), b"");
    assert!(whole(&text("日"), Encoding::Gsm7).is_err());
    assert!(whole(&text("x"), Encoding::Binary).is_err());
}

/// Unpacks as a handset does: the inverse of `gsm7::pack`, written from the layout of TS 23.038.
fn unpack(octets: &[u8], header_octets: usize, septets: usize) -> Vec<u8> {
    let fill = (7 - header_octets * 8 % 7) % 7;
    let bit = |at: usize| octets[at / 8] >> (at % 8) & 1;
    let septet = |at: usize| (0..7).fold(0, |sum, n| sum | bit(fill + at * 7 + n) << n);
    (0..septets).map(septet).collect()
}

#[test]
fn septets_are_packed_as_the_specification_shows() {
    let mut packed = Vec::new();
    gsm7::pack(b"hello", 0, &mut packed);
    assert_eq!(packed, [0xE8, 0x32, 0x9B, 0xFD, 0x06]);
    let mut seven = Vec::new();
    gsm7::pack(b"1234567", 0, &mut seven);
    assert_eq!(unpack(&seven, 0, 8), b"1234567\r", "seven spare bits would read as @");
}

proptest! {
    #[test]
    fn packed_septets_unpack_to_themselves(septets in prop::collection::vec(0_u8..128, 0..160), header in 0_usize..8) {
        let mut packed = Vec::new();
        gsm7::pack(&septets, header, &mut packed);
        prop_assert_eq!(packed.len(), ((7 - header * 8 % 7) % 7 * usize::from(!septets.is_empty()) + septets.len() * 7).div_ceil(8));
        prop_assert_eq!(&unpack(&packed, header, septets.len()), &septets);
        // A carriage return at the end of an octet is taken for what fills it.
        if septets.last() != Some(&b'\r') {
            prop_assert_eq!(gsm7::unpack(&packed, header), septets);
        }
    }
}
