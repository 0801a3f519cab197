//! What is said about carriers: by the connector that serves one, whether it can be reached and how much waits for it; by a
//! router, which of them fail what they are asked, and where messages would have to wait.

use std::time::Duration;

use sms::{CarrierName, Lane, UnixMs};

use crate::Pressure;

/// One word of one connector about one carrier, said every second and whenever a link changes.
#[derive(Clone, Debug, PartialEq)]
pub struct CarrierReport {
    /// The carrier.
    pub carrier: CarrierName,
    /// The run of the connector that speaks.
    pub incarnation: String,
    /// Name of the link that serves the carrier.
    pub link: String,
    /// How the link stands.
    pub state: LinkState,
    /// Since when it stands so, by the connector's clock.
    pub since: UnixMs,
    /// When this was said, by the same clock: that of the log or of a reader may be another.
    pub said_at: UnixMs,
    /// Connections of the link; absent = it has none of its own to count.
    pub binds: Option<Binds>,
    /// Parts that may be unanswered on the link at the moment, over all of its carriers.
    pub window_slots: u32,
    /// Parts that are unanswered on the link, or about to be sent, over all of its carriers.
    pub window_used: u32,
    /// Parts a second that the link may send, over all of its carriers; absent = no limit.
    pub rate_limit: Option<u32>,
    /// Segments a second that the carrier took over the last seconds; finite and not negative.
    pub taken_per_second: f64,
    /// What waits, for each lane in the order of [`Lane::ALL`].
    pub lanes: [LaneLoad; Lane::ALL.len()],
}

/// A word on the topic of the carriers.
#[derive(Clone, Debug, PartialEq)]
pub enum CarrierWord {
    /// Of a connector, about one carrier.
    Link(Box<CarrierReport>),
    /// Of a router, about all of them.
    Router(RouterReport),
}

/// What one router says, every second while there is anything to say, and once when it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterReport {
    /// Who speaks, and whom it ejects.
    pub ejections: Ejections,
    /// How much it has before it.
    pub pressure: Pressure,
}

/// Whom one router ejects, said every second while there is anybody, and whenever that changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ejections {
    /// The run of the router that speaks.
    pub router: String,
    /// When this was said, by the router's clock.
    pub said_at: UnixMs,
    /// Whom it ejects, in order.
    pub ejected: Vec<Ejection>,
}

/// A carrier that fails what it is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ejection {
    /// The carrier.
    pub carrier: CarrierName,
    /// The network on which it fails: MCC and MNC together, or an MCC alone; empty = all.
    pub network: String,
}

/// Whether a link takes submissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// It does.
    Up,
    /// It does not; it may again.
    Down,
    /// It finishes what it has and takes nothing new.
    Draining,
    /// Its connector has left: the last word of a run.
    Gone,
}

/// Connections of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binds {
    /// Those that take submissions.
    pub up: u32,
    /// Those that are configured.
    pub wanted: u32,
}

/// What waits in one lane of a carrier, at one connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneLoad {
    /// Orders in the log and not claimed yet, as far as the connector knows.
    pub orders: u64,
    /// How long an order that is published now would wait for its turn; absent = not known, or the link is not up.
    pub wait: Option<Duration>,
}

impl LinkState {
    /// The word used in logs and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Draining => "draining",
            Self::Gone => "gone",
        }
    }
}
