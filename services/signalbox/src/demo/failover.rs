//! How fast messages leave a carrier that dies, by the router's books and the logs of the carriers.
//!
//! The router learns of the death at once, as the connection is cut, so times count from the kill.

use std::time::Duration;

use anyhow::Context as _;
use hdrhistogram::Histogram;
use journey::{Attempt, TerminalEvent};
use signalbox_loadtest::{
    stage::{Arrivals, Books},
    world::Letter,
};
use sms::{CarrierName, Class, UnixMs, UnixUs};

use super::{check::tell, drive::Trip, stage::Scene};

/// So long after its death a carrier may still be ordered to send something.
const ORDERED_MAX: Duration = Duration::from_secs(1);
/// By then 99 of 100 passwords are with the next carrier.
const MOVED_P99_MAX: Duration = Duration::from_secs(2);

/// What became of the messages that the dead carrier was ordered to send and did not say it took.
pub(super) struct Failover {
    dead: CarrierName,
    killed_at: UnixMs,
    revived_at: UnixMs,
    /// Orders issued to it while it was dead.
    ordered: u64,
    /// How long after its death the last of them was issued, in milliseconds.
    ordered_last: u64,
    /// Messages that were ordered too long after its death.
    too_late: Vec<String>,
    /// Messages that it had been sent, as far as anybody knows: their answer is lost.
    unanswered: u64,
    /// From its death, or from the order where that is later, until the next carrier wrote a password down, in milliseconds.
    moved: Histogram<u64>,
    /// The same of the campaign: it waits for room at the next carrier, and is handed back at a bounded rate.
    moved_later: Histogram<u64>,
    /// Messages that no other carrier wrote down.
    stranded: Vec<String>,
}

impl Failover {
    /// Follows every message that was with the carrier that died.
    ///
    /// # Errors
    /// No carrier was killed on this trip.
    pub(super) fn measure(scene: &Scene, trip: &Trip, books: &Books) -> anyhow::Result<Self> {
        let (dead, killed_at, revived_at) = trip.dark.clone().context("no carrier was killed")?;
        let mut failover = Self {
            dead,
            killed_at,
            revived_at,
            ordered: 0,
            ordered_last: 0,
            too_late: Vec::new(),
            unanswered: 0,
            moved: Histogram::new(3)?,
            moved_later: Histogram::new(3)?,
            stranded: Vec::new(),
        };
        let arrivals = scene.arrivals();
        for (id, end) in &books.ends {
            if let Some(letter) = trip.accepted.get(id) {
                failover.follow(id, end, letter, &arrivals)?;
            }
        }
        Ok(failover)
    }

    fn follow(&mut self, id: &str, end: &TerminalEvent, letter: &Letter, arrivals: &Arrivals) -> anyhow::Result<()> {
        let was_dead = self.killed_at..self.revived_at;
        let is_dead = |attempt: &Attempt| attempt.carrier == self.dead;
        let orders = end.attempts.iter().filter(|attempt| is_dead(attempt));
        for order in orders.filter(|order| was_dead.contains(&order.issued_at)) {
            let after = order.issued_at.since(self.killed_at);
            self.ordered += 1;
            self.ordered_last = self.ordered_last.max(after.as_millis() as u64);
            if after > ORDERED_MAX {
                self.too_late.push(format!("{id} after {} ms", after.as_millis()));
            }
        }
        let is_left = |attempt: &Attempt| {
            let outcome = &*attempt.answer.outcome;
            is_dead(attempt) && outcome != "accepted" && attempt.issued_at < self.revived_at
        };
        let Some(place) = end.attempts.iter().position(is_left) else {
            return Ok(());
        };
        let order = &end.attempts[place];
        let since = order.issued_at.max(self.killed_at);
        let next = end.attempts[place..].iter().filter(|attempt| !is_dead(attempt));
        let arrived = next
            .filter_map(|attempt| arrivals.first(&attempt.carrier, letter.to.digits(), since))
            .map(UnixUs::millis)
            .min();
        self.unanswered += u64::from(&*order.answer.outcome == "unknown");
        match arrived {
            Some(at) if letter.class == Class::Otp => self.moved.record(at.0 - since.0)?,
            Some(at) => self.moved_later.record(at.0 - since.0)?,
            None => self.stranded.push(format!("{id} {}", end.state.as_str())),
        }
        Ok(())
    }

    /// Limits that did not hold; empty = all did.
    pub(super) fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let what = format!("orders to {} later than {ORDERED_MAX:?} after its death", self.dead);
        tell(&mut broken, &what, &self.too_late);
        tell(&mut broken, "messages that no other carrier took over", &self.stranded);
        let p99 = Duration::from_millis(self.moved.value_at_quantile(0.99));
        if p99 > MOVED_P99_MAX {
            broken.push(format!(
                "the p99 until the next carrier had a message is {p99:?}, over {MOVED_P99_MAX:?}"
            ));
        }
        if self.moved.is_empty() {
            broken.push(format!(
                "{} had no message when it died: nothing was measured",
                self.dead
            ));
        }
        broken
    }

    /// Says what was measured, and which limits did not hold.
    pub(super) fn print(&self) {
        let Self { dead, moved, .. } = self;
        println!();
        println!(
            "orders issued to {dead} while it was dead: {}, the last one {} ms after its death; later than {ORDERED_MAX:?}: {}",
            self.ordered,
            self.ordered_last,
            self.too_late.len()
        );
        println!(
            "messages that {dead} was to send and did not say it took: {}, of which {} had been sent and not answered",
            moved.len() + self.moved_later.len() + self.stranded.len() as u64,
            self.unanswered
        );
        println!("from its death to the next carrier (limit of the passwords' p99: {MOVED_P99_MAX:?})");
        for (what, moved) in [("passwords", moved), ("campaign", &self.moved_later)] {
            let at = |quantile| moved.value_at_quantile(quantile);
            println!(
                "  {what:<10} p50 {:>6} ms, p99 {:>6} ms, slowest {:>6} ms (messages: {})",
                at(0.5),
                at(0.99),
                moved.max(),
                moved.len()
            );
        }
        for limit in self.broken() {
            println!("LIMIT BROKEN: {limit}");
        }
    }
}
