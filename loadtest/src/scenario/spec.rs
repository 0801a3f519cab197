//! A scenario: what is sent, to whom, what goes wrong meanwhile, and what must hold all the same.

use std::time::Duration;

use sms::{CarrierName, Class};

use crate::{chaos::args::Bus, row::Bound, smsc::Behaviour};

/// Carriers of one scenario: each has a network of its own, whose numbers hold one digit for it.
pub(super) const CARRIERS_MAX: usize = 10;
/// Loads, and events.
pub(super) const ENTRIES_MAX: usize = 100;
/// Messages of one run: some hundred octets are kept of each until the books are checked.
pub(super) const MESSAGES_MAX: usize = 3_000_000;
/// Parts of a message.
pub(super) const SEGMENTS_MAX: u32 = 10;

/// Everything that a file says.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// The file, without folder and ending.
    pub(super) name: String,
    pub(super) bus: Bus,
    /// How long messages fall due.
    pub(super) length: Duration,
    /// What falls due before does not count.
    pub(super) warm_up: Duration,
    /// All chances follow from it.
    pub(super) seed: u64,
    pub(super) loads: Vec<Load>,
    pub(super) carriers: Vec<Carrier>,
    /// The `[defaults]` of the routing table, as table.toml has them.
    pub(super) defaults: String,
    /// `None` = nobody is asked who serves a number.
    pub(super) lookup: Option<LookUp>,
    pub(super) events: Vec<Event>,
    pub(super) goals: Vec<Goal>,
}

/// From when to when, counted from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Duration,
    pub(super) until: Duration,
}

/// Messages of one kind for some time; loads add up.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Load {
    pub(super) span: Span,
    pub(super) class: Class,
    /// Messages a second at the beginning and at the end, evenly from the one to the other.
    pub(super) rate: [f64; 2],
    pub(super) arrivals: Arrivals,
    /// Parts of a message, each as likely as the others.
    pub(super) segments: Vec<u32>,
    /// What all of them say; `None` = texts of the class in twenty languages.
    pub(super) text: Option<String>,
    /// Time to live of each.
    pub(super) ttl: Duration,
}

/// How messages fall due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrivals {
    /// Each as long after the one before.
    Even,
    /// By chance, as those of many who know nothing of each other.
    Poisson,
    /// So many at once.
    Bursts(u32),
}

/// A carrier, and the link to it.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    pub(super) name: CarrierName,
    /// What a part costs anywhere; `None` = it is the cheapest for its own network.
    pub(super) price: Option<String>,
    pub(super) behaviour: Behaviour,
    /// Parts that may be unanswered.
    pub(super) window: u32,
    /// Parts a second that the link keeps to; `None` = no limit.
    pub(super) link_rate: Option<u32>,
}

/// A provider that knows who serves a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LookUp {
    /// Share of numbers that were ported.
    pub(super) ported: f64,
    pub(super) manner: Manner,
}

/// How a provider of look-ups answers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Manner {
    /// How long it takes.
    pub(super) answer: Duration,
    /// Share of questions that it is away for.
    pub(super) errors: f64,
}

/// Somebody does otherwise for a while.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) span: Span,
    pub(super) change: Change,
}

/// What is different meanwhile.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// The carrier at that place behaves so.
    Carrier(usize, Box<Behaviour>),
    /// The links of the carrier at that place are cut, and new ones at once.
    LinksCut(usize),
    /// The provider of look-ups answers so.
    LookUp(Manner),
}

impl Scenario {
    /// A change in words.
    pub(super) fn told(&self, change: &Change) -> String {
        let name = |place: &usize| &self.carriers[*place].name;
        match change {
            Change::LinksCut(place) => format!("links to {} are cut", name(place)),
            Change::LookUp(Manner { answer, errors }) => {
                let answer = source::duration_text(*answer);
                format!("look-ups take {answer}, and {errors} of them fail")
            }
            Change::Carrier(place, behaviour) => {
                let Behaviour { answer, error_rate, .. } = **behaviour;
                format!("{} answers in {answer}, and refuses {error_rate} of all", name(place))
            }
        }
    }
}

impl Change {
    /// The place of the carrier that it is about; `None` = the provider of look-ups.
    pub(super) fn carrier(&self) -> Option<usize> {
        match self {
            Self::Carrier(place, _) | Self::LinksCut(place) => Some(*place),
            Self::LookUp(_) => None,
        }
    }
}

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Goal {
    /// Of which messages; `None` = of all.
    pub(super) class: Option<Class>,
    pub(super) figure: Figure,
    pub(super) bound: Bound,
}

/// A figure of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Figure {
    /// Delivered messages a second, from the first that was due to the last that the customer was told of.
    Throughput,
    /// Share of the messages that were delivered, and the customer told.
    Delivered,
    /// From when a message was due until a carrier had it, in milliseconds.
    P50,
    /// The same of the slowest in a hundred.
    P99,
    /// From when a message was due until the customer was told that it is delivered, in milliseconds.
    ReceiptP99,
    /// The most memory of a service, in megabytes.
    Memory,
}

impl Figure {
    /// Those of messages.
    pub(super) const OF_MESSAGES: [Self; 5] = [
        Self::Throughput,
        Self::Delivered,
        Self::P50,
        Self::P99,
        Self::ReceiptP99,
    ];

    /// What is measured, with its unit and digits behind the point.
    pub(super) const fn words(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Throughput => ("delivered", "messages/s", 0),
            Self::Delivered => ("share delivered", "", 4),
            Self::P50 => ("due → carrier has it, p50", "ms", 1),
            Self::P99 => ("due → carrier has it, p99", "ms", 1),
            Self::ReceiptP99 => ("due → receipt, p99", "ms", 1),
            Self::Memory => ("most memory of a service", "MB", 0),
        }
    }
}
