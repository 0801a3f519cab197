//! The keys of an SMPP link.

use std::{path::Path, time::Duration};

use smpp::{IdFormat, IdFormats, TlvPolicy};
use source::{Code, Secret, Section};

use super::UNSUPPORTED;
use crate::smpp_link::{Numbering, SmppConfig};

const TLVS: &[(&str, TlvPolicy)] = &[
    ("auto", TlvPolicy::Auto),
    ("always", TlvPolicy::Always),
    ("never", TlvPolicy::Never),
];
const ID_FORMATS: &[(&str, IdFormat)] = &[
    ("opaque", IdFormat::Opaque),
    ("hex", IdFormat::Hex),
    ("dec", IdFormat::Dec),
];
/// Alphabets of `data_coding` 0; the others are known and not served yet.
const ALPHABETS: &[(&str, bool)] = &[
    ("gsm7", true),
    ("gsm7-packed", false),
    ("latin1", false),
    ("ascii", false),
];

/// Longest fields of a bind (SMPP 3.4 §4.1), without their NUL.
const SYSTEM_ID_CHARS_MAX: usize = 15;
const PASSWORD_CHARS_MAX: usize = 8;
const SYSTEM_TYPE_CHARS_MAX: usize = 12;
const SERVICE_TYPE_CHARS_MAX: usize = 5;
const ADDRESS_CHARS_MAX: usize = 255;
const PREFIX_CHARS_MAX: usize = 4;

/// Reads the keys; `None` if one is missing that the link cannot be without.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<SmppConfig> {
    let address = section.key("address").required().parse(host_and_port);
    let system_id = section.key("system_id").required().string(SYSTEM_ID_CHARS_MAX);
    let password = password(section, base);
    let mut config = SmppConfig::new("", "", Secret::new(""));
    let text = |name: &str, chars_max| section.key(name).string(chars_max).unwrap_or_default();
    config.system_type = text("system_type", SYSTEM_TYPE_CHARS_MAX);
    config.service_type = text("service_type", SERVICE_TYPE_CHARS_MAX);
    config.destination_prefix = text("destination_prefix", PREFIX_CHARS_MAX);
    let duration = |name: &str, least, most, default| section.key(name).duration(least, most).unwrap_or(default);
    config.enquire_link = duration("enquire_link", "1s", "10m", config.enquire_link);
    config.credentials_pause = duration("credentials_pause", "1s", "1h", config.credentials_pause);
    config.reconnect = reconnect(section);
    config.tlvs = section.key("tlvs").word(TLVS).unwrap_or_default();
    config.numbering = numbering(section);
    config.data_coding = data_coding(section);
    config.ids = ids(section);
    config.validity = section.key("validity").boolean().unwrap_or(config.validity);
    config.unmarked_receipts = section
        .key("unmarked_receipts")
        .boolean()
        .unwrap_or(config.unmarked_receipts);
    let alphabet = section.key("default_alphabet");
    if alphabet.word(ALPHABETS) == Some(false) {
        alphabet.refuse(
            UNSUPPORTED,
            "is not supported yet",
            "",
            "the alphabet of today is gsm7, one septet an octet",
        );
    }
    (config.address, config.system_id, config.password) = (address?, system_id?, password?);
    Some(config)
}

fn password(section: &Section<'_>, base: &Path) -> Option<Secret> {
    let entry = section.key("password").required();
    let secret = entry.secret()?.read(base);
    let secret = secret
        .map_err(|error| entry.refuse(Code::FILE, format_args!("cannot be had: {error}"), "", ""))
        .ok()?;
    let chars = secret.reveal().chars().count();
    if chars > PASSWORD_CHARS_MAX {
        entry.refuse(
            Code::RANGE,
            format_args!("has {chars} characters, SMPP allows {PASSWORD_CHARS_MAX}"),
            "",
            "",
        );
        return None;
    }
    Some(secret)
}

fn host_and_port(text: &str) -> Result<String, String> {
    let is_address = text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && text.len() <= ADDRESS_CHARS_MAX && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    let shown: String = text.chars().take(64).collect();
    is_address
        .then(|| text.to_owned())
        .ok_or_else(|| format!("\"{shown}\" is no host:port"))
}

fn reconnect(section: &Section<'_>) -> std::ops::RangeInclusive<Duration> {
    let least = section
        .key("reconnect_min")
        .duration("100ms", "10m")
        .unwrap_or(Duration::from_secs(1));
    let most = section.key("reconnect_max");
    let longest = most
        .duration("100ms", "1h")
        .unwrap_or(Duration::from_secs(60).max(least));
    if longest < least {
        most.refuse(Code::RANGE, "is shorter than reconnect_min", "", "");
    }
    least..=longest.max(least)
}

fn numbering(section: &Section<'_>) -> Numbering {
    let mut numbering = Numbering::default();
    if let Some(source) = table(section, "source") {
        let kind = |name: &str, default| source.key(name).parse(ton_npi).unwrap_or(default);
        numbering.alphanumeric = kind("alphanumeric", numbering.alphanumeric);
        numbering.short_code = kind("short_code", numbering.short_code);
        numbering.long_code = kind("long_code", numbering.long_code);
    }
    numbering.destination = section
        .key("destination")
        .parse(ton_npi)
        .unwrap_or(numbering.destination);
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

fn table<'a>(section: &Section<'a>, name: &str) -> Option<Section<'a>> {
    let entry = section.key(name);
    if entry.is_present() { entry.section() } else { None }
}
