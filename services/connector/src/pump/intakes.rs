//! The pump's ends of its intakes: what was fetched, what may be fetched, what is acked.

use std::sync::Arc;

use bus::{Bus, Record};
use futures::FutureExt;
use service::{Deps, LogTime, Seldom, Tasks, Tracer, resume_panic};
use signalbox_proto::record::{self, DeadRecord};
use sms::Lane;
use tokio::sync::mpsc;
use tracing::warn;

use super::{OrderKey, Pump, Safe, Settings};
use crate::{
    intake::{self, Ask, Content, Ends, Fetched, Source},
    ledger::{BatchId, Ledger},
    metrics,
    outbox::Hurry,
    parts::Cutting,
    vitals::{LANES, Vitals},
};

/// Orders one intake may have fetched and the pump not claimed.
const FETCHED_MAX: usize = 500;
/// Orders of one intake that may be fetched and not acked, beside two windows of them: room for what waits for the log.
const OPEN_ROOM: usize = 2_000;
/// The most that an intake of whatever link may have fetched and not acked.
pub(crate) const OPEN_MAX: usize = 2 * crate::WINDOW_SLOTS_MAX as usize + OPEN_ROOM + 2 * FETCHED_MAX;

/// Records that cannot be used seldom come alone.
static UNUSABLE: Seldom = Seldom::new();

/// One record of the log, as it was read under one membership of its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub intake: usize,
    membership: u32,
    batch: BatchId,
}

/// The pump's end of an intake.
#[derive(Debug)]
pub(super) struct Intake {
    lane: Lane,
    /// Absent = its group was left.
    pub(super) asks: Option<mpsc::UnboundedSender<Ask>>,
    /// Membership of the group that the ledger is of.
    pub(super) membership: u32,
    ledger: Ledger,
    /// Records that may be fetched and were not granted yet.
    owed: usize,
}

/// Starts intakes, and joins the groups of carriers again that were left.
pub(super) struct Gate {
    bus: Arc<dyn Bus>,
    log_time: LogTime,
    tracer: Tracer,
    cutting: Cutting,
    vitals: Arc<Vitals>,
    /// Records of one intake that may be fetched before the first of them leaves the queue.
    owed: usize,
    to_pump: mpsc::UnboundedSender<Fetched>,
    tasks: Tasks,
}

impl Gate {
    /// A gate for the pump of `settings`, and the end at which it finds what is fetched.
    pub(super) fn new(settings: &Settings, deps: &Deps) -> (Self, mpsc::UnboundedReceiver<Fetched>) {
        let (to_pump, fetched) = mpsc::unbounded_channel();
        let gate = Self {
            bus: Arc::clone(&deps.bus),
            log_time: settings.log_time.clone(),
            tracer: deps.tracer.clone(),
            cutting: settings.cutting,
            vitals: Arc::clone(&settings.vitals),
            owed: FETCHED_MAX.min(settings.window as usize),
            to_pump,
            tasks: Tasks::new(),
        };
        (gate, fetched)
    }

    /// Joins the group of carrier number `number`: an intake for each lane.
    pub(super) fn join(&mut self, number: usize, membership: u32) -> [Intake; LANES] {
        let carrier = self.vitals.carriers()[number].clone();
        let mut lanes = Vec::with_capacity(LANES);
        let intakes = std::array::from_fn(|index| {
            let lane = Lane::ALL[index];
            let (asks, asked) = mpsc::unbounded_channel();
            let source = Source {
                index: number * LANES + index,
                membership,
                carrier: carrier.clone(),
                lane,
                cutting: self.cutting,
                log_time: self.log_time.clone(),
                tracer: self.tracer.clone(),
            };
            let ends = Ends {
                asks: asked,
                fetched: self.to_pump.clone(),
                vitals: Arc::clone(&self.vitals),
            };
            lanes.push((source, ends));
            Intake {
                lane,
                asks: Some(asks),
                membership,
                ledger: Ledger::default(),
                owed: self.owed,
            }
        });
        // Those of memberships that ended need nothing more.
        while let Some(ended) = self.tasks.join_next().now_or_never().flatten() {
            ended.unwrap_or_else(resume_panic);
        }
        self.tasks.spawn(intake::run_all(carrier, Arc::clone(&self.bus), lanes));
        intakes
    }

    /// Waits until every intake has acked what it was asked to; for when their ends in the pump are gone.
    pub(super) async fn closed(mut self) {
        self.tasks.join_all().await;
    }
}

impl Pump {
    /// Enters a batch and queues its orders. What was read before its group was left comes again to whoever reads it now.
    pub(super) fn on_fetched(&mut self, fetched: Fetched) {
        let intake = &mut self.intakes[fetched.intake];
        if intake.asks.is_none() || intake.membership != fetched.membership {
            return;
        }
        let batch = intake.ledger.open(fetched.delivered, fetched.records.len());
        let item = Item {
            intake: fetched.intake,
            membership: fetched.membership,
            batch,
        };
        let lane = intake.lane;
        for content in fetched.records {
            match content {
                Content::Order(ready) => {
                    self.settings.vitals.fetched(item.intake);
                    let parts = u32::try_from(ready.parts.len()).unwrap_or(u32::MAX);
                    self.waiting.push(lane, parts, (ready, item));
                }
                Content::Dead(key, dead) => self.bury(item, key, &dead),
            }
        }
    }

    /// Sets a record that is no order of its carrier aside for people.
    fn bury(&mut self, item: Item, key: u64, dead: &DeadRecord) {
        metrics::dead(&dead.topic, dead.fault.as_str());
        if UNUSABLE.is_due(dead.fault.as_str()) {
            let (topic, fault, reason) = (&dead.topic, dead.fault.as_str(), &dead.reason);
            warn!(link = %self.settings.link, topic, fault, reason, "a record is no order of this carrier, and there may be more");
        }
        let octets = record::dead_to_bytes(dead);
        self.outbox
            .push(&self.dead, Record::new(key, octets), Safe::Item(item), Hurry::No);
        self.intakes[item.intake].owed += 1;
    }

    /// An order left the queue: another may be fetched. False = its group was left, and it is somebody else's by now.
    pub(super) fn left_queue(&mut self, item: Item) -> bool {
        self.settings.vitals.left(item.intake);
        let is_ours = self.is_ours(item);
        if is_ours {
            self.intakes[item.intake].owed += 1;
        }
        is_ours
    }

    /// A record needs nothing more. One whose group was left is not ours to ack: it came again elsewhere.
    pub(super) fn item_done(&mut self, item: Item) {
        if self.is_ours(item) {
            self.intakes[item.intake].ledger.done(item.batch);
        }
    }

    fn is_ours(&self, item: Item) -> bool {
        let intake = &self.intakes[item.intake];
        intake.asks.is_some() && intake.membership == item.membership
    }

    /// Acks what is finished, and grants what there is room for.
    pub(super) fn settle_intakes(&mut self) {
        let open_max = 2 * self.settings.window as usize + OPEN_ROOM;
        for intake in &mut self.intakes {
            let Some(asks) = &intake.asks else { continue };
            let finished = intake.ledger.take_finished();
            // An intake that is gone has nothing left to ack to: the log is closed.
            if !finished.is_empty() {
                let _ = asks.send(Ask::Ack(finished));
            }
            if intake.owed > 0 && intake.ledger.records_open() < open_max {
                let _ = asks.send(Ask::Grant(std::mem::take(&mut intake.owed)));
            }
        }
    }

    pub(super) fn stop_intakes(&mut self) {
        for asks in self.intakes.iter().filter_map(|intake| intake.asks.as_ref()) {
            let _ = asks.send(Ask::Stop);
            // Whoever stands in for connectors must not keep their partitions from them.
            if self.settings.is_absent {
                let _ = asks.send(Ask::Resign);
            }
        }
    }

    /// The order of a record in short.
    pub(super) fn key_of(order: &journey::Order, item: Item) -> OrderKey {
        (order.message.id, order.number, item.intake)
    }
}
