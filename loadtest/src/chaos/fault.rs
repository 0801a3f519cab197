//! What may break, whom it may hit, and for how long: drawn from a seed.

use std::{str::FromStr, time::Duration};

use serde::Serialize;
use service::Dice;

use super::args::Bus;

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A process gets SIGKILL, and is started again.
    Kill,
    /// A connector gets SIGKILL, and stays away for longer than others take to have its work.
    Lose,
    /// A process gets SIGSTOP for longer than its lease.
    Freeze,
    /// A process gets SIGTERM, and is started again when it has drained.
    Drain,
    /// A process is cut from everybody on the network.
    NetCut,
    /// The connections to a carrier are closed, and new ones too.
    LinkCut,
    /// What is sent to a carrier is lost, and connections stand.
    LinkHalfOpen,
    /// What is sent to a carrier waits.
    LinkStall,
    /// A broker is killed, and started again.
    Broker,
    /// Redis is killed, and started again with what its disk holds.
    RedisRestart,
    /// Every key of Redis is removed.
    RedisEmptied,
    /// The disk of the log has no room.
    DiskFull,
    /// The disk of the log stands still most of the time.
    DiskSlow,
}

/// Every kind, with the word for it, how often it is drawn in proportion, and for how long it holds, in milliseconds.
const KINDS: [(Kind, &str, u64, (u64, u64)); 13] = [
    (Kind::Kill, "kill", 6, (300, 4_000)),
    (Kind::Lose, "lose", 1, (20_000, 25_000)),
    (Kind::Freeze, "freeze", 3, (6_000, 12_000)),
    (Kind::Drain, "drain", 2, (0, 1)),
    (Kind::NetCut, "net-cut", 2, (2_000, 12_000)),
    (Kind::LinkCut, "link-cut", 3, (300, 5_000)),
    (Kind::LinkHalfOpen, "link-half-open", 3, (300, 5_000)),
    (Kind::LinkStall, "link-stall", 2, (1_000, 5_000)),
    (Kind::Broker, "broker", 2, (1_000, 8_000)),
    (Kind::RedisRestart, "redis-restart", 1, (300, 4_000)),
    (Kind::RedisEmptied, "redis-emptied", 1, (0, 1)),
    (Kind::DiskFull, "disk-full", 1, (2_000, 5_000)),
    (Kind::DiskSlow, "disk-slow", 2, (2_000, 5_000)),
];

/// Whom a kind of fault hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prey {
    Process,
    /// A process whose work another one of its role can take over.
    Connector,
    Link,
    Broker,
    Redis,
    Disk,
}

impl Kind {
    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        KINDS
            .iter()
            .find(|(kind, ..)| *kind == self)
            .map_or("", |(_, word, ..)| word)
    }

    pub(super) fn prey(self) -> Prey {
        match self {
            Self::Kill | Self::Freeze | Self::Drain | Self::NetCut => Prey::Process,
            Self::Lose => Prey::Connector,
            Self::LinkCut | Self::LinkHalfOpen | Self::LinkStall => Prey::Link,
            Self::Broker => Prey::Broker,
            Self::RedisRestart | Self::RedisEmptied => Prey::Redis,
            Self::DiskFull | Self::DiskSlow => Prey::Disk,
        }
    }

    /// All kinds that there can be over `bus`.
    pub(super) fn over(bus: Bus) -> Vec<Self> {
        let absent = match bus {
            Bus::Kafka => &[Prey::Disk][..],
            // One process has all roles.
            Bus::Embedded => &[Prey::Broker, Prey::Redis, Prey::Connector],
        };
        let kinds = KINDS.iter().map(|(kind, ..)| *kind);
        kinds.filter(|kind| !absent.contains(&kind.prey())).collect()
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words = KINDS.iter().map(|(_, word, ..)| *word).collect::<Vec<_>>().join(", ");
        let found = KINDS.iter().find(|(_, word, ..)| *word == text);
        found
            .map(|(kind, ..)| *kind)
            .ok_or(format!("{text} is no fault; there are {words}"))
    }
}

/// What the seed says comes next.
#[derive(Clone, Debug)]
pub(super) struct Draws {
    dice: Dice,
    kinds: Vec<Kind>,
}

impl Draws {
    /// Faults of `kinds` that `seed` fixes.
    pub(super) fn new(seed: u64, kinds: Vec<Kind>) -> Self {
        Self {
            dice: Dice::seeded(seed),
            kinds,
        }
    }

    /// A kind, a number that chooses its prey, and for how long it holds.
    pub(super) fn next(&mut self) -> Option<(Kind, u64, Duration)> {
        let all = KINDS.iter().filter(|(kind, ..)| self.kinds.contains(kind));
        let weight = all.clone().map(|(_, _, weight, _)| weight).sum();
        let mut left = self.dice.below(weight);
        let (choice, die) = (self.dice.next_u64(), self.dice.fraction());
        for (kind, _, weight, (least, most)) in all {
            if left < *weight {
                let span = Duration::from_millis(*most - *least).mul_f64(die);
                return Some((*kind, choice, Duration::from_millis(*least) + span));
            }
            left -= weight;
        }
        None
    }
}

#[cfg(test)]
mod tests;
