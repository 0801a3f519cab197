//! What is measured: one process of each role over a Kafka and a Redis of their own, and a carrier that takes everything.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, bail, ensure};
use backing::{Kafka, Redis};
use bus::{Bus as _, KafkaBus, KafkaConfig, Position, Read};
use journey::Event;
use service::{Clock, time, time::Instant};
use signalbox_proto::{
    pb::signalbox::ingest::v1::{Submission, SubmitStreamResponse, answer::Result as Answer},
    record, topics,
};
use tempfile::TempDir;

use super::args::Args;
use crate::{
    smsc::{Behaviour, Config, Delay, Handle, Smsc},
    stage::{
        API_KEY, Cast, Courier, FRAME_MESSAGES_MAX, Ground, Link, News, Roles, land, program, start_backing,
        wait_for_links, write,
    },
    world,
};

/// Frames leave this often, with whatever is due by then.
const FRAME_PERIOD: Duration = Duration::from_millis(10);
/// Parts that may be unanswered on the link.
const WINDOW: u32 = 1_000;
/// Events read at a time.
const EVENTS_MAX: usize = 1_000;
/// How often it is looked whether the log still grows, and for how long it must not.
const LOOK_EVERY: Duration = Duration::from_millis(250);
const STILL: u32 = 8;
/// Longest wait for a round to come to rest, and to end.
const REST_TIMEOUT: Duration = Duration::from_secs(120);

/// Everything, running.
pub(super) struct Rig {
    // Ahead of what it stands on.
    cast: Cast,
    carrier: Handle,
    courier: Courier,
    events: Box<dyn Read>,
    kafka: Kafka,
    redis: Redis,
    /// Frames handed over so far.
    frames: u64,
    /// Messages that ended so far.
    pub(super) ended: u64,
    _folder: TempDir,
}

/// What there is at one moment.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    /// Octets of the log by kind of topic, those alone that messages pay for.
    pub(super) log: BTreeMap<String, u64>,
    /// Octets of the store's memory.
    pub(super) store: u64,
    /// Processor time by role, and of Redis.
    pub(super) processor: BTreeMap<&'static str, Duration>,
    pub(super) at: Instant,
}

impl Snapshot {
    /// Seconds of one core that `role` took since `earlier`, and seconds that have passed.
    pub(super) fn since(&self, earlier: &Self, role: &str) -> (f64, f64) {
        let spent = |snapshot: &Self| snapshot.processor.get(role).copied().unwrap_or_default();
        let spent = spent(self).saturating_sub(spent(earlier));
        (spent.as_secs_f64(), self.at.duration_since(earlier.at).as_secs_f64())
    }
}

impl Rig {
    /// Starts everything, and waits until messages are taken.
    pub(super) async fn start(args: &Args) -> anyhow::Result<Self> {
        let program = program(args.signalbox.as_deref())?;
        let began = Clock::wall().now();
        let folder = tempfile::Builder::new().prefix("signalbox-capacity-").tempdir()?;
        let path = folder.path();
        let (kafka, redis) = start_backing().await?;
        let name = world::carriers(1)?.pop().context("a world has carriers")?;
        let config = Config {
            name: name.to_string(),
            seed: args.seed,
            keep_max: 0,
            ..Config::default()
        };
        let carrier = Smsc::start(config).await?;
        let names = [name.clone()];
        land::write_table(&path.join("table"), &names, land::Reach::Own, land::DEFAULTS)?;
        let link = Link {
            carrier: name,
            address: carrier.addr(),
            rate: None,
            concatenation: "udh8",
            window: WINDOW,
        };
        let brokers = kafka.bootstrap();
        let ground = Ground::Apart {
            brokers: brokers.clone(),
            redis: redis.url(),
        };
        let roles = Roles {
            routers: 1,
            ..Roles::default()
        };
        let parts = write(path, &ground, "", &[link], &roles)?;
        let cast = Cast::start(&program, path, &parts).await?;
        wait_for_links(&brokers, names.into(), began).await?;
        let courier = Courier::connect(cast.address()?.parse()?, API_KEY, None).await?;
        let log = KafkaBus::new(KafkaConfig {
            brokers,
            client_id: "signalbox-capacity".to_owned(),
            ..KafkaConfig::default()
        })?;
        Ok(Self {
            events: log.read(&topics::events(), Position::Start).await?,
            cast,
            carrier,
            courier,
            kafka,
            redis,
            frames: 0,
            ended: 0,
            _folder: folder,
        })
    }

    /// What Redis says of itself under `field`.
    pub(super) fn redis_says(&self, field: &str) -> anyhow::Result<String> {
        let script = format!("return {{ok=string.match(redis.call('INFO', 'all'), '{field}:([%d.]+)')}}");
        let line = self.redis.command(&["EVAL", &script, "0"])?;
        let word = line
            .strip_prefix('+')
            .with_context(|| format!("Redis says nothing of {field}"))?;
        Ok(word.to_owned())
    }

    /// Has the carrier keep every receipt back for `delay`.
    pub(super) fn delay_receipts(&self, delay: Duration) {
        self.carrier.set_behaviour(Behaviour {
            receipt_delay: Delay::fixed(delay),
            ..Behaviour::default()
        });
    }

    /// Submits `messages` at `rate` a second, and returns once all are accepted.
    pub(super) async fn submit(&mut self, messages: Vec<Submission>, rate: u32) -> anyhow::Result<()> {
        let (total, start) = (messages.len(), time::now());
        let (mut waiting, mut answered) = (messages.into_iter(), 0);
        let mut ticks = time::every(FRAME_PERIOD);
        while answered < total {
            // Every arm is cancel-safe: streams and readers keep what was not taken.
            tokio::select! { biased;
                _ = ticks.tick(), if waiting.len() > 0 => {
                    let due = (start.elapsed().as_secs_f64() * f64::from(rate)) as usize;
                    self.send((due + waiting.len()).saturating_sub(total), &mut waiting);
                }
                news = self.courier.next() => if let News::Answers(answers) = news? {
                    answered += accepted(answers)?;
                },
                records = self.events.next(EVENTS_MAX) => self.ended += ends(&records?)?,
            }
        }
        Ok(())
    }

    fn send(&mut self, due: usize, waiting: &mut std::vec::IntoIter<Submission>) {
        let mut due = due.min(waiting.len());
        while due > 0 {
            let frame = due.min(FRAME_MESSAGES_MAX);
            self.frames += 1;
            if !self
                .courier
                .send_with(self.frames, || waiting.by_ref().take(frame).collect())
            {
                return;
            }
            due -= frame;
        }
    }

    /// Waits until the log has not grown for a while: nothing is under way but what waits for the carrier.
    pub(super) async fn rest(&mut self) -> anyhow::Result<Snapshot> {
        let (start, mut last, mut still) = (time::now(), BTreeMap::new(), 0);
        while still < STILL {
            ensure!(start.elapsed() < REST_TIMEOUT, "the log does not come to rest");
            self.listen(LOOK_EVERY).await?;
            let log = self.log()?;
            still = if log == last { still + 1 } else { 0 };
            last = log;
        }
        self.snapshot()
    }

    /// Waits until so many messages have ended.
    pub(super) async fn wait_ended(&mut self, messages: u64) -> anyhow::Result<()> {
        let start = time::now();
        while self.ended < messages {
            let missing = messages - self.ended;
            ensure!(start.elapsed() < REST_TIMEOUT, "{missing} messages did not end");
            self.listen(LOOK_EVERY).await?;
        }
        Ok(())
    }

    /// Takes what comes for so long.
    pub(super) async fn listen(&mut self, span: Duration) -> anyhow::Result<()> {
        let end = time::now() + span;
        loop {
            tokio::select! { biased;
                () = time::sleep_until(end) => return Ok(()),
                news = self.courier.next() => drop(news?),
                records = self.events.next(EVENTS_MAX) => self.ended += ends(&records?)?,
            }
        }
    }

    pub(super) fn snapshot(&self) -> anyhow::Result<Snapshot> {
        let mut processor = BTreeMap::new();
        for (role, spent) in self.cast.processor_times()? {
            *processor.entry(role).or_default() += spent;
        }
        let of_redis = ["used_cpu_user", "used_cpu_sys"].map(|field| self.redis_says(field));
        for seconds in of_redis {
            *processor.entry("redis").or_default() += Duration::from_secs_f64(seconds?.parse()?);
        }
        Ok(Snapshot {
            log: self.log()?,
            store: self.redis.memory()?,
            processor,
            at: time::now(),
        })
    }

    fn log(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let standing = [topics::carriers(), topics::store(), topics::tables()];
        let mut kinds = BTreeMap::new();
        for (topic, octets) in self.kafka.log_octets()? {
            let Some(name) = topic.strip_prefix("signalbox.") else {
                continue;
            };
            if standing.iter().all(|standing| standing.as_str() != topic) {
                let kind = name.split('.').next().unwrap_or(name);
                *kinds.entry(kind.to_owned()).or_insert(0) += octets;
            }
        }
        Ok(kinds)
    }

    /// Drains every process and stops the carrier.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.courier);
        self.cast.stop_all().await?;
        self.carrier.stop().await;
        Ok(())
    }
}

/// Messages accepted by `response`.
fn accepted(response: SubmitStreamResponse) -> anyhow::Result<usize> {
    if let Some(problem) = response.error {
        bail!("a frame was refused: {}", problem.message);
    }
    for answer in &response.answers {
        if let Some(Answer::Error(problem)) = &answer.result {
            bail!("a message was refused, ask for fewer a second: {}", problem.message);
        }
    }
    Ok(response.answers.len())
}

/// Messages whose end is among `records`.
fn ends(records: &[bus::Stored]) -> anyhow::Result<u64> {
    let mut ends = 0;
    for stored in records {
        let event = record::event_from_bytes(&stored.value).context("an event cannot be read")?;
        ends += u64::from(matches!(event, Event::Ended(_)));
    }
    Ok(ends)
}
