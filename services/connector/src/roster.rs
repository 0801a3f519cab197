//! Who serves which carrier, by what connectors say on `carriers`: for whoever must know whether others serve it.
//!
//! Only what is heard live counts; what was said before tells the names of carriers and nothing else. Spans are of the
//! monotonic clock of this process, so that no clock that is set moves them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bus::{Bus, ConsumeError, Position, Read, Stored};
use journey::{CarrierReport, CarrierWord, LinkState};
use service::{
    LogTime, Seldom,
    time::{self, Instant},
};
use signalbox_proto::{record, topics};
use sms::{CarrierName, UnixMs};
use tracing::{debug, warn};

use crate::Incarnation;

/// A connector that said nothing for so long serves nothing. Routers give it a second more, so that what they still publish
/// for its carriers meanwhile is handed back too.
pub(crate) const SILENT: Duration = Duration::from_secs(9);
/// Without a word of anybody for so long it is the log that is silent, and not a connector.
const LOG_SILENT: Duration = Duration::from_secs(3);
/// Records taken at once.
const RECORDS_MAX: usize = 1_000;
/// Wait after the log failed.
const RETRY: Duration = Duration::from_millis(500);

/// A log that is away is found out at every try.
static TOLD: Seldom = Seldom::new();

/// What connectors said. Cheap to clone; clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    known: Arc<Mutex<Known>>,
    log_time: LogTime,
}

#[derive(Debug, Default)]
struct Known {
    carriers: BTreeMap<CarrierName, Carrier>,
    /// Since when words come without a silence between them; absent = none came.
    listening_since: Option<Instant>,
    /// When the last one came.
    heard_at: Option<Instant>,
}

/// One carrier.
#[derive(Debug, Default)]
struct Carrier {
    /// When somebody spoke of it; absent = nobody did since we listen.
    spoken_at: Option<Instant>,
    /// The last word of each run of a connector that serves it.
    runs: BTreeMap<String, Word>,
}

/// How the link of one run stands.
#[derive(Clone, Copy, Debug)]
struct Word {
    is_up: bool,
    heard_at: Instant,
}

impl Roster {
    /// The log's clock, as what is heard here tells it.
    pub(crate) fn log_time(&self) -> LogTime {
        self.log_time.clone()
    }

    /// Whether a connector other than `own` says that its link to `carrier` is up.
    pub(crate) fn is_served_beside(&self, own: &Incarnation, carrier: &CarrierName, now: Instant) -> bool {
        let known = self.known();
        let carrier = known.carriers.get(carrier);
        let mut runs = carrier.into_iter().flat_map(|carrier| &carrier.runs);
        runs.any(|(run, word)| run != own.as_str() && word.is_up && word.is_fresh(now))
    }

    /// Connectors that serve one of `carriers` at the moment, `own` among them. `None` = the log is silent.
    pub(crate) fn sharers(&self, own: &Incarnation, carriers: &[CarrierName], now: Instant) -> Option<u32> {
        let known = self.known();
        known.heard_at.filter(|at| now.duration_since(*at) <= LOG_SILENT)?;
        let served = carriers.iter().filter_map(|carrier| known.carriers.get(carrier));
        let runs = served.flat_map(|carrier| &carrier.runs);
        let fresh = runs.filter(|(_, word)| word.is_fresh(now)).map(|(run, _)| run.as_str());
        let all: BTreeSet<&str> = fresh.chain([own.as_str()]).collect();
        u32::try_from(all.len()).ok()
    }

    /// The carriers among those `named` and those ever spoken of that no connector speaks of, while others are heard: with
    /// nobody heard it may be the log that is silent, and nobody is there to take what would be handed back.
    pub(crate) fn forsaken(&self, named: impl IntoIterator<Item = CarrierName>, now: Instant) -> BTreeSet<CarrierName> {
        let known = self.known();
        if !known.is_listening(now) {
            return BTreeSet::new();
        }
        let is_forsaken = |name: &CarrierName| {
            let spoken_at = known.carriers.get(name).and_then(|carrier| carrier.spoken_at);
            spoken_at.is_none_or(|at| now.duration_since(at) >= SILENT)
        };
        let names = known.carriers.keys().cloned().chain(named);
        names.filter(is_forsaken).collect()
    }

    /// Follows the topic for ever.
    pub(crate) async fn follow(self, bus: Arc<dyn Bus>) {
        loop {
            if let Err(error) = self.listen(&*bus).await {
                if TOLD.is_due("carriers") {
                    warn!(%error, "cannot read how other connectors stand, trying again");
                }
                time::sleep(RETRY).await;
            }
        }
    }

    async fn listen(&self, bus: &dyn Bus) -> Result<(), ConsumeError> {
        let mut reader = bus.read(&topics::carriers(), Position::Start).await?;
        self.catch_up(&mut *reader).await?;
        loop {
            let records = reader.next(RECORDS_MAX).await?;
            let now = time::now();
            records
                .iter()
                .for_each(|stored| self.log_time.hear(UnixMs(stored.stored_at_ms), now));
            reports(&records).for_each(|report| self.hear(&report, now));
        }
    }

    async fn catch_up(&self, reader: &mut dyn Read) -> Result<(), ConsumeError> {
        loop {
            let records = reader.poll(RECORDS_MAX).await?;
            if records.is_empty() {
                return Ok(());
            }
            let mut known = self.known();
            for report in reports(&records) {
                known.carriers.entry(report.carrier).or_default();
            }
        }
    }

    /// Takes a word said just now.
    fn hear(&self, report: &CarrierReport, now: Instant) {
        let mut known = self.known();
        let was_silent = known.heard_at.is_none_or(|at| now.duration_since(at) > LOG_SILENT);
        known.listening_since = known.listening_since.filter(|_| !was_silent).or(Some(now));
        known.heard_at = Some(now);
        let carrier = known.carriers.entry(report.carrier.clone()).or_default();
        carrier.spoken_at = Some(now);
        carrier.runs.retain(|_, word| word.is_fresh(now));
        match report.state {
            LinkState::Up | LinkState::Down => {
                let word = Word {
                    is_up: report.state == LinkState::Up,
                    heard_at: now,
                };
                carrier.runs.insert(report.incarnation.clone(), word);
            }
            LinkState::Draining | LinkState::Gone => {
                carrier.runs.remove(&report.incarnation);
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Word {
    fn is_fresh(&self, now: Instant) -> bool {
        now.duration_since(self.heard_at) < SILENT
    }
}

impl Known {
    /// Whether words came for so long, and come still, that the silence of one connector means something.
    fn is_listening(&self, now: Instant) -> bool {
        let since = self.listening_since;
        since.is_some_and(|since| now.duration_since(since) >= SILENT)
            && self.heard_at.is_some_and(|at| now.duration_since(at) <= LOG_SILENT)
    }
}

/// The words of connectors among `records`.
fn reports(records: &[Stored]) -> impl Iterator<Item = CarrierReport> {
    records
        .iter()
        .filter_map(|stored| match record::carrier_word_from_bytes(&stored.value) {
            Ok(CarrierWord::Link(report)) => Some(*report),
            Ok(CarrierWord::Router(_)) => None,
            Err(error) => {
                debug!(%error, "a word about a carrier is not understood");
                None
            }
        })
}

#[cfg(test)]
mod tests;
