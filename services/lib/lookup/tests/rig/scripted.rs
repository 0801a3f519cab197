//! A provider in memory that answers by the last digit of a number, and keeps what it was asked.

use std::{sync::Mutex, time::Duration};

use futures::future::{BoxFuture, FutureExt};
use lookup::{Failure, Provider, Reach, Reply, Terms};
use sms::Msisdn;
use table::{Micros, Network};

/// Answers 0 to 9, in words of [`Scripted::result`].
pub(crate) struct Scripted {
    terms: Terms,
    pub(crate) asked: Mutex<Vec<Vec<Msisdn>>>,
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            terms: Terms {
                name: "scripted".to_owned(),
                price: Micros(0),
                is_authoritative: true,
                numbers_max: 7,
            },
            asked: Mutex::default(),
        }
    }
}

impl Scripted {
    /// What a number that ends in `last` comes to.
    pub(crate) fn result(last: char) -> Result<Reply, Failure> {
        let busy = |retry_after| Failure::Busy {
            why: "slow down".to_owned(),
            retry_after,
        };
        Ok(match last {
            '0' => Reply::default(),
            '1' => Reply {
                network: Some(Network::parse("310", "012").unwrap()),
                ported: Some(true),
                reach: Reach::Connected,
                roaming: Some(false),
                ttl: Some(Duration::from_secs(3_600)),
                cost: Some(Micros(4_500)),
            },
            '2' => Reply {
                network: Some(Network::parse("234", "").unwrap()),
                ported: Some(false),
                reach: Reach::Absent,
                roaming: Some(true),
                ..Reply::default()
            },
            '3' => Reply {
                reach: Reach::Dead,
                ..Reply::default()
            },
            '4' => return Err(Failure::Away("no link".to_owned())),
            '5' => return Err(busy(Some(Duration::from_secs(30)))),
            '6' => return Err(busy(None)),
            '7' => return Err(Failure::Refused("no money".to_owned())),
            '8' => return Err(Failure::Garbled("nonsense".to_owned())),
            _ => return Err(Failure::Undecided("no word of the network".to_owned())),
        })
    }
}

impl Provider for Scripted {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        self.asked.lock().unwrap().push(numbers.to_vec());
        let results = numbers
            .iter()
            .map(|number| Self::result(number.digits().chars().last().unwrap()));
        std::future::ready(results.collect()).boxed()
    }
}
