//! The keys of a provider that speaks `HlrService`.

use std::path::Path;

use source::{Code, Section};
use web::{check_address, keys::secret};

use super::file;
use crate::GrpcConfig;

/// Longest address, in characters.
const URL_CHARS_MAX: usize = 255;

/// Reads the keys; `None` if one is missing that the provider cannot be without.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<GrpcConfig> {
    let url = url(section);
    let token = section.key("token");
    let token = if token.is_present() {
        Some(secret(&token, base)?)
    } else {
        None
    };
    let ca = file(section, "ca", base);
    let (certificate, key) = (file(section, "certificate", base), file(section, "key", base));
    if certificate.is_some() != key.is_some() {
        let (there, absent) = if key.is_some() {
            ("key", "certificate")
        } else {
            ("certificate", "key")
        };
        let what = format_args!("is of no use without {absent}");
        section
            .key(there)
            .refuse(Code::MISSING, what, "", format!("add {absent}"));
    }
    Some(GrpcConfig {
        url: url?,
        token,
        ca,
        identity: certificate.zip(key),
    })
}

fn url(section: &Section<'_>) -> Option<String> {
    let entry = section.key("url").required();
    let url = entry.string(URL_CHARS_MAX)?;
    check_address(section, &entry, &url, "https://hlr.example.com:443").then_some(url)
}
