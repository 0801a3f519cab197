//! A provider made up in this process: no sockets, and it runs under virtual time.
//!
//! What it says of a number depends on the number and a seed alone, so that it says the same again, also after a restart and
//! to whoever checks it. How long it takes and when it fails is drawn from the dice of who asks.

use std::{collections::BTreeMap, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use service::{Dice, time};
use sms::Msisdn;
use table::Network;

use super::{Failure, Provider, ProviderConfig, Reply, Terms};
use crate::Reach;

/// Spreads seeds that lie side by side (the fraction of the golden ratio).
const SEED_SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Longest pause that it asks for, in milliseconds.
const BUSY_MAX_MS: u64 = 500;

/// How a simulated provider behaves. Shares are 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulatorConfig {
    /// What its answers are drawn from, together with the number.
    pub seed: u64,
    /// Time from a question to its answer.
    pub latency: Duration,
    /// Up to so much more.
    pub latency_spread: Duration,
    /// Share of questions that it is away for.
    pub error_rate: f64,
    /// Share of questions that it answers with nonsense.
    pub lie_rate: f64,
    /// Share of numbers that were ported, of those that are served.
    pub ported: f64,
    /// Share of numbers that nobody serves.
    pub dead: f64,
    /// The networks of numbers by their first digits: the one that gave them out, then those to which ported ones went, all
    /// alike. A number under none of them is not known.
    pub networks: BTreeMap<String, Vec<Network>>,
}

/// A simulated provider.
#[derive(Debug)]
pub struct Simulator {
    terms: Terms,
    config: SimulatorConfig,
    dice: Dice,
}

impl SimulatorConfig {
    /// What it says of `number` whenever it answers.
    pub fn reply(&self, number: &Msisdn) -> Reply {
        let Some(networks) = self.networks_of(number.digits()) else {
            return Reply::default();
        };
        let dice = Dice::seeded(self.seed.wrapping_mul(SEED_SPREAD) ^ ordinal(number));
        // Drawn in one order whatever comes of it, so that a knob moves no other numbers than it must.
        let (death, porting, choice) = (dice.fraction(), dice.fraction(), dice.next_u64());
        if death < self.dead {
            return Reply {
                reach: Reach::Dead,
                ..Reply::default()
            };
        }
        let others = networks.get(1..).unwrap_or_default();
        let is_ported = porting < self.ported && !others.is_empty();
        let network = if is_ported {
            others.get(usize::try_from(choice % others.len() as u64).expect("it is below a length"))
        } else {
            networks.first()
        };
        Reply {
            network: network.copied(),
            ported: Some(is_ported),
            reach: Reach::Connected,
            roaming: Some(false),
            ..Reply::default()
        }
    }

    /// The networks of the longest prefix.
    fn networks_of(&self, digits: &str) -> Option<&Vec<Network>> {
        let mut prefixes = (1..=digits.len()).rev().map(|length| &digits[..length]);
        prefixes.find_map(|prefix| self.networks.get(prefix))
    }
}

/// A number of its own for each, with leading zeros too.
fn ordinal(number: &Msisdn) -> u64 {
    let digits = number.digits().bytes();
    digits.fold(1, |ordinal, digit| ordinal * 10 + u64::from(digit - b'0'))
}

impl Simulator {
    /// A provider as `simulator` says; fails and takes its time by `dice`.
    pub fn new(config: &ProviderConfig, simulator: &SimulatorConfig, dice: Dice) -> Self {
        Self {
            terms: Terms::of(config, config.numbers_max),
            config: simulator.clone(),
            dice,
        }
    }

    fn result(&self, number: &Msisdn) -> Result<Reply, Failure> {
        let die = self.dice.fraction();
        if die < self.config.error_rate {
            return Err(Failure::Away("it is simulated to be away".to_owned()));
        }
        if die < self.config.error_rate + self.config.lie_rate {
            return self.lie();
        }
        Ok(self.config.reply(number))
    }

    /// One of the untruths that can be seen through.
    fn lie(&self) -> Result<Reply, Failure> {
        let garbled = |why: &str| Err(Failure::Garbled(why.to_owned()));
        match self.dice.below(4) {
            0 => garbled("it is simulated to answer nonsense"),
            1 => garbled("it is simulated to answer for another number"),
            // Test networks: no country gave numbers of theirs out.
            2 => Ok(Reply {
                network: Network::parse("001", "01").ok(),
                ported: Some(true),
                ..Reply::default()
            }),
            _ => Err(Failure::Busy {
                why: "it is simulated to have enough".to_owned(),
                retry_after: Some(Duration::from_millis(self.dice.below(BUSY_MAX_MS))),
            }),
        }
    }
}

impl Provider for Simulator {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        async move {
            let wait = self.config.latency + self.config.latency_spread.mul_f64(self.dice.fraction());
            if !wait.is_zero() {
                time::sleep(wait).await;
            }
            numbers.iter().map(|number| self.result(number)).collect()
        }
        .boxed()
    }
}
