//! What is asked of a table.

use std::time::Duration;

use sms::{CarrierName, Class, Encoding, UnixMs};

use crate::{figures::LiveFigures, network::Network, standing::Standings};

/// One message as a decision sees it. Time, die and health are inputs: deciding reads none of them anywhere else.
#[derive(Clone, Copy)]
pub struct Query<'a> {
    /// Recipient in international format; a leading `+` is dropped. One that is no number matches no prefix.
    pub to: &'a str,
    /// Sender as asked; may be empty.
    pub from: &'a str,
    /// Account that submits it; may be empty.
    pub account: &'a str,
    /// What it is for.
    pub class: Class,
    /// Encoding that it needs.
    pub encoding: Encoding,
    /// Segments that it takes, from 1.
    pub segments: u8,
    /// Its text; `None` = not given, and conditions on it do not hold.
    pub text: Option<&'a str>,
    /// The instant to decide for.
    pub at: UnixMs,
    /// Network that serves the number, where somebody named it; `None` = the numbering plan says.
    pub network: Option<Served>,
    /// Whether the number was ported; `None` = follows from the networks named.
    pub ported: Option<bool>,
    /// The die of a weighted route: a hash of message and attempt, so that a redelivery repeats its choice.
    pub roll: u64,
    /// Carriers that this message was offered to before.
    pub tried: &'a [CarrierName],
    /// How carriers stand just now; `None` = nothing speaks against any of them.
    pub standings: Option<&'a dyn Standings>,
    /// How well carriers deliver of late; `None` = `quality.csv` alone says.
    pub figures: Option<&'a dyn LiveFigures>,
    /// When the message was accepted: its deadline counts from then. `None` = at `at`.
    pub accepted_at: Option<UnixMs>,
    /// The deadline that the message itself names, after its acceptance; `None` = the route's, else the class's.
    pub ttl: Option<Duration>,
}

/// A network that somebody named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    /// The network.
    pub network: Network,
    /// Who named it.
    pub source: Source,
}

/// Where the network of a message comes from, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The query itself.
    Query,
    /// A look-up.
    Hlr,
    /// The table's list of ported numbers.
    Ported,
    /// The numbering plan.
    Numbering,
}

impl<'a> Query<'a> {
    /// A transactional message of one GSM-7 segment to `to` at `at`, and nothing else known.
    pub fn new(to: &'a str, at: UnixMs) -> Self {
        Self {
            to,
            from: "",
            account: "",
            class: Class::default(),
            encoding: Encoding::default(),
            segments: 1,
            text: None,
            at,
            network: None,
            ported: None,
            roll: 0,
            tried: &[],
            standings: None,
            figures: None,
            accepted_at: None,
            ttl: None,
        }
    }
}

impl Source {
    /// The word used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Hlr => "hlr",
            Self::Ported => "ported",
            Self::Numbering => "numbering",
        }
    }
}
