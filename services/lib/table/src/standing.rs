//! What is known just now about carriers: the part of a decision that no table holds.

use std::time::Duration;

use sms::{CarrierName, Class};

use crate::network::Network;

/// How a carrier stands at one instant. The default is a carrier that is up with an unknown wait: it is not refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// No message may go there just now: its links are down or its breaker is open.
    pub circuit_open: bool,
    /// How long a message of the class asked for would wait there before it is sent: backlog of its lane ÷ rate. `None` =
    /// not known, which refuses nobody.
    pub expected_wait: Option<Duration>,
}

/// How every carrier stands. Take one for each batch, so that all its messages are decided on the same.
///
/// A decision asks once for each carrier that the table itself lets take the message: answer without a lock and without
/// allocating. A closure of the same shape will do.
pub trait Standings: Sync {
    /// How `carrier` stands towards messages of `class`.
    fn standing(&self, carrier: &CarrierName, class: Class) -> Standing;

    /// The same towards messages for `network`, `None` where it is not known: what a decision asks. Who does not tell
    /// networks apart leaves it as it is.
    fn standing_on(&self, carrier: &CarrierName, network: Option<Network>, class: Class) -> Standing {
        _ = network;
        self.standing(carrier, class)
    }
}

impl<F: Fn(&CarrierName, Class) -> Standing + Sync> Standings for F {
    fn standing(&self, carrier: &CarrierName, class: Class) -> Standing {
        self(carrier, class)
    }
}

impl Standing {
    /// A carrier that no message may go to.
    pub const DOWN: Self = Self {
        circuit_open: true,
        expected_wait: None,
    };
    /// A carrier that nothing speaks against.
    pub const UP: Self = Self {
        circuit_open: false,
        expected_wait: None,
    };

    /// A carrier that is up and sends a message after `wait`.
    pub const fn after(wait: Duration) -> Self {
        Self {
            circuit_open: false,
            expected_wait: Some(wait),
        }
    }
}
