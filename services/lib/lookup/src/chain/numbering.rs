//! What is known of a number without asking anybody.

use sms::Msisdn;
use table::{LiveTable, Network, Table};

/// What the routing table says of numbers. Asked for each number, so it waits for nothing.
pub trait Numbering: Send + Sync {
    /// The network that `number` moved to, by the list of ported numbers; `None` = it is not on it.
    fn moved(&self, number: &Msisdn) -> Option<Network>;

    /// The network that the numbering plan gives `number` to; `None` = it has no row for it.
    fn planned(&self, number: &Msisdn) -> Option<Network>;

    /// Whether `network` may serve `number`; whoever says otherwise is mistaken.
    fn may_serve(&self, network: Network, number: &Msisdn) -> bool;
}

impl Numbering for Table {
    fn moved(&self, number: &Msisdn) -> Option<Network> {
        Self::moved(self, number.digits())
    }

    fn planned(&self, number: &Msisdn) -> Option<Network> {
        Self::planned(self, number.digits())
    }

    fn may_serve(&self, network: Network, number: &Msisdn) -> bool {
        Self::may_serve(self, network, number.digits())
    }
}

/// The table in force, so a list that is read anew counts at once.
impl Numbering for LiveTable {
    fn moved(&self, number: &Msisdn) -> Option<Network> {
        self.snapshot().moved(number.digits())
    }

    fn planned(&self, number: &Msisdn) -> Option<Network> {
        self.snapshot().planned(number.digits())
    }

    fn may_serve(&self, network: Network, number: &Msisdn) -> bool {
        self.snapshot().may_serve(network, number.digits())
    }
}
