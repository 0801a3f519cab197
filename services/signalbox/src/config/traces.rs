//! What `[telemetry]` says about traces.

use source::Section;

/// Share of messages that are traced unless it is said: one in a thousand.
const SAMPLE_RATIO_DEFAULT: f64 = 0.001;

/// Where spans go, and of how many messages.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Traces {
    /// URL of a collector that speaks OTLP over gRPC.
    pub(crate) otlp: String,
    /// Share of messages that ingest begins a trace for, 0 to 1.
    pub(crate) sample_ratio: f64,
}

/// Reads both keys; `None` = no traces.
pub(super) fn read(section: &Section<'_>) -> Option<Traces> {
    let otlp = section.key("otlp").parse(collector);
    let sample_ratio = section.key("sample_ratio");
    let ratio = sample_ratio.number(0.0..=1.0);
    if otlp.is_none() && ratio.is_some() && !section.key("otlp").is_present() {
        sample_ratio.refuse(
            55,
            "says how many messages are traced, and \"telemetry.otlp\" is missing",
            "spans go nowhere without a collector",
            "add otlp = \"http://HOST:4317\"",
        );
    }
    Some(Traces {
        otlp: otlp?,
        sample_ratio: ratio.unwrap_or(SAMPLE_RATIO_DEFAULT),
    })
}

/// A scheme, a host and perhaps a port, and nothing else: whoever keeps a secret in a URL would find it in a log.
fn collector(url: &str) -> Result<String, &'static str> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let rest = rest.ok_or("it begins with neither http:// nor https://")?;
    let place = rest.strip_suffix('/').unwrap_or(rest);
    let (host, port) = place.rsplit_once(':').unwrap_or((place, "443"));
    let is_port = port.parse::<u16>().is_ok_and(|port| port > 0);
    if is_port && !host.is_empty() && !host.contains(['/', '@', '?', '#', ' ']) {
        return Ok(url.to_owned());
    }
    Err("it is no URL of a host and a port, such as http://127.0.0.1:4317")
}
