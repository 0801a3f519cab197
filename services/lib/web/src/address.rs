//! What an address that is asked may be: encrypted, unless it stays on this machine or somebody says that it may.

use hyper::Uri;
use source::{Code, Entry, Section};

/// Whether `url`, as made of `entry`, may be asked; if not, that is refused. Reads `plaintext` of the section.
pub fn check(section: &Section<'_>, entry: &Entry<'_>, url: &str, example: &str) -> bool {
    let is_plaintext = section.key("plaintext").boolean().unwrap_or(false);
    let Ok(uri) = url.parse::<Uri>() else {
        entry.refuse(Code::FORMAT, "is no address", "", format!("write it like {example}"));
        return false;
    };
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        let why = "a secret has a key of its own";
        entry.refuse(Code::FORMAT, "has a user before its host", why, "");
        return false;
    }
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(_)) => true,
        (Some("http"), Some(host)) if is_plaintext || is_loopback(host) => true,
        (Some("http"), Some(_)) => {
            let why = "numbers and secrets would be read by whoever is on the way";
            let help = "write https://, or plaintext = true for a safe network";
            entry.refuse(Code::FORMAT, "is in plain text", why, help);
            false
        }
        _ => {
            let help = format!("write it like {example}");
            entry.refuse(Code::FORMAT, "has no https:// and host in front", "", help);
            false
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
