//! The GSM 7-bit default alphabet and its extension table (3GPP TS 23.038 §6.2.1), unpacked: one septet in one octet, as
//! SMPP carries it. Looking up a character costs one table read for Latin-1 and a scan of eleven entries beyond.

/// The octet that announces a character of the extension table.
pub const ESCAPE: u8 = 0x1B;

/// Code of a character: in the default alphabet, or behind [`ESCAPE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Septets {
    /// One septet.
    Basic(u8),
    /// [`ESCAPE`] and this one.
    Extended(u8),
}

/// The default alphabet by code. The escape has no character and stands as NUL, which the alphabet does not have.
const BASIC: [char; 128] = [
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å', // 0x00
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\0', 'Æ', 'æ', 'ß', 'É', // 0x10
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/', // 0x20
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?', // 0x30
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O', // 0x40
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§', // 0x50
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', // 0x60
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à', // 0x70
];

/// The extension table: code behind the escape, and character.
const EXTENDED: [(u8, char); 10] = [
    (0x0A, '\u{0C}'),
    (0x14, '^'),
    (0x28, '{'),
    (0x29, '}'),
    (0x2F, '\\'),
    (0x3C, '['),
    (0x3D, '~'),
    (0x3E, ']'),
    (0x40, '|'),
    (0x65, '€'),
];

const ABSENT: u8 = 0xFF;
const EXTENDED_MARK: u8 = 0x80;

/// Code by character up to U+00FF: [`ABSENT`], a septet, or a septet with [`EXTENDED_MARK`].
const LATIN: [u8; 256] = latin();
/// The Greek capitals of the default alphabet: a range of its codes.
const GREEK_CODES: std::ops::RangeInclusive<usize> = 0x10..=0x1A;

const fn latin() -> [u8; 256] {
    let mut codes = [ABSENT; 256];
    let mut code = 0;
    while code < BASIC.len() {
        let character = BASIC[code] as usize;
        if character < 256 && code != ESCAPE as usize {
            codes[character] = code as u8;
        }
        code += 1;
    }
    let mut entry = 0;
    while entry < EXTENDED.len() {
        let (code, character) = EXTENDED[entry];
        if (character as usize) < 256 {
            codes[character as usize] = code | EXTENDED_MARK;
        }
        entry += 1;
    }
    codes
}

/// The code of `character`, `None` if neither table has it.
pub fn septets_of(character: char) -> Option<Septets> {
    match LATIN.get(character as usize) {
        Some(&ABSENT) => None,
        Some(&code) if code & EXTENDED_MARK != 0 => Some(Septets::Extended(code & !EXTENDED_MARK)),
        Some(&code) => Some(Septets::Basic(code)),
        None if character == '€' => Some(Septets::Extended(0x65)),
        None => GREEK_CODES
            .into_iter()
            .find(|code| BASIC[*code] == character)
            .map(|code| Septets::Basic(code as u8)),
    }
}

/// Septets that `character` takes, 1 or 2; `None` if neither table has it.
pub fn width(character: char) -> Option<usize> {
    septets_of(character).map(|septets| match septets {
        Septets::Basic(_) => 1,
        Septets::Extended(_) => 2,
    })
}

/// Appends `septets`, one in an octet, as they travel on the air: eight in seven octets (3GPP TS 23.038 §6.1.2.1), beginning
/// at the septet boundary after a header of `header_octets`. Seven spare bits at the end hold a carriage return, as zeros
/// would read as `@`.
pub fn pack(septets: &[u8], header_octets: usize, out: &mut Vec<u8>) {
    let fill = (7 - header_octets * 8 % 7) % 7;
    let (mut bits, mut held) = (0_u32, fill);
    let spare = (8 - (fill + septets.len() * 7) % 8) % 8;
    let filler: &[u8] = if spare == 7 && !septets.is_empty() { b"\r" } else { &[] };
    out.reserve((septets.len() + 1) * 7 / 8 + 1);
    for septet in septets.iter().chain(filler) {
        bits |= u32::from(septet & 0x7F) << held;
        held += 7;
        while held >= 8 {
            out.push((bits & 0xFF) as u8);
            bits >>= 8;
            held -= 8;
        }
    }
    if held > 0 && !septets.is_empty() {
        out.push((bits & 0xFF) as u8);
    }
}

/// The septets in `octets` as they travel on the air, behind a header of `header_octets`: what [`pack`] wrote. A carriage
/// return that only fills the last octet is dropped.
pub fn unpack(octets: &[u8], header_octets: usize) -> Vec<u8> {
    let fill = (7 - header_octets * 8 % 7) % 7;
    let septets = (octets.len() * 8).saturating_sub(fill) / 7;
    let bit = |at: usize| octets[at / 8] >> (at % 8) & 1;
    let septet = |number: usize| (0..7).fold(0, |septet, at| septet | bit(fill + number * 7 + at) << at);
    let mut out: Vec<u8> = (0..septets).map(septet).collect();
    let is_full = (fill + septets * 7).is_multiple_of(8);
    if is_full && out.last() == Some(&b'\r') {
        out.pop();
    }
    out
}

/// Text of unpacked septets. What is no septet reads as U+FFFD; a code that the extension table does not have reads as
/// the same code of the default alphabet, as TS 23.038 asks of a handset.
pub fn decode(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut octets = septets.iter().copied();
    while let Some(octet) = octets.next() {
        text.push(match octet {
            ESCAPE => octets
                .next()
                .map_or(' ', |code| extended(code).unwrap_or_else(|| basic(code))),
            code => basic(code),
        });
    }
    text
}

fn basic(code: u8) -> char {
    match code {
        // Reserved for a further table; handsets show a space.
        ESCAPE => ' ',
        code => BASIC
            .get(usize::from(code))
            .copied()
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    }
}

fn extended(code: u8) -> Option<char> {
    EXTENDED
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, character)| *character)
}
