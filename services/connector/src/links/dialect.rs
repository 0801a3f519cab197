//! The keys that say how one carrier writes: alphabets, numbers, times, ids and receipts.

use std::time::Duration;

use ::smpp::{IdFormat, IdFormats, ReceiptFormat, ReceiptKey, Tlv};
use source::{Code, Section};

use super::smpp::table;
use crate::{Alphabet, Numbering, SmppConfig, Validity, smpp_link::VENDOR_TAGS};

const ID_FORMATS: &[(&str, IdFormat)] = &[
    ("opaque", IdFormat::Opaque),
    ("hex", IdFormat::Hex),
    ("dec", IdFormat::Dec),
    ("exact", IdFormat::Exact),
];
const ALPHABETS: &[(&str, Alphabet)] = &[
    ("gsm7", Alphabet::Gsm7),
    ("gsm7-packed", Alphabet::Gsm7Packed),
    ("latin1", Alphabet::Latin1),
    ("ascii", Alphabet::Ascii),
];
const VALIDITIES: &[(&str, Validity)] = &[
    ("relative", Validity::Relative),
    ("absolute", Validity::Absolute),
    ("none", Validity::Untold),
];
const RECEIPT_KEYS: &[(&str, ReceiptKey)] = &[
    ("id", ReceiptKey::Id),
    ("sub", ReceiptKey::Sub),
    ("dlvrd", ReceiptKey::Delivered),
    ("submit_date", ReceiptKey::SubmitDate),
    ("done_date", ReceiptKey::DoneDate),
    ("stat", ReceiptKey::Stat),
    ("err", ReceiptKey::Error),
    ("text", ReceiptKey::Text),
];

/// TLVs that every message carries, and the longest of them in octets.
const EXTRA_TLVS_MAX: usize = 16;
const TLV_OCTETS_MAX: usize = 255;
/// Ways to write one key of a receipt, and the longest of them in characters.
const SPELLINGS_MAX: usize = 8;
const SPELLING_CHARS_MAX: usize = 32;
/// Minutes that a clock may be ahead of UTC or behind it: a day's half and what some islands add.
const ZONE_MINUTES_MAX: i32 = 14 * 60;
const PREFIX_CHARS_MAX: usize = 4;
/// Highest `priority_flag` (3.4 §5.2.14).
const PRIORITY_MAX: u8 = 3;

/// Reads them into `config`.
pub(super) fn read(section: &Section<'_>, config: &mut SmppConfig) {
    let prefix = section.key("destination_prefix").string(PREFIX_CHARS_MAX);
    config.destination_prefix = prefix.unwrap_or_default();
    config.numbering = numbering(section);
    config.alphabet = section.key("default_alphabet").word(ALPHABETS).unwrap_or_default();
    config.data_coding = data_coding(section);
    config.priority = priority(section);
    config.validity = validity(section);
    let longest = section.key("validity_max").duration("1m", "744h");
    config.validity_max = longest.unwrap_or(Duration::MAX);
    config.extra_tlvs = extra_tlvs(section);
    config.ids = ids(section);
    config.receipts = receipts(section);
    let unmarked = section.key("unmarked_receipts").boolean();
    config.unmarked_receipts = unmarked.unwrap_or(config.unmarked_receipts);
}

fn numbering(section: &Section<'_>) -> Numbering {
    let mut numbering = Numbering::default();
    if let Some(source) = table(section, "source") {
        let kind = |name: &str, default| source.key(name).parse(ton_npi).unwrap_or(default);
        numbering.alphanumeric = kind("alphanumeric", numbering.alphanumeric);
        numbering.short_code = kind("short_code", numbering.short_code);
        numbering.long_code = kind("long_code", numbering.long_code);
    }
    let destination = section.key("destination").parse(ton_npi);
    numbering.destination = destination.unwrap_or(numbering.destination);
    numbering
}

fn ton_npi(text: &str) -> Result<(u8, u8), String> {
    let pair = text.split_once('/').and_then(|(ton, npi)| {
        let ton = ton.parse().ok().filter(|ton| *ton <= 6)?;
        let npi = npi.parse().ok().filter(|npi| *npi <= 18)?;
        Some((ton, npi))
    });
    let shown: String = text.chars().take(64).collect();
    pair.ok_or_else(|| format!("\"{shown}\" is no type of number (0 to 6) and plan (0 to 18), write 5/0 or 1/1"))
}

fn data_coding(section: &Section<'_>) -> [u8; 3] {
    let Some(codings) = table(section, "data_coding") else {
        return [0, 8, 4];
    };
    let coding = |name: &str, default| codings.key(name).integer(0..=255).unwrap_or(default);
    [coding("gsm7", 0), coding("ucs2", 8), coding("binary", 4)]
}

fn priority(section: &Section<'_>) -> [u8; 3] {
    let Some(lanes) = table(section, "priority") else {
        return [0; 3];
    };
    ["urgent", "normal", "bulk"].map(|lane| lanes.key(lane).integer(0..=PRIORITY_MAX).unwrap_or_default())
}

/// A word, or whether there is one at all.
fn validity(section: &Section<'_>) -> Validity {
    let entry = section.key("validity");
    if entry.is_string() {
        return entry.word(VALIDITIES).unwrap_or_default();
    }
    match entry.boolean() {
        Some(false) => Validity::Untold,
        Some(true) | None => Validity::default(),
    }
}

fn extra_tlvs(section: &Section<'_>) -> Vec<Tlv> {
    let entry = section.key("extra_tlvs");
    let Some(written) = table(section, "extra_tlvs") else {
        return Vec::new();
    };
    let written = written.entries();
    if written.len() > EXTRA_TLVS_MAX {
        let what = format_args!("has {} entries, the limit is {EXTRA_TLVS_MAX}", written.len());
        entry.refuse(Code::RANGE, what, "", "");
    }
    let tlv = |(tag, entry): (&str, source::Entry<'_>)| {
        let value = entry.parse(octets);
        let Some(tag) = vendor_tag(tag) else {
            let what = "is no tag of a vendor, those are 0x1400 to 0x3FFF";
            entry.refuse(Code::FORMAT, what, "the other tags have a meaning of their own", "");
            return None;
        };
        Some(Tlv::new(tag, value?))
    };
    written.into_iter().filter_map(tlv).collect()
}

fn vendor_tag(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u16::from_str_radix(digits, 16)
        .ok()
        .filter(|tag| VENDOR_TAGS.contains(tag))
}

/// ASCII as it is, or octets as `hex:00ff`.
fn octets(text: &str) -> Result<Vec<u8>, String> {
    let octets = match text.strip_prefix("hex:") {
        None if text.is_ascii() => text.as_bytes().to_vec(),
        None => return Err("it is not ASCII, write hex:… for octets".to_owned()),
        Some(digits) => digits
            .as_bytes()
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Some(hex(*high)? << 4 | hex(*low)?),
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()
            .ok_or("what follows hex: are not pairs of hexadecimal digits")?,
    };
    match octets.len() {
        1..=TLV_OCTETS_MAX => Ok(octets),
        length => Err(format!("it has {length} octets, allowed are 1 to {TLV_OCTETS_MAX}")),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

fn ids(section: &Section<'_>) -> IdFormats {
    let Some(formats) = table(section, "id_format") else {
        return IdFormats::default();
    };
    let format = |name: &str| formats.key(name).word(ID_FORMATS).unwrap_or_default();
    IdFormats {
        response: format("resp"),
        receipt: format("dlr"),
    }
}

fn receipts(section: &Section<'_>) -> ReceiptFormat {
    let mut format = ReceiptFormat::default();
    if let Some(minutes) = section.key("receipt_zone").parse(zone) {
        format.set_zone(minutes);
    }
    if let Some(written) = table(section, "receipt_keys") {
        for (name, key) in RECEIPT_KEYS {
            let spellings = written.key(name).list(SPELLINGS_MAX, |item| item.parse(spelling));
            spellings
                .into_iter()
                .flatten()
                .for_each(|text| format.spell(*key, &text));
        }
    }
    format
}

/// Minutes ahead of UTC, from `UTC`, `+05:30` or `-03:00`.
fn zone(text: &str) -> Result<i32, String> {
    if text.eq_ignore_ascii_case("utc") {
        return Ok(0);
    }
    let read = || {
        let (sign, rest) = match text.as_bytes().first()? {
            b'+' => (1, &text[1..]),
            b'-' => (-1, &text[1..]),
            _ => return None,
        };
        let (hours, minutes) = rest.split_once(':')?;
        let is_pair = |digits: &str| digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        if !is_pair(hours) || !is_pair(minutes) {
            return None;
        }
        let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
        let ahead = hours * 60 + minutes;
        (minutes < 60 && ahead <= ZONE_MINUTES_MAX).then_some(sign * ahead)
    };
    let shown: String = text.chars().take(64).collect();
    read().ok_or_else(|| {
        format!("\"{shown}\" is no distance from UTC, write UTC, +05:30 or -03:00, 14 hours at the most")
    })
}

fn spelling(text: &str) -> Result<String, String> {
    let is_right = text.is_ascii() && text.ends_with([':', '=', ' ']) && (2..=SPELLING_CHARS_MAX).contains(&text.len());
    let shown: String = text.chars().take(64).collect();
    is_right.then(|| text.to_owned()).ok_or_else(|| {
        format!("\"{shown}\" is no text before a value: 2 to {SPELLING_CHARS_MAX} ASCII characters that end with : or = or a space")
    })
}
