//! The keys of an SMPP link.

use std::{path::Path, time::Duration};

use smpp::TlvPolicy;
use source::{Code, Secret, Section};

use super::{dialect, inbound, tls};
use crate::smpp_link::{BINDS_MAX, Binds, SmppConfig};

const TLVS: &[(&str, TlvPolicy)] = &[
    ("auto", TlvPolicy::Auto),
    ("always", TlvPolicy::Always),
    ("never", TlvPolicy::Never),
];
/// Longest fields of a bind (SMPP 3.4 §4.1), without their NUL.
const SYSTEM_ID_CHARS_MAX: usize = 15;
const PASSWORD_CHARS_MAX: usize = 8;
const SYSTEM_TYPE_CHARS_MAX: usize = 12;
const SERVICE_TYPE_CHARS_MAX: usize = 5;
const ADDRESS_CHARS_MAX: usize = 255;

/// Reads the keys; `None` if one is missing that the link cannot be without.
pub(super) fn read(section: &Section<'_>, base: &Path) -> Option<SmppConfig> {
    let address = section.key("address").required().parse(host_and_port);
    let system_id = section.key("system_id").required().string(SYSTEM_ID_CHARS_MAX);
    let password = password(section, base);
    let mut config = SmppConfig::new("", "", Secret::new(""));
    let text = |name: &str, chars_max| section.key(name).string(chars_max).unwrap_or_default();
    config.system_type = text("system_type", SYSTEM_TYPE_CHARS_MAX);
    config.service_type = text("service_type", SERVICE_TYPE_CHARS_MAX);
    let duration = |name: &str, least, most, default| section.key(name).duration(least, most).unwrap_or(default);
    config.binds = binds(section);
    config.tls = tls::read(section, base);
    config.enquire_link = duration("enquire_link", "1s", "10m", config.enquire_link);
    config.credentials_pause = duration("credentials_pause", "1s", "1h", config.credentials_pause);
    config.reconnect = reconnect(section);
    config.tlvs = section.key("tlvs").word(TLVS).unwrap_or_default();
    dialect::read(section, &mut config);
    config.inbound = inbound::read(section);
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

/// The shortest and the longest ceiling of the wait before connecting again.
pub(super) fn reconnect(section: &Section<'_>) -> std::ops::RangeInclusive<Duration> {
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

/// The connections of each kind; one transceiver where nothing is said.
fn binds(section: &Section<'_>) -> Binds {
    let Some(table) = table(section, "binds") else {
        return Binds::default();
    };
    let count = |name: &str| table.key(name).integer(0..=BINDS_MAX).unwrap_or(0);
    let binds = Binds {
        transceivers: count("transceiver"),
        transmitters: count("transmitter"),
        receivers: count("receiver"),
    };
    let refuse = |what: String, help: &str| section.key("binds").refuse(Code::RANGE, what, "", help);
    if binds.submitting() == 0 {
        refuse(
            "names no bind that submits".into(),
            "add a transceiver or a transmitter, such as { transceiver = 1 }",
        );
    } else if binds.all() > BINDS_MAX {
        refuse(
            format!("are {}, a link has at most {BINDS_MAX}", binds.all()),
            "ask for fewer: carriers grant 1 to 5",
        );
    }
    binds
}

pub(super) fn table<'a>(section: &Section<'a>, name: &str) -> Option<Section<'a>> {
    let entry = section.key(name);
    if entry.is_present() { entry.section() } else { None }
}
