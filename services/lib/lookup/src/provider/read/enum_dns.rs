//! The keys of a provider that answers by DNS.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::proto::rr::Name;
use source::{Code, Section};

use crate::EnumConfig;

/// Servers of one provider.
const SERVERS_MAX: usize = 8;
/// The port of DNS.
const PORT: u16 = 53;
/// The domain of all numbers (RFC 6116 §3.2).
const SUFFIX: &str = "e164.arpa";
/// Longest domain, in octets (RFC 1035), less the 15 digits of a number with their dots.
const SUFFIX_OCTETS_MAX: usize = 253 - 30;

#[derive(Clone, Copy, PartialEq)]
struct TcpOnly(bool);

/// Reads the keys; `None` if one is missing that the provider cannot be without.
pub(super) fn read(section: &Section<'_>) -> Option<EnumConfig> {
    let entry = section.key("servers").required();
    let servers = entry.list(SERVERS_MAX, |server| server.parse(address));
    if servers.as_ref().is_some_and(Vec::is_empty) {
        entry.refuse(Code::RANGE, "names no server", "", "write it like 10.0.0.53");
    }
    let suffix = section.key("suffix");
    let suffix = if suffix.is_present() {
        suffix.string(SUFFIX_OCTETS_MAX)?;
        suffix.parse(domain)
    } else {
        domain(SUFFIX).ok()
    };
    let transport = section.key("transport");
    let transport = transport.word(&[("udp", TcpOnly(false)), ("tcp", TcpOnly(true))]);
    Some(EnumConfig {
        servers: servers.filter(|servers| !servers.is_empty())?,
        suffix: suffix?,
        tcp_only: transport.is_some_and(|transport| transport.0),
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let with_port = text.parse::<SocketAddr>().ok().filter(|address| address.port() > 0);
    let alone = || text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, PORT));
    let shown: String = text.chars().take(64).collect();
    with_port
        .or_else(alone)
        .ok_or_else(|| format!("\"{shown}\" is no address, write 10.0.0.53 or [2001:db8::53]:5353"))
}

fn domain(text: &str) -> Result<Name, String> {
    let shown: String = text.chars().take(64).collect();
    let name = Name::from_ascii(text).map_err(|_| format!("\"{shown}\" is no domain"))?;
    if name.num_labels() == 0 {
        return Err(format!("\"{shown}\" is no domain"));
    }
    Ok(name)
}
