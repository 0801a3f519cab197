//! The keys of `tls`: whom an SMPP link trusts, and who it says that it is.

use std::path::{Path, PathBuf};

use source::{Code, Section};

use super::smpp::table;
use crate::smpp_link::{TlsConfig, server_name};

const PATH_CHARS_MAX: usize = 4_096;
/// Longest name of a host (RFC 1035 §2.3.4), without its last dot.
const NAME_CHARS_MAX: usize = 253;

/// Reads them; `None` = the link speaks without TLS, or what is said of it was refused.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<TlsConfig> {
    let keys = table(section, "tls")?;
    let file = |name: &str| keys.key(name).string(PATH_CHARS_MAX).map(|path| base.join(path));
    let name = |text: &str| server_name(text).map(|_| text.to_owned());
    let server_name = keys.key("server_name");
    let tls = TlsConfig {
        ca: file("ca"),
        identity: identity(&keys, file("certificate"), file("key")),
        server_name: server_name.string(NAME_CHARS_MAX).and(server_name.parse(name)),
    };
    if let Err(what) = tls.check() {
        section
            .key("tls")
            .refuse(Code::FILE, format_args!("cannot be used: {what}"), "", "");
    }
    Some(tls)
}

fn identity(keys: &Section<'_>, certificate: Option<PathBuf>, key: Option<PathBuf>) -> Option<(PathBuf, PathBuf)> {
    let (lacks, has) = match (&certificate, &key) {
        (Some(_), None) => ("key", "certificate"),
        (None, Some(_)) => ("certificate", "key"),
        _ => return certificate.zip(key),
    };
    let help = format!("add {lacks} = \"FILE\", in PEM");
    keys.key(has)
        .refuse(Code::FILE, format_args!("is nothing without a {lacks}"), "", help);
    None
}
