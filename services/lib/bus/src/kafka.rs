//! The log on Apache Kafka: for services apart. A commit resolves when all in-sync replicas have the records.

mod config;
mod deliveries;
mod desk;
mod ear;
mod lines;
mod link;
mod member;
mod offsets;
mod producer;
mod reader;
mod settings;
mod topics;
mod trouble;

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use tokio::sync::watch;

pub use self::config::{KafkaConfig, KafkaMechanism, KafkaSasl, KafkaTls, SESSION};
use self::{
    desk::Desk,
    lines::Lines,
    link::{Link, Seats},
    member::Member,
    producer::Producer,
    reader::Reader,
    topics::{ANSWER_MAX, Topics},
    trouble::Trouble,
};
use crate::{
    Bus, Commit, ConsumeError, Position, PublishError, Read, Record, Subscribe, Topic, TopicSpec, record::check_limits,
};

/// How long brokers may take to say that they are there.
const CHECK_MAX: Duration = Duration::from_secs(3);

/// A log on Kafka. Cheap to clone; clones are the same log.
///
/// Every subscription is one consumer with a thread of its own, which asks for a tokio runtime only to wait. Brokers that are
/// away are tried for as long as the log is open: calls answer `Away`, and the same handles work again later.
#[derive(Clone)]
pub struct KafkaBus {
    inner: Arc<Inner>,
}

struct Inner {
    config: KafkaConfig,
    trouble: Arc<Trouble>,
    producer: Producer,
    topics: Topics,
    lines: Arc<Lines>,
    seats: Arc<Seats>,
    is_closed: AtomicBool,
    /// Consumers of groups, to be ended by closing.
    links: Mutex<Vec<Weak<Link>>>,
    /// Members and readers, to be woken by closing.
    desks: Mutex<Vec<Weak<Desk>>>,
    /// Consumers that have not left their group yet.
    running: watch::Sender<usize>,
}

impl KafkaBus {
    /// The log of `config`. No broker is asked, so one that is away does no harm.
    ///
    /// # Errors
    /// Settings that no client can be made of, such as a file that cannot be read.
    pub fn new(config: KafkaConfig) -> Result<Self, PublishError> {
        config.check()?;
        let trouble = Arc::new(Trouble::new(&config));
        let inner = Inner {
            producer: Producer::new(&config, &trouble)?,
            topics: Topics::new(&config, &trouble)?,
            lines: Lines::new(&config, &trouble),
            seats: Arc::default(),
            is_closed: AtomicBool::new(false),
            links: Mutex::default(),
            desks: Mutex::default(),
            running: watch::Sender::new(0),
            trouble,
            config,
        };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl Inner {
    fn publishable(&self) -> Result<(), PublishError> {
        if self.is_closed.load(Ordering::Acquire) {
            Err(PublishError::Closed)
        } else {
            Ok(())
        }
    }

    /// Partitions of `topic`, asking the brokers if it is not known.
    async fn known(self: &Arc<Self>, topic: &Topic) -> Result<u32, PublishError> {
        self.publishable()?;
        if let Some(partitions) = self.topics.used(topic) {
            return Ok(partitions);
        }
        let inner = self.clone();
        let asked = blocking(move || inner.topics.refresh(ANSWER_MAX)).await;
        match self.topics.used(topic) {
            Some(partitions) => Ok(partitions),
            None => Err(asked.err().unwrap_or_else(|| PublishError::UnknownTopic(topic.clone()))),
        }
    }

    async fn readable(self: &Arc<Self>, topic: &Topic) -> Result<u32, ConsumeError> {
        self.known(topic).await.map_err(|error| match error {
            PublishError::UnknownTopic(topic) => ConsumeError::UnknownTopic(topic),
            PublishError::Closed => ConsumeError::Closed,
            other => ConsumeError::Away(other.to_string()),
        })
    }

    /// One consumer for `shares`, each of which becomes a member.
    async fn join(
        self: &Arc<Self>,
        group: &str,
        shares: Vec<Vec<Topic>>,
    ) -> Result<Vec<Box<dyn Subscribe>>, ConsumeError> {
        let mut partitions = 0;
        for topic in shares.iter().flatten() {
            partitions += self.readable(topic).await?;
        }
        let desks: Vec<_> = shares
            .into_iter()
            .map(|topics| (topics, Arc::new(Desk::new())))
            .collect();
        let link = Link::new(
            (&self.config, &self.trouble, &self.seats),
            group,
            desks.clone(),
            partitions,
        );
        let members = desks.into_iter().map(|(_, desk)| {
            self.watch(&desk);
            Box::new(Member::new(link.clone(), desk)) as Box<dyn Subscribe>
        });
        let members = members.collect();
        remember(&self.links, &link);
        self.running.send_modify(|running| *running += 1);
        let running = self.running.clone();
        thread("bus-group", move || {
            link.run();
            running.send_modify(|running| *running -= 1);
        });
        // Closed meanwhile: what was just made is not missed.
        if self.is_closed.load(Ordering::Acquire) {
            self.stop();
        }
        Ok(members)
    }

    /// Lets closing reach `desk`.
    fn watch(&self, desk: &Arc<Desk>) {
        remember(&self.desks, desk);
    }

    fn stop(&self) {
        lock(&self.desks)
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|desk| desk.close());
        lock(&self.links)
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|link| link.stop());
    }

    async fn close(self: &Arc<Self>, limit: Duration) -> Result<(), PublishError> {
        self.is_closed.store(true, Ordering::Release);
        self.stop();
        let inner = self.clone();
        let flush = blocking(move || inner.producer.flush(limit));
        let mut running = self.running.subscribe();
        // What `wait_for` gives is a lock, which must not outlive it.
        let left = async { running.wait_for(|running| *running == 0).await.is_ok() };
        #[expect(
            clippy::disallowed_methods,
            reason = "the limit is one of real time, with real brokers"
        )]
        let (unsafe_records, left) = futures::join!(flush, tokio::time::timeout(limit, left));
        if left.is_err() {
            tracing::warn!("a member did not leave its group in time: what it acked last may come again");
        }
        match unsafe_records {
            0 => Ok(()),
            unsafe_records => Err(PublishError::Unflushed(unsafe_records)),
        }
    }
}

impl Bus for KafkaBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        async move {
            self.inner.publishable()?;
            let (inner, topics) = (self.inner.clone(), topics.to_vec());
            blocking(move || inner.topics.ensure(&topics)).await
        }
        .boxed()
    }

    fn publish<'a>(&'a self, topic: &'a Topic, records: Vec<Record>) -> BoxFuture<'a, Result<Commit, PublishError>> {
        async move {
            check_limits(&records)?;
            let partitions = self.inner.known(topic).await?;
            self.inner.producer.publish(topic, partitions, records).await
        }
        .boxed()
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        async move {
            let once: BTreeSet<_> = topics.iter().cloned().collect();
            let mut members = self.inner.join(group, vec![once.into_iter().collect()]).await?;
            Ok(members.pop().expect("one share makes one member"))
        }
        .boxed()
    }

    fn subscribe_each<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Vec<Box<dyn Subscribe>>, ConsumeError>> {
        let shares = topics.iter().map(|topic| vec![topic.clone()]).collect();
        self.inner.join(group, shares).boxed()
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn Read>, ConsumeError>> {
        async move {
            let partitions = self.inner.readable(topic).await?;
            let (lines, topic) = (self.inner.lines.clone(), topic.clone());
            let reader = blocking(move || Reader::open(&lines, &topic, partitions, &from)).await?;
            self.inner.watch(reader.desk());
            if self.inner.is_closed.load(Ordering::Acquire) {
                reader.desk().close();
            }
            Ok(Box::new(reader) as Box<dyn Read>)
        }
        .boxed()
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.inner.topics.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        async move {
            self.inner.publishable()?;
            let inner = self.inner.clone();
            blocking(move || {
                inner.lines.drain();
                inner.topics.refresh(CHECK_MAX)?;
                inner.producer.check()
            })
            .await
        }
        .boxed()
    }

    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.close(limit).boxed()
    }
}

/// Does what blocks where it may.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    #[expect(
        clippy::disallowed_methods,
        reason = "the client of a real broker blocks; its threads are its own"
    )]
    let work = tokio::task::spawn_blocking(work);
    match work.await {
        Ok(done) => done,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        // The runtime ends, and with it whoever waits here.
        Err(_) => std::future::pending().await,
    }
}

/// A thread of this log.
fn thread(name: &str, work: impl FnOnce() + Send + 'static) {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.expect("the system has room for a thread");
}

/// Keeps a weak reference, and drops those that are dead.
fn remember<T>(all: &Mutex<Vec<Weak<T>>>, one: &Arc<T>) {
    let mut all = lock(all);
    all.retain(|one| one.strong_count() > 0);
    all.push(Arc::downgrade(one));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder panics")
}
