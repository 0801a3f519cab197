//! The messages of a run: recipients of the world, with accounts, senders, classes, sizes and instants as a router sees them.

use std::fmt::Write as _;

use serde::Serialize;
use sms::{Class, Encoding, UnixMs};
use table::{Network, Query, Served, Source};

use super::scene::{ACCOUNTS, Net, SENDERS, Scene, WEEK_BEGINS, WEEK_MS, by_mcc};
use crate::world::{Draws, Recipients};

/// Of 1,000 messages, those whose network somebody told.
const TOLD_PERMILLE: u64 = 100;
/// Of 1,000 messages, those to a number on the list of ported ones.
const MOVED_PERMILLE: u64 = 20;
/// Of 1,000 messages, those to a number that the plan does not know.
const UNKNOWN_PERMILLE: u64 = 5;

/// Messages prepared before any clock runs, each once.
pub(crate) struct Asks {
    numbers: String,
    asks: Vec<Ask>,
}

/// One message; its number lies in the text of all.
struct Ask {
    to: (u32, u32),
    from: &'static str,
    account: &'static str,
    class: Class,
    encoding: Encoding,
    segments: u8,
    at: UnixMs,
    told: Option<Net>,
    ported: Option<bool>,
    roll: u64,
}

/// What the messages are, in percent.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Mix {
    pub(crate) otp: f64,
    pub(crate) transactional: f64,
    pub(crate) promotional: f64,
    pub(crate) several_segments: f64,
    pub(crate) ucs2: f64,
    pub(crate) network_told: f64,
    pub(crate) ported_told: f64,
}

impl Asks {
    /// `count` messages of `seed`, at instants spread over the week.
    pub(crate) fn new(scene: &Scene, count: usize, seed: u64) -> Self {
        let by_mcc = by_mcc(&scene.plan);
        let mut draws = Draws::new(seed ^ 0x6173_6b73);
        let mut recipients = Recipients::new(draws.next_u64());
        let mut numbers = String::with_capacity(count * 14);
        let asks = (0..count).map(|_| {
            let begins = numbers.len() as u32;
            let kind = draws.below(1_000);
            if kind < MOVED_PERMILLE && !scene.ported.is_empty() {
                numbers.push_str(&draws.one_of(&scene.ported).0);
            } else if kind < MOVED_PERMILLE + UNKNOWN_PERMILLE {
                write!(numbers, "0{:09}", draws.below(1_000_000_000)).expect("writing to a string does not fail");
            } else {
                numbers.push_str(recipients.next().expect("recipients do not end").msisdn.digits());
            }
            let told = (draws.below(1_000) < TOLD_PERMILLE)
                .then(|| scene.plan.row_of(&numbers[begins as usize..]))
                .flatten()
                .and_then(|row| by_mcc.get(&Net::new(&row.mcc, "")))
                .map(|networks| *draws.one_of(networks));
            ask(&mut draws, (begins, numbers.len() as u32), told)
        });
        let asks = asks.collect();
        Self { numbers, asks }
    }

    /// The queries, in their order.
    pub(crate) fn queries(&self) -> Vec<Query<'_>> {
        self.asks.iter().map(|ask| self.query(ask)).collect()
    }

    /// The network told with each, in their order.
    pub(crate) fn told(&self) -> Vec<Option<Net>> {
        self.asks.iter().map(|ask| ask.told).collect()
    }

    /// What they are.
    pub(crate) fn mix(&self) -> Mix {
        let share = |holds: &dyn Fn(&Ask) -> bool| {
            100.0 * self.asks.iter().filter(|ask| holds(ask)).count() as f64 / self.asks.len() as f64
        };
        Mix {
            otp: share(&|ask| ask.class == Class::Otp),
            transactional: share(&|ask| ask.class == Class::Transactional),
            promotional: share(&|ask| ask.class == Class::Promotional),
            several_segments: share(&|ask| ask.segments > 1),
            ucs2: share(&|ask| ask.encoding == Encoding::Ucs2),
            network_told: share(&|ask| ask.told.is_some()),
            ported_told: share(&|ask| ask.ported.is_some()),
        }
    }

    fn query(&self, ask: &Ask) -> Query<'_> {
        let told = ask.told.map(|net| Served {
            network: network(net),
            source: Source::Hlr,
        });
        Query {
            from: ask.from,
            account: ask.account,
            class: ask.class,
            encoding: ask.encoding,
            segments: ask.segments,
            network: told,
            ported: ask.ported,
            roll: ask.roll,
            ..Query::new(&self.numbers[ask.to.0 as usize..ask.to.1 as usize], ask.at)
        }
    }
}

fn network(net: Net) -> Network {
    Network::parse_together(&net.digits()).expect("the plan's networks are sound")
}

/// 40 % passwords, 40 % transactional, 20 % promotions; one in five has more than one segment, one in four UCS-2.
fn ask(draws: &mut Draws, to: (u32, u32), told: Option<Net>) -> Ask {
    Ask {
        to,
        from: draws.one_of::<&str>(&SENDERS),
        account: draws.one_of::<&str>(&ACCOUNTS),
        class: match draws.below(10) {
            0..4 => Class::Otp,
            4..8 => Class::Transactional,
            _ => Class::Promotional,
        },
        encoding: if draws.below(4) == 0 {
            Encoding::Ucs2
        } else {
            Encoding::Gsm7
        },
        segments: match draws.below(10) {
            0..8 => 1,
            8 => 2,
            _ => 3,
        },
        at: UnixMs(WEEK_BEGINS.0 + draws.below(WEEK_MS)),
        told,
        ported: match draws.below(100) {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        },
        roll: draws.next_u64(),
    }
}
