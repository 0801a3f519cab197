//! What is known of a number.

use sms::UnixMs;
use table::{Micros, Network};

/// What is known of a number, from whatever source. Of its subscriber nothing is kept but networks and flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The network that serves it; `None` = not known.
    pub network: Option<Network>,
    /// Whether it is served by another network than the one that gave it out; `None` = not known.
    pub ported: Option<bool>,
    /// Whether its handset can be reached.
    pub reach: Reach,
    /// Whether its handset is abroad; `None` = not known.
    pub roaming: Option<bool>,
    /// Who said so.
    pub source: Source,
    /// The provider that said so first, whatever cache held it since; empty = none did.
    pub provider: String,
    /// What asking cost, in the table's currency; zero for what was known already.
    pub cost: Micros,
    /// When it was asked.
    pub asked_at: UnixMs,
    /// When it is too old.
    pub expires_at: UnixMs,
    /// How sure it is.
    pub confidence: Confidence,
}

/// Whether a handset can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// Nobody said.
    #[default]
    Unknown,
    /// It was, just then.
    Connected,
    /// Off, or out of reach: it may be reached later.
    Absent,
    /// The number is served by no network: nothing can ever be delivered to it.
    Dead,
}

/// Where an answer comes from, in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The memory of this process.
    Memory,
    /// The store that all processes share.
    Store,
    /// The list of ported numbers.
    Ported,
    /// A provider, just now.
    Provider,
    /// The numbering plan.
    Plan,
}

/// How sure an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// By the prefix alone: a ported number is taken for one that is not.
    Low,
    /// Somebody who knows said so.
    High,
}

impl Source {
    /// Every one, in order.
    pub const ALL: [Self; 5] = [Self::Memory, Self::Store, Self::Ported, Self::Provider, Self::Plan];

    /// The word used in reports and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Store => "store",
            Self::Ported => "ported",
            Self::Provider => "provider",
            Self::Plan => "plan",
        }
    }
}

impl Reach {
    /// The word used in reports and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Connected => "connected",
            Self::Absent => "absent",
            Self::Dead => "dead",
        }
    }
}
