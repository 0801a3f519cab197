//! What a run found, for people and as JSON, and which of the numbers to reach it did.

use std::fmt;

use serde::Serialize;

use super::{codec::Codec, flow::Flow};
use crate::decide::targets::Target;

/// PDUs a second each way on one core.
const PDUS_MIN: f64 = 2e6;
/// Messages a second over one link.
const MESSAGES_MIN: f64 = 40_000.0;
/// What the figure of the link holds.
const INCLUDED: &str = "the connector's link task with its session and socket, the loopback, the carrier's task, and whoever hands parts to \
     the link and takes its answers; not the log, claims, the rate and outcomes";

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Programs that ran or waited for a core at the beginning, over a minute; absent = not known.
    pub(crate) load_average: Option<f64>,
    pub(crate) codec: Codec,
    pub(crate) flow: Flow,
    pub(crate) targets: Vec<Target>,
}

impl Report {
    /// Whether every target is met.
    pub fn is_met(&self) -> bool {
        self.targets.iter().all(|target| target.is_met)
    }
}

/// The targets of a run.
pub(super) fn targets(codec: &Codec, flow: &Flow) -> Vec<Target> {
    let pdus = |what, found: f64| Target {
        what,
        target: ">= 2000000",
        found,
        is_met: found >= PDUS_MIN,
    };
    vec![
        pdus(
            "submit_sm written a second on one core",
            codec.submit_written.per_second,
        ),
        pdus("submit_sm read", codec.submit_read.per_second),
        pdus("submit_sm_resp written", codec.reply_written.per_second),
        pdus("submit_sm_resp read", codec.reply_read.per_second),
        Target {
            what: "submit_sm a second over one link",
            target: ">= 40000",
            found: flow.per_second,
            is_met: flow.per_second >= MESSAGES_MIN,
        },
    ]
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { codec, flow, .. } = self;
        write!(
            f,
            "{} PDUs of each kind, submit_sm of {:.0} octets",
            codec.pdus, codec.submit_octets
        )?;
        if let Some(load) = self.load_average {
            write!(f, "; load average {load:.1} at the beginning")?;
        }
        writeln!(f)?;
        for (what, rate) in [
            ("submit_sm written", &codec.submit_written),
            ("submit_sm read", &codec.submit_read),
            ("submit_sm_resp written", &codec.reply_written),
            ("submit_sm_resp read", &codec.reply_read),
        ] {
            writeln!(f, "  {what:<24} {rate}")?;
        }
        writeln!(
            f,
            "\none link over the loopback, window {}: {} messages, {:.0} a second (rounds from {:.0} to {:.0})",
            flow.window, flow.messages, flow.per_second, flow.slowest, flow.fastest
        )?;
        writeln!(f, "  this is {INCLUDED}")?;
        writeln!(f, "\ntargets")?;
        for one in &self.targets {
            let verdict = if one.is_met { "met   " } else { "MISSED" };
            let (what, target, found) = (one.what, one.target, one.found);
            writeln!(f, "  {verdict}  {what:<40} {target:<12} found {found:.0}")?;
        }
        Ok(())
    }
}
