//! When each message is due, and what it says: loads put together, fixed by the seed.

use std::{sync::Arc, time::Duration};

use super::spec::{Arrivals, Load, Scenario};
use crate::{
    customer::Timetable,
    stage::land,
    world::{Draws, Letter, Traffic, keyed, scaled},
};

/// Every message, in the order in which they are due.
#[derive(Debug)]
pub(super) struct Plan {
    loads: Vec<Load>,
    /// Since the start, in microseconds, and the load that it belongs to.
    due: Vec<(u64, u8)>,
}

impl Plan {
    /// The messages of `scenario`.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let mut due = Vec::new();
        for (number, load) in (0..).zip(&scenario.loads) {
            let draws = Draws::new(keyed(scenario.seed, &[b"arrivals", &[number]]));
            due.extend(Moments::of(load, draws).map(|at| (at.as_micros() as u64, number)));
        }
        due.sort_unstable();
        Self {
            loads: scenario.loads.clone(),
            due,
        }
    }

    /// Messages that `loads` make, by their rates.
    pub(super) fn messages(loads: &[Load]) -> f64 {
        loads.iter().map(messages).sum()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.due.len()
    }

    /// What the message at `place` belongs to.
    pub(super) fn load(&self, place: usize) -> &Load {
        &self.loads[usize::from(self.due[place].1)]
    }

    /// When the last one is due.
    pub(super) fn end(&self) -> Duration {
        self.due
            .last()
            .map_or(Duration::ZERO, |(at, _)| Duration::from_micros(*at))
    }
}

impl Timetable for Plan {
    fn due(&self, place: usize) -> Duration {
        Duration::from_micros(self.due[place].0)
    }

    fn due_within(&self, elapsed: Duration) -> usize {
        let elapsed = elapsed.as_micros() as u64;
        self.due.partition_point(|(at, _)| *at <= elapsed)
    }

    fn ttl(&self, place: usize) -> Duration {
        self.load(place).ttl
    }
}

fn messages(load: &Load) -> f64 {
    let seconds = (load.span.until.saturating_sub(load.span.from)).as_secs_f64();
    (load.rate[0] + load.rate[1]) / 2.0 * seconds
}

/// The moments at which messages of a load are due.
struct Moments<'a> {
    load: &'a Load,
    draws: Draws,
    /// Messages that the rate makes up to the next one, which is no whole number where chance has a hand in it.
    count: f64,
    number: u64,
}

impl<'a> Moments<'a> {
    fn of(load: &'a Load, draws: Draws) -> Self {
        let mut moments = Self {
            load,
            draws,
            count: 0.0,
            number: 0,
        };
        if load.arrivals == Arrivals::Poisson {
            moments.count = moments.wait();
        }
        moments
    }

    /// A wait by chance, where one is the mean.
    fn wait(&mut self) -> f64 {
        // More than 0 and at most 1.
        let die = ((self.draws.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -die.ln()
    }

    /// When the rate has made `count` messages.
    fn at(&self, count: f64) -> Duration {
        let span = self.load.span;
        let seconds = (span.until - span.from).as_secs_f64();
        let [first, last] = self.load.rate;
        // Of first × t + growth × t² ÷ 2 = count, written so that nothing is divided by a growth of zero.
        let growth = (last - first) / seconds;
        let root = (first * first + 2.0 * growth * count).max(0.0).sqrt();
        let at = if count > 0.0 { 2.0 * count / (first + root) } else { 0.0 };
        span.from + Duration::from_secs_f64(at.min(seconds))
    }
}

impl Iterator for Moments<'_> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        if self.count >= messages(self.load) {
            return None;
        }
        let at = self.at(self.count);
        self.number += 1;
        self.count = match self.load.arrivals {
            Arrivals::Even => self.number as f64,
            Arrivals::Poisson => self.count + self.wait(),
            Arrivals::Bursts(size) => (self.number - self.number % u64::from(size)) as f64,
        };
        Some(at)
    }
}

/// What the messages of a plan say, in order: the same each time.
pub(super) struct Letters {
    plan: Arc<Plan>,
    traffic: Traffic,
    seed: u64,
    networks: u64,
    place: usize,
}

impl Letters {
    /// Those of `plan`, to the networks of the carriers of `scenario`.
    ///
    /// # Errors
    /// The texts in the repository were edited and no longer hold together.
    pub(super) fn new(plan: Arc<Plan>, scenario: &Scenario) -> anyhow::Result<Self> {
        Ok(Self {
            plan,
            traffic: Traffic::new(scenario.seed)?,
            seed: scenario.seed,
            networks: scenario.carriers.len() as u64,
            place: 0,
        })
    }

    fn letter(&mut self, place: usize) -> anyhow::Result<Letter> {
        let load = self.plan.load(place);
        let draw = |what: &[u8], bound| scaled(keyed(self.seed, &[what, &place.to_le_bytes()]), bound) as usize;
        let network = draw(b"network", self.networks);
        let mut letter = match &load.text {
            Some(text) => Letter {
                text: text.clone(),
                ..self.traffic.of_class(load.class)?
            },
            None => {
                let segments = load.segments[draw(b"segments", load.segments.len() as u64)];
                land::of_parts(&mut self.traffic, load.class, segments)?
            }
        };
        land::address(&mut letter, place, network)?;
        Ok(letter)
    }
}

impl Iterator for Letters {
    type Item = anyhow::Result<Letter>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.place;
        self.place += 1;
        (place < self.plan.len()).then(|| self.letter(place))
    }
}

#[cfg(test)]
mod tests;
