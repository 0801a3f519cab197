//! The keys of a gRPC link.

use std::path::Path;

use source::{Code, Secret, Section};
use web::{Uri, check_address};

use super::{inbound, smpp::reconnect, tls};
use crate::GrpcConfig;

/// Longest address, in characters.
const URL_CHARS_MAX: usize = 255;
/// Longest key, in octets: servers take headers of some 8 KiB in all.
const KEY_OCTETS_MAX: usize = 4_096;

/// Reads the keys; `None` if one is missing that the link cannot be without.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<GrpcConfig> {
    let url = url(section);
    let mut config = GrpcConfig::new(url.clone().unwrap_or_default());
    let key = section.key("key").is_present().then(|| secret(section, base));
    config.tls = tls::read(section, base);
    if config.tls.is_some() && config.url.starts_with("http:") {
        let help = "write https:// into url, or remove tls";
        section
            .key("tls")
            .refuse(Code::FORMAT, "is nothing without https://", "", help);
    }
    let duration = |name: &str, least, most, default| section.key(name).duration(least, most).unwrap_or(default);
    config.keep_alive = duration("keep_alive", "1s", "10m", config.keep_alive);
    config.credentials_pause = duration("credentials_pause", "1s", "1h", config.credentials_pause);
    config.reconnect = reconnect(section);
    config.inbound = inbound::read(section);
    let concatenation = section.key("concatenation");
    if concatenation.is_present() {
        let why = "a carrier over gRPC gets every message as one piece";
        concatenation.refuse(Code::WORD, "has no meaning on this link", why, "remove it");
    }
    url?;
    config.key = match key {
        Some(key) => Some(key?),
        None => None,
    };
    Some(config)
}

fn secret(section: &Section<'_>, base: &Path) -> Option<Secret> {
    let entry = section.key("key");
    let secret = entry.secret()?.read(base);
    let secret = secret
        .map_err(|error| entry.refuse(Code::FILE, format_args!("cannot be had: {error}"), "", ""))
        .ok()?;
    let octets = secret.reveal().len();
    if !(1..=KEY_OCTETS_MAX).contains(&octets) {
        let what = format_args!("has {octets} octets, allowed are 1 to {KEY_OCTETS_MAX}");
        entry.refuse(Code::RANGE, what, "", "");
        return None;
    }
    if !secret.reveal().bytes().all(|octet| octet.is_ascii_graphic()) {
        let why = "it travels as a bearer: printable ASCII without spaces";
        entry.refuse(Code::FORMAT, "has a character that no header may have", why, "");
        return None;
    }
    Some(secret)
}

fn url(section: &Section<'_>) -> Option<String> {
    let entry = section.key("url").required();
    let url = entry.string(URL_CHARS_MAX)?;
    let example = "https://sms.atlas.example:443";
    if !check_address(section, &entry, &url, example) {
        return None;
    }
    let uri: Uri = url.parse().expect("an address that was checked is one");
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        let why = "the methods of CarrierService are its paths";
        entry.refuse(Code::FORMAT, "has a path", why, format!("write it like {example}"));
        return None;
    }
    Some(url)
}

#[cfg(test)]
mod tests;
