//! How octets of each character set read.

use super::*;

fn read(charset: Charset, octets: &[u8]) -> (String, bool) {
    let ReadText { text, is_exact } = charset.read(octets).unwrap();
    (text, is_exact)
}

#[test]
fn every_character_set_reads_its_octets() {
    let exact = |text: &str| (text.to_owned(), true);
    let cases: [(Charset, &[u8], &str); 12] = [
        (Charset::Gsm7, b"Hello", "Hello"),
        (Charset::Gsm7, &[0x00, 0x02, 0x1B, 0x65, 0x1B, 0x3C, 0x7F], "@$€[à"),
        (Charset::Gsm7, b"", ""),
        (Charset::Ascii, b"[50] @ {x}", "[50] @ {x}"),
        (Charset::Latin1, &[0x63, 0xE7, 0xE9, 0xFC], "cçéü"),
        (Charset::Ucs2, &[0x04, 0x1F, 0x04, 0x40], "Пр"),
        (Charset::Ucs2, &[0xD8, 0x3D, 0xDE, 0x00], "😀"),
        (Charset::Ucs2, &[0xFE, 0xFF, 0x00, 0x61], "a"),
        (Charset::Ucs2, &[0xFF, 0xFE, 0x61, 0x00], "a"),
        (Charset::Ucs2, b"", ""),
        (Charset::Utf8, "grüß 😀".as_bytes(), "grüß 😀"),
        (Charset::Latin1, &[0x00, 0xFF], "\0ÿ"),
    ];
    for (charset, octets, text) in cases {
        assert_eq!(read(charset, octets), exact(text), "{charset:?} {octets:02x?}");
    }
    assert_eq!(Charset::Octets.read(b"abc"), None);
}

#[test]
fn what_is_no_character_is_told() {
    let cases: [(Charset, &[u8], &str); 7] = [
        (Charset::Gsm7, &[0x41, 0x80], "A\u{FFFD}"),
        (Charset::Gsm7, &[0x41, 0x1B], "A "),
        (Charset::Ascii, &[0x41, 0xE9], "A\u{FFFD}"),
        (Charset::Ucs2, &[0x00, 0x41, 0x00], "A\u{FFFD}"),
        (Charset::Ucs2, &[0xD8, 0x3D], "\u{FFFD}"),
        (Charset::Ucs2, &[0xDE, 0x00, 0x00, 0x41], "\u{FFFD}A"),
        (Charset::Utf8, &[0x41, 0xFF], "A\u{FFFD}"),
    ];
    for (charset, octets, text) in cases {
        assert_eq!(
            read(charset, octets),
            (text.to_owned(), false),
            "{charset:?} {octets:02x?}"
        );
    }
}
