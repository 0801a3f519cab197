//! What operators see of the links of a running connector, and what they may ask of it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use journey::LinkState;
use service::time;
use sms::{CarrierName, UnixMs};
use store::StoreError;
use tokio::sync::mpsc;

use crate::{
    Incarnation, LinkConfig, RATE_MAX,
    directive::{Conduct, Directives},
    link::{Command, Line, Probe, Probed},
    trouble::Trouble,
    vitals::Vitals,
};

/// Longest wait for a carrier's sign of life.
const TEST_LIMIT: Duration = Duration::from_secs(10);
/// Longest wait until a pump does as it was told: a moment, unless the process is overloaded.
const HEED_LIMIT: Duration = Duration::from_secs(2);

/// One link.
pub(crate) struct Seat {
    pub link: LinkConfig,
    pub vitals: Arc<Vitals>,
    /// The way down to it.
    pub line: Line,
}

/// The links of one connector, in the order of their configuration.
pub(crate) struct Control {
    pub seats: Vec<Seat>,
    pub directives: Arc<Directives>,
    pub incarnation: Incarnation,
    pub instance: Option<String>,
}

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// There is no link of that name.
    #[error("no link \"{name}\" here; links of this connector: {known}")]
    NoSuchLink {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// No such rate.
    #[error("parts_per_second: is {0}, allowed are 1 to {RATE_MAX}, or none for what the configuration says")]
    Rate(u32),
    /// The link cannot be tested.
    #[error("link \"{name}\" is of kind {kind}, which has no test: its carrier cannot be asked for a sign of life")]
    NoTest {
        /// Its name.
        name: String,
        /// Its kind.
        kind: &'static str,
    },
    /// The store is away.
    #[error("the order is not known to be kept, ask again: {0}")]
    Store(#[from] StoreError),
}

/// How a link stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stand {
    Up,
    Down,
    Paused,
    Draining,
    Drained,
    Leaving,
}

/// One link as it is.
pub(crate) struct Sheet {
    pub name: String,
    pub kind: &'static str,
    pub carriers: Vec<CarrierName>,
    pub stand: Stand,
    pub since: UnixMs,
    pub binds_up: u32,
    pub binds: u32,
    pub window_slots: u32,
    pub window_used: u32,
    pub account: String,
    pub rate_configured: Option<u32>,
    pub rate_ordered: Option<u32>,
    pub rate_in_force: Option<u32>,
    pub queued: u64,
    pub in_flight: u64,
    pub parts_taken: u64,
    pub round_trip_last: Option<Duration>,
    pub round_trip_p50: Option<Duration>,
    pub trouble: Option<Trouble>,
    pub unmapped_codes: u64,
}

impl Control {
    /// Every link.
    pub(crate) fn all(&self) -> Vec<Sheet> {
        (0..self.seats.len()).map(|index| self.sheet(index)).collect()
    }

    /// Has a link do so, and waits until it does.
    pub(crate) async fn conduct(&self, name: &str, conduct: Conduct) -> Result<Sheet, Refusal> {
        let index = self.find(name)?;
        self.directives.conduct(index, conduct).await?;
        // One that does not get to it says so by its state.
        time::timeout(HEED_LIMIT, self.seats[index].vitals.until(conduct)).await;
        Ok(self.sheet(index))
    }

    /// Sets the rate of a link's account; `None` = as configured.
    pub(crate) async fn rate(&self, name: &str, rate: Option<u32>) -> Result<Sheet, Refusal> {
        let index = self.find(name)?;
        if let Some(rate) = rate.filter(|rate| !(1..=RATE_MAX).contains(rate)) {
            return Err(Refusal::Rate(rate));
        }
        self.directives.rate(index, rate).await?;
        let seat = &self.seats[index];
        time::timeout(HEED_LIMIT, seat.vitals.until_rate(rate.or(seat.link.rate))).await;
        Ok(self.sheet(index))
    }

    /// Asks a carrier for a sign of life on every connection: what came of it, by number of the connection.
    pub(crate) async fn test(&self, name: &str) -> Result<BTreeMap<u32, Result<Duration, String>>, Refusal> {
        let index = self.find(name)?;
        let Seat { link, line, .. } = &self.seats[index];
        let (answers, mut answered) = mpsc::unbounded_channel();
        line.send(Command::Probe(Probe { bind: 0, answers }));
        let silence = || {
            Err(format!(
                "no answer, and {} s are the longest wait",
                TEST_LIMIT.as_secs()
            ))
        };
        let numbers = 0..link.connections();
        let mut binds: BTreeMap<u32, _> = numbers.map(|bind| (bind, silence())).collect();
        let mut left = binds.len();
        let answering = async {
            while let Some(probed) = answered.recv().await {
                match probed {
                    Probed::NoTest => return false,
                    Probed::Alive { bind, after } => binds.insert(bind, Ok(after)),
                    Probed::Silent { bind, why } => binds.insert(bind, Err(why)),
                };
                left = left.saturating_sub(1);
                if left == 0 {
                    break;
                }
            }
            true
        };
        let has_test = time::timeout(TEST_LIMIT, answering).await.unwrap_or(true);
        if !has_test {
            let (name, kind) = (link.name.clone(), link.kind_word());
            return Err(Refusal::NoTest { name, kind });
        }
        if self.seats[index].vitals.heeded().is_unplugged {
            let why = "the link is drained: it is disconnected until it is resumed".to_owned();
            binds.values_mut().for_each(|test| *test = Err(why.clone()));
        }
        Ok(binds)
    }

    fn find(&self, name: &str) -> Result<usize, Refusal> {
        let index = self.seats.iter().position(|seat| seat.link.name == name);
        index.ok_or_else(|| {
            let known: Vec<&str> = self.seats.iter().map(|seat| seat.link.name.as_str()).collect();
            Refusal::NoSuchLink {
                name: name.to_owned(),
                known: known.join(", "),
            }
        })
    }

    fn sheet(&self, index: usize) -> Sheet {
        let Seat { link, vitals, .. } = &self.seats[index];
        let (stand, since) = stand(vitals);
        let (window_slots, window_used) = vitals.window();
        let binds = link.connections();
        let is_up = vitals.connection().0 == LinkState::Up;
        let round_trips = vitals.round_trips();
        Sheet {
            name: link.name.clone(),
            kind: link.kind_word(),
            carriers: link.carriers.clone(),
            stand,
            since,
            binds_up: if is_up { vitals.binds(binds) } else { 0 },
            binds,
            window_slots,
            window_used,
            account: link.account_in_effect().to_owned(),
            rate_configured: link.rate,
            rate_ordered: self.directives.now(index).rate,
            rate_in_force: vitals.rate_limit(),
            queued: vitals.queued(),
            in_flight: vitals.in_flight(),
            parts_taken: vitals.taken_by_all(),
            round_trip_last: round_trips.last(),
            round_trip_p50: round_trips.median(),
            trouble: vitals.trouble(),
            unmapped_codes: vitals.unmapped(),
        }
    }
}

fn stand(vitals: &Vitals) -> (Stand, UnixMs) {
    let ((state, since), heeded) = (vitals.connection(), vitals.heeded());
    match (state, heeded.conduct) {
        (LinkState::Draining | LinkState::Gone, _) => (Stand::Leaving, since),
        (_, Conduct::Paused) => (Stand::Paused, heeded.since),
        (_, Conduct::Drained) if heeded.is_unplugged => (Stand::Drained, heeded.since),
        (_, Conduct::Drained) => (Stand::Draining, heeded.since),
        (LinkState::Up, Conduct::Open) => (Stand::Up, since),
        (LinkState::Down, Conduct::Open) => (Stand::Down, since),
    }
}
