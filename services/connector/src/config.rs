//! What a connector needs to know, as values.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use sms::CarrierName;

use crate::{
    Alphabet, Concatenation, FaultMap, GrpcConfig, HttpConfig, LinkControl, Outcomes, parts::Cutting,
    simulator::SimulatorConfig, smpp_link::SmppConfig, window::Window,
};

/// Links of one connector.
pub const LINKS_MAX: usize = 256;
/// Carriers of one link.
pub const CARRIERS_PER_LINK_MAX: usize = 32;
/// Parts that may be unanswered on one link, over all of its binds. Above some thousand carriers start to throttle.
pub const WINDOW_SLOTS_MAX: u32 = 1_000;
/// Window of a link that names none: what the specification recommends.
pub const WINDOW_SLOTS_DEFAULT: u32 = 10;
/// Parts a second on one link.
pub const RATE_MAX: u32 = 100_000;
/// Longest wait for what is in flight when stopping: the longest answer timeout and a publish.
pub const DRAIN_LIMIT_DEFAULT: Duration = Duration::from_secs(35);

/// A connector.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its links; no carrier is served by two of them.
    pub links: Vec<LinkConfig>,
    /// Partitions of dispatch topics that do not exist yet.
    pub partitions: u32,
    /// Longest wait for what is in flight when stopping; what is left is reported as unknown after a restart.
    pub drain_limit: Duration,
    /// Name of this connector among those of its carriers, kept across restarts: its words about them are kept under it.
    /// Absent = it has none, and the words of every run are kept.
    pub instance: Option<String>,
    /// The file its links were read from, followed while they run: their maps are kept at what it says. Absent = they stay.
    pub links_file: Option<PathBuf>,
    /// Where operators are answered; absent = nowhere.
    pub control: Option<LinkControl>,
}

/// One link.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkConfig {
    /// Its name, for logs and metrics.
    pub name: String,
    /// The carriers it serves: products of one company that share the link and its rate.
    pub carriers: Vec<CarrierName>,
    /// Parts that may be unanswered at once on one bind.
    pub window: u32,
    /// Parts a second on the carrier's account, over all binds and connectors; absent = no limit.
    pub rate: Option<u32>,
    /// Name of that account, where several links share one; absent = the link's own name.
    pub account: Option<String>,
    /// How the parts of a long message are tied together.
    pub concatenation: Concatenation,
    /// What each answer makes of an order, in the protocol that it speaks.
    pub outcomes: Outcomes,
    /// Whom negative receipts blame.
    pub faults: FaultMap,
    /// What is behind it.
    pub kind: LinkKind,
}

/// What is behind a link.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkKind {
    /// A carrier that speaks SMPP 3.4.
    Smpp(Box<SmppConfig>),
    /// A carrier that implements `CarrierService` over gRPC.
    Grpc(Box<GrpcConfig>),
    /// A carrier that is asked over HTTP.
    Http(Box<HttpConfig>),
    /// A carrier made up in this process, without sockets.
    Simulator(SimulatorConfig),
    /// Nothing: orders of its carriers are answered `LinkDown`, so that their messages go on to other carriers.
    Absent,
}

impl Config {
    /// A connector over `links` with the default partitions and drain limit.
    pub fn new(links: Vec<LinkConfig>) -> Self {
        let partitions = signalbox_proto::topics::PARTITIONS_DEFAULT;
        Self {
            links,
            partitions,
            drain_limit: DRAIN_LIMIT_DEFAULT,
            instance: None,
            links_file: None,
            control: None,
        }
    }

    /// Every carrier served, in text order.
    pub fn carriers(&self) -> BTreeSet<CarrierName> {
        self.links
            .iter()
            .flat_map(|link| link.carriers.iter().cloned())
            .collect()
    }
}

impl LinkConfig {
    /// A link with the default window, no rate and the default maps.
    pub fn new(name: impl Into<String>, carriers: Vec<CarrierName>, kind: LinkKind) -> Self {
        Self {
            name: name.into(),
            carriers,
            window: WINDOW_SLOTS_DEFAULT,
            rate: None,
            account: None,
            concatenation: Concatenation::default(),
            outcomes: Outcomes::default(),
            faults: FaultMap::default(),
            kind,
        }
    }

    /// Whether `other` differs in its maps at most.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let with_our_maps = Self {
            outcomes: self.outcomes.clone(),
            faults: self.faults.clone(),
            ..other.clone()
        };
        *self == with_our_maps
    }

    /// Name of the account that its rate belongs to.
    pub(crate) fn account_in_effect(&self) -> &str {
        self.account.as_deref().unwrap_or(&self.name)
    }

    /// How messages are cut for it.
    pub(crate) fn cutting(&self) -> Cutting {
        let alphabet = match &self.kind {
            LinkKind::Smpp(smpp) => smpp.alphabet,
            LinkKind::Grpc(_) | LinkKind::Http(_) | LinkKind::Simulator(_) | LinkKind::Absent => Alphabet::default(),
        };
        let concatenation = match &self.kind {
            // Such carriers cut messages themselves.
            LinkKind::Grpc(_) | LinkKind::Http(_) => Concatenation::Payload,
            _ => self.concatenation,
        };
        Cutting {
            concatenation,
            alphabet,
        }
    }

    /// Connections that it keeps; 0 = none of its own.
    pub(crate) fn connections(&self) -> u32 {
        match &self.kind {
            LinkKind::Smpp(smpp) => smpp.binds.all(),
            LinkKind::Grpc(_) | LinkKind::Http(_) | LinkKind::Simulator(_) => 1,
            LinkKind::Absent => 0,
        }
    }

    /// What is behind it, in a word.
    pub(crate) fn kind_word(&self) -> &'static str {
        match &self.kind {
            LinkKind::Smpp(_) => "smpp",
            LinkKind::Grpc(_) => "grpc",
            LinkKind::Http(_) => "http",
            LinkKind::Simulator(_) => "simulator",
            LinkKind::Absent => "absent",
        }
    }

    /// The window of all binds together that the rate allows.
    pub(crate) fn window_in_effect(&self) -> u32 {
        Window::allowed(self.window_max(), self.rate)
    }

    /// The window of all binds together, whatever the rate is.
    pub(crate) fn window_max(&self) -> u32 {
        let binds = match &self.kind {
            LinkKind::Smpp(smpp) => smpp.binds.submitting(),
            LinkKind::Grpc(_) | LinkKind::Http(_) | LinkKind::Simulator(_) | LinkKind::Absent => 1,
        };
        self.window.saturating_mul(binds).clamp(1, WINDOW_SLOTS_MAX)
    }
}
