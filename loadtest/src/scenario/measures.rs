//! What a run did, by class: from the timetable, the ids, the carriers' logs and what the customer was told.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use hdrhistogram::Histogram;
use journey::TerminalEvent;
use serde::{Deserialize, Serialize};
use signalbox_proto::pb::signalbox::ingest::v1::MessageState;
use sms::{CarrierName, Class, UnixUs};

use super::{
    plan::Plan,
    spec::{Figure, Scenario},
};
use crate::{
    customer::{Ledger, Timetable as _},
    hops::{Hop, Hops},
    oracle::Take,
    stage::taken,
    submit::{Latency, histogram},
};

/// What counts as the time of what never came.
const NEVER: Duration = Duration::from_secs(3_600);
/// What all classes together are called.
pub(super) const ALL: &str = "all";

/// Figures of a run as it goes through the books.
pub(super) struct Measures<'a> {
    scenario: &'a Scenario,
    plan: &'a Plan,
    ledger: &'a Ledger,
    /// The carriers, by their place in the books.
    carriers: Vec<CarrierName>,
    /// By class, in lane order, and then all together.
    kinds: [Kind; Class::ALL.len() + 1],
    hops: Hops,
}

/// Messages of one class, or all.
#[derive(Debug)]
struct Kind {
    sent: u64,
    delivered: u64,
    to_accepted: Histogram<u64>,
    to_carrier: Histogram<u64>,
    to_receipt: Histogram<u64>,
    /// When the first was due, and the customer was told of the last that was delivered.
    first_due: Option<Duration>,
    last_told: Duration,
    seconds: Vec<Second>,
    /// Microseconds from due to the carrier, of messages due in each second.
    waits: Vec<Vec<u64>>,
}

/// One second of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Messages that were due in it.
    pub due: u64,
    /// Messages that were accepted in it.
    pub accepted: u64,
    /// Messages that carriers had in it for the first time.
    pub carried: u64,
    /// Messages of which the customer was told in it that they are delivered.
    pub delivered: u64,
    /// Of the messages due in it: the slowest of a hundred, from due to the carrier, in milliseconds; absent = no carrier had any.
    pub p99_ms: Option<f64>,
}

/// What became of the messages of one class, or of all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Messages that were submitted, once warm.
    pub sent: u64,
    /// Of them those that were delivered.
    pub delivered: u64,
    /// Messages delivered a second.
    pub per_second: f64,
    /// From when a message was due until it was accepted, which is durable.
    pub to_accepted: Latency,
    /// From when it was due until a carrier had it; one that no carrier ever had counts as an hour.
    pub to_carrier: Latency,
    /// From when it was due until the customer was told that it is delivered, of those that were; an hour if none was.
    pub to_receipt: Latency,
    /// Every second, those before it was warm too.
    pub seconds: Vec<Second>,
}

impl<'a> Measures<'a> {
    /// Of the messages of `plan`, and what the customer knows of them; carriers have the places of their `logs`.
    pub(super) fn new(
        scenario: &'a Scenario,
        plan: &'a Plan,
        ledger: &'a Ledger,
        logs: &[(CarrierName, PathBuf)],
    ) -> Self {
        let seconds = scenario.length.as_secs_f64().ceil() as usize;
        let mut measures = Self {
            scenario,
            plan,
            ledger,
            carriers: logs.iter().map(|(carrier, _)| carrier.clone()).collect(),
            kinds: std::array::from_fn(|_| Kind::new(seconds)),
            hops: Hops::default(),
        };
        for place in 0..ledger.entries.len() {
            measures.note_sent(place);
        }
        measures
    }

    /// The message at `place`, by what the customer knows.
    fn note_sent(&mut self, place: usize) {
        let (due, entry) = (self.plan.due(place), self.ledger.entries[place]);
        let is_warm = due >= self.scenario.warm_up;
        let is_delivered = entry.id.is_some() && entry.end == Some(MessageState::Delivered);
        let accepted = entry.id.map(|id| self.since_start(id.precise_instant()));
        for kind in self.kinds_of(place) {
            kind.second(due).due += 1;
            if let Some(accepted) = accepted {
                kind.second(accepted).accepted += 1;
            }
            if is_delivered {
                kind.second(entry.told).delivered += 1;
            }
            if is_warm {
                kind.sent += 1;
                kind.first_due = kind.first_due.or(Some(due));
                accepted
                    .iter()
                    .for_each(|accepted| record(&mut kind.to_accepted, due, *accepted));
            }
            if is_warm && is_delivered {
                kind.delivered += 1;
                kind.last_told = kind.last_told.max(entry.told);
                record(&mut kind.to_receipt, due, entry.told);
            }
        }
    }

    /// The message at `place` ended so, after carriers took that of it.
    pub(super) fn note(&mut self, place: usize, end: &TerminalEvent, takes: &[Take]) {
        let Some(first) = takes.iter().map(|take| take.at).min() else {
            return;
        };
        let (due, at) = (self.plan.due(place), self.since_start(first));
        let is_warm = due >= self.scenario.warm_up;
        for kind in self.kinds_of(place) {
            kind.second(at).carried += 1;
            kind.waits[due.as_secs() as usize].push(micros(at.saturating_sub(due)));
            if is_warm {
                record(&mut kind.to_carrier, due, at);
            }
        }
        let Some(attempt) = taken(end).filter(|_| is_warm) else {
            return;
        };
        let carrier = self.carriers.iter().position(|carrier| *carrier == attempt.carrier);
        let of_it = takes.iter().filter(|take| Some(usize::from(take.carrier)) == carrier);
        if let Some(arrived) = of_it.map(|take| take.at).min() {
            self.hops.note(end, attempt, arrived);
        }
    }

    /// The class of the message at `place`, and all.
    fn kinds_of(&mut self, place: usize) -> impl Iterator<Item = &mut Kind> {
        let class = self.plan.load(place).class;
        let names = Class::ALL.into_iter().map(Some).chain([None]);
        let kinds = self.kinds.iter_mut().zip(names);
        kinds
            .filter(move |(_, name)| name.is_none_or(|name| name == class))
            .map(|(kind, _)| kind)
    }

    fn since_start(&self, at: UnixUs) -> Duration {
        Duration::from_micros(at.0.saturating_sub(self.ledger.start_at.0))
    }

    /// Where messages were, once warm.
    pub(super) fn hops(&self) -> Vec<Hop> {
        self.hops.told()
    }

    /// What became of the messages of each class that there was, and of all.
    pub(super) fn told(self) -> BTreeMap<String, Measured> {
        let names = Class::ALL.iter().map(|class| class.as_str()).chain([ALL]);
        let there = names
            .zip(self.kinds)
            .filter(|(_, kind)| kind.seconds.iter().any(|second| second.due > 0));
        there.map(|(name, kind)| (name.to_owned(), kind.told())).collect()
    }
}

impl Kind {
    fn new(seconds: usize) -> Self {
        Self {
            sent: 0,
            delivered: 0,
            to_accepted: histogram(),
            to_carrier: histogram(),
            to_receipt: histogram(),
            first_due: None,
            last_told: Duration::ZERO,
            seconds: vec![Second::default(); seconds],
            // A message may be due at the very end.
            waits: vec![Vec::new(); seconds + 1],
        }
    }

    fn second(&mut self, at: Duration) -> &mut Second {
        let second = at.as_secs() as usize;
        if self.seconds.len() <= second {
            self.seconds.resize(second + 1, Second::default());
        }
        &mut self.seconds[second]
    }

    fn told(mut self) -> Measured {
        for _ in self.to_carrier.len()..self.sent {
            record(&mut self.to_carrier, Duration::ZERO, NEVER);
        }
        if self.delivered == 0 {
            record(&mut self.to_receipt, Duration::ZERO, NEVER);
        }
        for (second, waits) in self.seconds.iter_mut().zip(&mut self.waits) {
            waits.sort_unstable();
            // The nearest rank.
            let slowest = waits.get((waits.len() * 99).div_ceil(100).saturating_sub(1));
            second.p99_ms = slowest.map(|wait| *wait as f64 / 1_000.0);
        }
        let span = self.last_told.saturating_sub(self.first_due.unwrap_or_default());
        let per_second = self.delivered as f64 / span.as_secs_f64();
        Measured {
            sent: self.sent,
            delivered: self.delivered,
            per_second: if per_second.is_finite() { per_second } else { 0.0 },
            to_accepted: Latency::of(&self.to_accepted),
            to_carrier: Latency::of(&self.to_carrier),
            to_receipt: Latency::of(&self.to_receipt),
            seconds: self.seconds,
        }
    }
}

impl Measured {
    /// One of the figures; `None` = it is none of messages.
    pub(super) fn figure(&self, figure: Figure) -> Option<f64> {
        match figure {
            Figure::Throughput => Some(self.per_second),
            Figure::Delivered => Some(self.delivered as f64 / self.sent.max(1) as f64),
            Figure::P50 => Some(self.to_carrier.p50_ms),
            Figure::P99 => Some(self.to_carrier.p99_ms),
            Figure::ReceiptP99 => Some(self.to_receipt.p99_ms),
            Figure::Memory => None,
        }
    }
}

fn record(times: &mut Histogram<u64>, from: Duration, to: Duration) {
    times.saturating_record(micros(to.saturating_sub(from)));
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
