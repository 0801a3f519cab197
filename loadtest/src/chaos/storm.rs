//! The faults: begun when they are due, ended when they have held long enough, and whoever ends by itself meanwhile started again.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use service::{Clock, Tasks, time, time::Instant};
use sms::UnixUs;

use super::{
    enclave::{cut_off, let_in},
    fault::{Draws, Kind, Prey},
    relay::Mode,
    rig::{OF_EACH_ROLE, Rig},
};
use crate::stage::Part;

/// How often it is looked at who has ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Pause before a process is started again that ended by itself.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// Longest wait for the end of all faults: a broker that starts, a process that drains.
const CALM_TIMEOUT: Duration = Duration::from_secs(120);
/// A slow disk stands still for so long, and then moves for so long, over and over.
const DISK_STILL: Duration = Duration::from_millis(200);
const DISK_MOVES: Duration = Duration::from_millis(50);
/// Exit code of a process that drained and left work, which others are given.
const LEFT_BEHIND: i32 = 1;
/// Draws until a fault is found whose prey is whole.
const DRAWS_MAX: usize = 100;

/// A fault that was.
#[derive(Clone, Debug)]
pub(super) struct Struck {
    pub(super) kind: Kind,
    pub(super) target: String,
    pub(super) at: UnixUs,
    /// When it ended; for a process that was started again, when that began. `None` = not yet.
    pub(super) ended_at: Option<UnixUs>,
}

/// The fault that an order met that was issued at `at`: the latest that held then, else the next one.
pub(super) fn blamed(struck: &[Struck], at: UnixUs) -> Option<usize> {
    let holds = |fault: &Struck| fault.at <= at && fault.ended_at.is_none_or(|ended| at <= ended);
    let latest = struck.iter().rposition(holds);
    latest.or_else(|| struck.iter().position(|fault| fault.at > at))
}

/// A process that ended, and nobody had asked it to.
#[derive(Clone, Debug)]
pub(super) struct Died {
    pub(super) name: String,
    pub(super) at: UnixUs,
    pub(super) how: String,
}

/// A fault that holds.
struct Injury {
    /// Its place among all that were.
    number: usize,
    /// When it shall end; `None` = it is about to, by itself.
    until: Option<Instant>,
    part: Option<Part>,
}

/// Faults under way.
pub(super) struct Storm<'a> {
    rig: &'a mut Rig,
    draws: Draws,
    injuries: Vec<Injury>,
    work: Tasks<(usize, anyhow::Result<()>)>,
    restarts: Vec<(Instant, Part)>,
    pub(super) struck: Vec<Struck>,
    pub(super) died: Vec<Died>,
    /// Drains that were not in good order.
    pub(super) undrained: Vec<String>,
    /// Drains that left work for others, where something else had been broken: they say so, and may.
    pub(super) left_behind: usize,
    tell: bool,
}

impl<'a> Storm<'a> {
    pub(super) fn new(rig: &'a mut Rig, draws: Draws, tell: bool) -> Self {
        Self {
            rig,
            draws,
            injuries: Vec::new(),
            work: Tasks::new(),
            restarts: Vec::new(),
            struck: Vec::new(),
            died: Vec::new(),
            undrained: Vec::new(),
            left_behind: 0,
            tell,
        }
    }

    /// Begins a fault every `every` for `span`.
    ///
    /// # Errors
    /// A fault could not be begun or ended: what that says is not about the router.
    pub(super) async fn blow(&mut self, every: Duration, span: Duration) -> anyhow::Result<()> {
        let start = time::now();
        let mut next = start;
        while start.elapsed() < span {
            if time::now() >= next {
                next += every;
                self.strike().await?;
            }
            self.look().await?;
            time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Ends all faults, and waits until they have ended.
    ///
    /// # Errors
    /// As of [`Storm::blow`], or one does not end.
    pub(super) async fn calm(&mut self) -> anyhow::Result<()> {
        let until = time::now() + CALM_TIMEOUT;
        for injury in self.injuries.iter_mut().filter(|injury| injury.until.is_some()) {
            injury.until = Some(time::now());
        }
        while !self.injuries.is_empty() || !self.restarts.is_empty() {
            anyhow::ensure!(time::now() < until, "faults do not end: {}", self.hurt().join(", "));
            self.look().await?;
            time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Looks once after whoever ended by itself.
    ///
    /// # Errors
    /// As of [`Storm::blow`].
    pub(super) async fn look(&mut self) -> anyhow::Result<()> {
        let now = time::now();
        let due = |injury: &Injury| injury.until.is_some_and(|until| until <= now);
        while let Some(place) = self.injuries.iter().position(due) {
            let injury = self.injuries.remove(place);
            self.heal(injury).await?;
        }
        while let Some((number, done)) = self.finished().await? {
            done.with_context(|| format!("{} {}", self.struck[number].kind.word(), self.struck[number].target))?;
            // The half of it that began it, or the one that ended it.
            if let Some(place) = self
                .injuries
                .iter()
                .position(|injury| injury.number == number && injury.until.is_none())
            {
                self.injuries.remove(place);
                self.ended(number);
            }
        }
        self.look_at_processes()
    }

    async fn finished(&mut self) -> anyhow::Result<Option<(usize, anyhow::Result<()>)>> {
        match time::timeout(Duration::ZERO, self.work.join_next()).await.flatten() {
            Some(done) => Ok(Some(done.context("a fault panicked")?)),
            None => Ok(None),
        }
    }

    fn look_at_processes(&mut self) -> anyhow::Result<()> {
        let now = time::now();
        for (part, status) in self.rig.cast.take_ended()? {
            let drained = self.injuries.iter().position(|injury| {
                injury.part.as_ref().is_some_and(|hurt| hurt.name == part.name)
                    && self.struck[injury.number].kind == Kind::Drain
            });
            if let Some(place) = drained {
                let injury = self.injuries.remove(place);
                let is_alone = self.struck.iter().all(|struck| struck.kind == Kind::Drain);
                match status.code() {
                    Some(0) => {}
                    Some(LEFT_BEHIND) if !is_alone => self.left_behind += 1,
                    _ => self.undrained.push(format!("{} drained with {status}", part.name)),
                }
                self.rig.cast.launch(part)?;
                self.ended(injury.number);
                continue;
            }
            self.died.push(Died {
                name: part.name.clone(),
                at: Clock::wall().precisely(),
                how: status.to_string(),
            });
            self.say(&format!("{} ended by itself: {status}", part.name));
            self.restarts.push((now + RESTART_PAUSE, part));
        }
        while let Some(place) = self.restarts.iter().position(|(at, _)| *at <= now) {
            let (_, part) = self.restarts.remove(place);
            self.rig.cast.launch(part)?;
        }
        Ok(())
    }

    async fn strike(&mut self) -> anyhow::Result<()> {
        for _ in 0..DRAWS_MAX {
            let Some((kind, choice, span)) = self.draws.next() else {
                return Ok(());
            };
            let hurt = self.hurt();
            let whole: Vec<_> = self
                .preys(kind)
                .into_iter()
                .filter(|prey| !hurt.contains(prey))
                .collect();
            // Of three brokers one may be away, and of two connectors one.
            let is_enough = match kind.prey() {
                Prey::Broker => whole.len() < 3,
                Prey::Connector => whole.len() < OF_EACH_ROLE,
                _ => whole.is_empty(),
            };
            if is_enough {
                continue;
            }
            let place = match kind {
                // In turn, so that each is drained as often as the others.
                Kind::Drain => self.struck.iter().filter(|struck| struck.kind == Kind::Drain).count(),
                _ => (choice % whole.len() as u64) as usize,
            };
            let target = whole[place % whole.len()].clone();
            return self.begin(kind, target, span).await;
        }
        Ok(())
    }

    /// What is hurt just now.
    fn hurt(&self) -> Vec<String> {
        let injured = self
            .injuries
            .iter()
            .map(|injury| self.struck[injury.number].target.clone());
        injured
            .chain(self.restarts.iter().map(|(_, part)| part.name.clone()))
            .collect()
    }

    /// Everybody that `kind` may hit.
    fn preys(&self, kind: Kind) -> Vec<String> {
        match kind.prey() {
            Prey::Process => self.rig.parts.iter().map(|part| part.name.clone()).collect(),
            Prey::Connector => {
                let connectors = self.rig.parts.iter().filter(|part| part.role == "connector");
                connectors.map(|part| part.name.clone()).collect()
            }
            Prey::Link => self
                .rig
                .carriers
                .iter()
                .map(|carrier| carrier.name.to_string())
                .collect(),
            Prey::Broker => (0..3).map(|number| format!("broker-{number}")).collect(),
            Prey::Redis => vec!["redis".to_owned()],
            Prey::Disk => vec!["disk".to_owned()],
        }
    }

    async fn begin(&mut self, kind: Kind, target: String, span: Duration) -> anyhow::Result<()> {
        let number = self.struck.len();
        self.say(&format!("{} {target}, for {} ms", kind.word(), span.as_millis()));
        self.struck.push(Struck {
            kind,
            target: target.clone(),
            at: Clock::wall().precisely(),
            ended_at: None,
        });
        let part = self.rig.parts.iter().find(|part| part.name == target).cloned();
        let mut until = Some(time::now() + span);
        match kind {
            Kind::Kill | Kind::Lose => drop(self.rig.cast.kill(&target).await?),
            Kind::Freeze => self.rig.cast.signal(&target, "STOP").await?,
            Kind::Drain => {
                self.rig.cast.signal(&target, "TERM").await?;
                until = None;
            }
            Kind::NetCut => cut_off(user(&part)?)?,
            Kind::LinkCut => self.wire(&target, Mode::Cut),
            Kind::LinkHalfOpen => self.wire(&target, Mode::HalfOpen),
            Kind::LinkStall => self.wire(&target, Mode::Stalled),
            Kind::Broker => {
                let (kafka, broker) = (self.kafka()?, broker(&target)?);
                self.aside(number, move || Ok(kafka.kill(broker)?));
            }
            Kind::RedisRestart => {
                let redis = self.redis()?;
                self.aside(number, move || Ok(redis.kill()?));
            }
            Kind::RedisEmptied => {
                let redis = self.redis()?;
                until = None;
                self.aside(number, move || Ok(redis.flush()?));
            }
            Kind::DiskFull => self.disk()?.fill()?,
            Kind::DiskSlow => {
                let disk = self.disk()?;
                until = None;
                self.work.spawn(async move {
                    let end = time::now() + span;
                    while time::now() < end {
                        for (is_frozen, wait) in [(true, DISK_STILL), (false, DISK_MOVES)] {
                            if let Err(error) = disk.set_frozen(is_frozen) {
                                return (number, Err(error));
                            }
                            time::sleep(wait).await;
                        }
                    }
                    (number, Ok(()))
                });
            }
        }
        self.injuries.push(Injury { number, until, part });
        Ok(())
    }

    async fn heal(&mut self, injury: Injury) -> anyhow::Result<()> {
        let number = injury.number;
        let Struck { kind, target, .. } = self.struck[number].clone();
        match kind {
            Kind::Kill | Kind::Lose => self
                .rig
                .cast
                .launch(injury.part.clone().context("a process has a part")?)?,
            // Somebody who froze may have been ended by nobody else.
            Kind::Freeze => self.rig.cast.signal(&target, "CONT").await?,
            Kind::NetCut => let_in(user(&injury.part)?)?,
            Kind::LinkCut | Kind::LinkHalfOpen | Kind::LinkStall => self.wire(&target, Mode::Open),
            Kind::Broker => {
                let (kafka, broker) = (self.kafka()?, broker(&target)?);
                self.aside(number, move || Ok(kafka.restart(broker)?));
            }
            Kind::RedisRestart => {
                let redis = self.redis()?;
                self.aside(number, move || Ok(redis.restart()?));
            }
            Kind::DiskFull => self.disk()?.clear()?,
            Kind::Drain | Kind::RedisEmptied | Kind::DiskSlow => {}
        }
        match kind {
            // It is hurt until it is there again.
            Kind::Broker | Kind::RedisRestart => self.injuries.push(Injury { until: None, ..injury }),
            _ => self.ended(number),
        }
        Ok(())
    }

    /// Does `work` of a fault on a thread of its own: it may take seconds.
    fn aside(&mut self, number: usize, work: impl FnOnce() -> anyhow::Result<()> + Send + 'static) {
        self.work.spawn_blocking(move || (number, work()));
    }

    fn ended(&mut self, number: usize) {
        self.struck[number].ended_at = Some(Clock::wall().precisely());
    }

    fn wire(&self, carrier: &str, mode: Mode) {
        for found in self.rig.carriers.iter().filter(|found| found.name.as_str() == carrier) {
            found.wire.set(mode);
        }
    }

    fn kafka(&self) -> anyhow::Result<Arc<backing::Kafka>> {
        self.rig.kafka.clone().context("there is no broker apart")
    }

    fn redis(&self) -> anyhow::Result<Arc<backing::Redis>> {
        self.rig.redis.clone().context("there is no store apart")
    }

    fn disk(&self) -> anyhow::Result<Arc<super::enclave::SmallDisk>> {
        self.rig.disk.clone().context("there is no disk of our own")
    }

    fn say(&self, text: &str) {
        if self.tell {
            println!("  {:>7.1} s  {text}", self.since_began());
        }
    }

    fn since_began(&self) -> f64 {
        Clock::wall().now().since(self.rig.began).as_secs_f64()
    }
}

fn broker(target: &str) -> anyhow::Result<usize> {
    let number = target.strip_prefix("broker-").and_then(|number| number.parse().ok());
    number.with_context(|| format!("{target} is no broker"))
}

fn user(part: &Option<Part>) -> anyhow::Result<u32> {
    part.as_ref()
        .and_then(|part| part.user)
        .context("a process of a user of its own")
}

#[cfg(test)]
mod tests;
