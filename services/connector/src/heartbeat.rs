//! Says how every carrier stands, each second and at once when a link changes, so that routers know without asking.
//!
//! It reads what pumps and intakes count in passing and publishes beside them: no order ever waits for it. While the log is
//! away a heartbeat is dropped; the next one says more anyway.

use std::{sync::Arc, time::Duration};

use bus::{Bus, PublishError, Record};
use journey::{Binds, CarrierReport, LaneLoad, LinkState};
use service::{
    Clock,
    time::{self, Instant},
};
use signalbox_proto::{record, topics};
use sms::UnixMs;
use tokio::sync::Notify;
use tracing::debug;

use crate::{
    Incarnation, LinkConfig,
    meter::{LanePace, Pace},
    metrics,
    vitals::{LANES, Vitals},
};

/// How often each carrier is spoken of.
pub const HEARTBEAT: Duration = Duration::from_secs(1);
/// Longest wait for the log to take one.
const BEAT_LIMIT: Duration = Duration::from_secs(2);

/// One link as the heartbeat sees it.
pub(crate) struct Pulse {
    link: String,
    /// Connections that the link keeps; 0 = none of its own.
    binds: u32,
    vitals: Arc<Vitals>,
    /// Segments of each carrier.
    taken: Vec<Pace>,
    /// One for each intake.
    lanes: Vec<LanePace>,
    /// The state that was spoken of last.
    told: Option<LinkState>,
}

/// The heartbeat of one connector.
pub(crate) struct Heart {
    bus: Arc<dyn Bus>,
    clock: Clock,
    incarnation: Incarnation,
    /// Names its words across restarts; absent = the run does.
    instance: Option<String>,
    news: Arc<Notify>,
    pulses: Vec<Pulse>,
    counted_at: Instant,
}

impl Pulse {
    pub(crate) fn new(link: &LinkConfig, vitals: Arc<Vitals>) -> Self {
        let carriers = vitals.carriers().len();
        Self {
            link: link.name.clone(),
            binds: link.connections(),
            taken: std::iter::repeat_with(Pace::default).take(carriers).collect(),
            lanes: std::iter::repeat_with(LanePace::default)
                .take(carriers * LANES)
                .collect(),
            vitals,
            told: None,
        }
    }

    fn count(&mut self, span: Duration) {
        for (carrier, taken) in self.taken.iter_mut().enumerate() {
            taken.count(span, self.vitals.taken(carrier));
        }
        let is_moving = self.vitals.is_moving();
        for (intake, lane) in self.lanes.iter_mut().enumerate() {
            lane.count(span, self.vitals.queue(intake), is_moving);
        }
    }

    /// What there is to say of every carrier of the link.
    fn reports(&self, incarnation: &Incarnation, now: UnixMs) -> Vec<CarrierReport> {
        let ((state, since), (window_slots, window_used)) = (self.vitals.state(), self.vitals.window());
        let rate_limit = self.vitals.rate_limit();
        let (is_up, is_moving) = (state == LinkState::Up, self.vitals.is_moving());
        let load = |intake: usize| {
            let queue = self.vitals.queue(intake);
            let wait = self.lanes[intake].wait(queue, rate_limit).filter(|_| is_moving);
            LaneLoad {
                orders: queue.orders,
                wait,
            }
        };
        let report = |(number, carrier): (usize, &sms::CarrierName)| CarrierReport {
            carrier: carrier.clone(),
            incarnation: incarnation.as_str().to_owned(),
            link: self.link.clone(),
            state,
            since,
            said_at: now,
            binds: (self.binds > 0).then_some(Binds {
                up: if is_up { self.vitals.binds(self.binds) } else { 0 },
                wanted: self.binds,
            }),
            window_slots,
            window_used,
            rate_limit,
            taken_per_second: self.taken[number].per_second(),
            lanes: std::array::from_fn(|lane| load(number * LANES + lane)),
        };
        self.vitals.carriers().iter().enumerate().map(report).collect()
    }
}

impl Heart {
    /// Speaks of `pulses`, whose vitals tell `news`.
    pub(crate) fn new(
        deps: &service::Deps,
        incarnation: Incarnation,
        instance: Option<String>,
        news: Arc<Notify>,
        pulses: Vec<Pulse>,
    ) -> Self {
        Self {
            bus: Arc::clone(&deps.bus),
            clock: deps.clock.clone(),
            incarnation,
            instance,
            news,
            pulses,
            counted_at: time::now(),
        }
    }

    /// Speaks until every link is gone, and says that too.
    pub(crate) async fn run(mut self) {
        let mut tick = time::every(HEARTBEAT);
        let mut is_due = true;
        while !self.pulses.is_empty() {
            self.beat(is_due).await;
            self.pulses.retain(|pulse| pulse.told != Some(LinkState::Gone));
            if self.pulses.is_empty() {
                return;
            }
            is_due = tokio::select! {
                biased;
                () = self.news.notified() => false,
                _ = tick.tick() => {
                    self.count();
                    true
                }
            };
        }
    }

    fn count(&mut self) {
        let now = time::now();
        let span = now.duration_since(self.counted_at);
        self.counted_at = now;
        for pulse in &mut self.pulses {
            pulse.count(span);
            metrics::vitals(&pulse.link, &pulse.vitals);
        }
    }

    /// Speaks of every link if it `is_due`, else of those that changed.
    async fn beat(&mut self, is_due: bool) {
        let (mut records, now) = (Vec::new(), self.clock.now());
        for pulse in &mut self.pulses {
            let reports = pulse.reports(&self.incarnation, now);
            let state = reports.first().map(|report| report.state);
            if is_due || pulse.told != state {
                let instance = self.instance.as_deref().unwrap_or(self.incarnation.as_str());
                records.extend(reports.iter().map(|report| {
                    let key = record::carrier_key(&report.carrier, instance);
                    Record::new(key.0, record::carrier_to_bytes(report))
                }));
            }
            pulse.told = state;
        }
        if records.is_empty() {
            return;
        }
        match time::timeout(BEAT_LIMIT, publish(&*self.bus, records)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => debug!(%error, "a heartbeat was dropped"),
            None => debug!("the log did not take a heartbeat in time"),
        }
    }
}

async fn publish(bus: &dyn Bus, records: Vec<Record>) -> Result<(), PublishError> {
    bus.publish(&topics::carriers(), records).await?.await
}

#[cfg(test)]
mod tests;
