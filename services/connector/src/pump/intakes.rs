//! The pump's ends of its intakes: what was fetched, what may be fetched, what is acked.

use std::sync::Arc;

use bus::Record;
use service::{Deps, Tasks};
use signalbox_proto::record::{self, DeadRecord};
use sms::Lane;
use tokio::sync::mpsc;
use tracing::warn;

use super::{OrderKey, Pump, Safe, Settings};
use crate::{
    intake::{self, Ask, Content, Ends, Fetched, Source},
    ledger::{BatchId, Ledger},
    metrics,
};

/// Orders one intake may have fetched and the pump not claimed.
const FETCHED_MAX: usize = 500;
/// Orders of one intake that may be fetched and not acked, beside two windows of them: room for what waits for the log.
const OPEN_ROOM: usize = 2_000;
/// The most that an intake of whatever link may have fetched and not acked.
pub(crate) const OPEN_MAX: usize = 2 * crate::WINDOW_SLOTS_MAX as usize + OPEN_ROOM + 2 * FETCHED_MAX;

/// One record of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub intake: usize,
    pub batch: BatchId,
}

/// The pump's end of an intake.
#[derive(Debug)]
pub(super) struct Intake {
    lane: Lane,
    topic: String,
    asks: mpsc::UnboundedSender<Ask>,
    ledger: Ledger,
    /// Records that may be fetched and were not granted yet.
    owed: usize,
}

/// Starts an intake for every lane of every carrier.
pub(super) fn start(
    settings: &Settings,
    deps: &Deps,
    tasks: &mut Tasks,
) -> (Vec<Intake>, mpsc::UnboundedReceiver<Fetched>) {
    let (to_pump, fetched) = mpsc::unbounded_channel();
    let mut intakes = Vec::new();
    for carrier in &settings.carriers {
        let mut lanes = Vec::new();
        for lane in Lane::ALL {
            let (asks, asked) = mpsc::unbounded_channel();
            let source = Source {
                index: intakes.len(),
                carrier: carrier.clone(),
                lane,
                concatenation: settings.concatenation,
                clock: deps.clock.clone(),
            };
            let ends = Ends {
                asks: asked,
                fetched: to_pump.clone(),
                vitals: Arc::clone(&settings.vitals),
            };
            lanes.push((source, ends));
            intakes.push(Intake {
                lane,
                topic: signalbox_proto::topics::dispatch(carrier, lane).as_str().to_owned(),
                asks,
                ledger: Ledger::default(),
                owed: FETCHED_MAX.min(settings.window as usize),
            });
        }
        tasks.spawn(intake::run_all(carrier.clone(), Arc::clone(&deps.bus), lanes));
    }
    (intakes, fetched)
}

impl Pump {
    /// Enters a batch and queues its orders.
    pub(super) fn on_fetched(&mut self, fetched: Fetched) {
        let intake = &mut self.intakes[fetched.intake];
        let batch = intake.ledger.open(fetched.delivered, fetched.records.len());
        let item = Item {
            intake: fetched.intake,
            batch,
        };
        let lane = intake.lane;
        for content in fetched.records {
            match content {
                Content::Order(ready) => {
                    self.settings.vitals.fetched(item.intake);
                    self.waiting.push(lane, (ready, item));
                }
                Content::Dead { key, octets, reason } => self.bury(item, key, octets, reason),
            }
        }
    }

    /// Sets a record that is no order aside for people.
    fn bury(&mut self, item: Item, key: u64, octets: bytes::Bytes, reason: String) {
        let topic = self.intakes[item.intake].topic.clone();
        warn!(link = %self.settings.link, topic, reason, "a record is no order of this carrier");
        metrics::dead(&self.settings.link);
        let dead = record::dead_to_bytes(&DeadRecord { topic, octets, reason });
        self.outbox.push(&self.dead, Record::new(key, dead), Safe::Item(item));
        self.intakes[item.intake].owed += 1;
    }

    /// An order left the queue: another may be fetched.
    pub(super) fn left_queue(&mut self, item: Item) {
        self.settings.vitals.left(item.intake);
        self.intakes[item.intake].owed += 1;
    }

    pub(super) fn item_done(&mut self, item: Item) {
        self.intakes[item.intake].ledger.done(item.batch);
    }

    /// Acks what is finished, and grants what there is room for.
    pub(super) fn settle_intakes(&mut self) {
        let open_max = 2 * self.settings.window as usize + OPEN_ROOM;
        for intake in &mut self.intakes {
            let finished = intake.ledger.take_finished();
            // An intake that is gone has nothing left to ack to: the log is closed.
            if !finished.is_empty() {
                let _ = intake.asks.send(Ask::Ack(finished));
            }
            if intake.owed > 0 && intake.ledger.records_open() < open_max {
                let _ = intake.asks.send(Ask::Grant(std::mem::take(&mut intake.owed)));
            }
        }
    }

    pub(super) fn stop_intakes(&mut self) {
        for intake in &self.intakes {
            let _ = intake.asks.send(Ask::Stop);
        }
    }

    /// The order of a record in short.
    pub(super) fn key_of(order: &journey::Order, item: Item) -> OrderKey {
        (order.message.id, order.number, item.intake)
    }
}
