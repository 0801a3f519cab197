//! How much a router has before it: what ingest must know to refuse messages that would wait for too long.

use std::{fmt, time::Duration};

use sms::{AccountId, Lane, Msisdn};

/// Beginnings of numbers that there are.
const HEADS: usize = 1_000;
/// Accounts and beginnings of numbers that one word names, the worst first: some 10 kB, or 30 kB with names of full length.
pub const CONGESTED_MAX: usize = 300;
/// Shorter lags are not said.
pub const LAG_SAID_MIN: Duration = Duration::from_secs(2);
/// Shorter waits are not said.
pub const WAIT_SAID_MIN: Duration = Duration::from_secs(300);

/// The first three digits of a number, which tell its country or region: enough to know where it is going, and nobody's
/// number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Head(u16);

/// Numbers to which a message would have to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Congestion {
    /// The lane in which it would.
    pub lane: Lane,
    /// Whose messages would: accounts may be offered other carriers. `None` = everybody's.
    pub account: Option<AccountId>,
    /// How the numbers begin.
    pub head: Head,
    /// For how long a message that is accepted now would wait until a carrier is sent it.
    pub wait: Duration,
}

/// What one router has before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pressure {
    /// Age of the oldest accepted message that it read and that has no order yet, for each lane in the order of [`Lane::ALL`].
    pub lags: [Duration; Lane::ALL.len()],
    /// Numbers to which messages would have to wait, the longest wait first.
    pub congested: Vec<Congestion>,
}

impl Head {
    /// How `number` begins.
    pub fn of(number: &Msisdn) -> Self {
        let digits = number.digits().bytes().take(3);
        Self(digits.fold(0, |head, digit| head * 10 + u16::from(digit - b'0')))
    }

    /// The head whose digits are those of `number`; `None` = it has more than three.
    pub fn new(number: u32) -> Option<Self> {
        let head = u16::try_from(number).ok()?;
        (usize::from(head) < HEADS).then_some(Self(head))
    }

    /// Its digits as a number.
    pub const fn number(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

impl Pressure {
    /// Whether there is nothing to say.
    pub fn is_none(&self) -> bool {
        self.congested.is_empty() && self.lags.iter().all(Duration::is_zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_the_first_three_digits() {
        let head = Head::of(&Msisdn::new("+33612345678").unwrap());
        assert_eq!((head.number(), head.to_string().as_str()), (336, "336"));
        assert_eq!(Head::new(336), Some(head));
        assert_eq!(Head::of(&Msisdn::new("007").unwrap()).to_string(), "007");
        assert_eq!(Head::new(1_000), None);
    }
}
