//! What the tests of this crate share: a world in memory under virtual time, orders, and faults on demand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::{Bus, ConsumeError, MemoryBus, Position, PublishError, Record, Stored, Subscribe, Topic, TopicSpec};
use futures::{FutureExt, future::BoxFuture};
use journey::{Mask, OnUnknown, Order, OrderAnswer, OrderNumber, Outcome, Terms};
use service::{Clock, Deps, Dice};
use signalbox_proto::{record, topics};
use sms::{AccountId, CarrierName, Class, Content, Message, MessageId, Msisdn, RecordKey, Sender, UnixMs};
use store::{Applied, DueEntry, Key, MemoryStore, Op, Store, StoreError, Versioned};

/// 2026-01-01T00:00:00Z.
pub(crate) const START: UnixMs = UnixMs(1_767_225_600_000);

/// Log and store in memory, both of which can be away.
#[derive(Clone)]
pub(crate) struct World {
    pub deps: Deps,
    /// Where the store's handles come from.
    pub store: MemoryStore,
    pub bus_away: Arc<AtomicBool>,
    pub store_away: Arc<AtomicBool>,
}

impl World {
    /// A world with the topics of `carriers`, one partition each. For runs under paused time.
    pub(crate) async fn new(carriers: &[&str]) -> Self {
        let clock = Clock::starting_at(START);
        let (bus_away, store_away) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let bus = FaultyBus {
            inner: MemoryBus::new(clock.as_millis_fn()),
            is_away: Arc::clone(&bus_away),
        };
        let memory = MemoryStore::new(clock.as_millis_fn());
        let store = FaultyStore {
            inner: memory.handle(),
            is_away: Arc::clone(&store_away),
        };
        let specs = carriers.iter().flat_map(|name| topics::of_carrier(&carrier(name), 1));
        bus.ensure(&specs.chain(topics::fixed(1)).collect::<Vec<_>>())
            .await
            .unwrap();
        let deps = Deps {
            bus: Arc::new(bus),
            store: Arc::new(store),
            clock,
            dice: Dice::seeded(1),
            tracer: service::Tracer::default(),
        };
        Self {
            deps,
            store: memory,
            bus_away,
            store_away,
        }
    }

    /// The same world as another process sees it.
    pub(crate) fn process(&self) -> Self {
        let mut other = self.clone();
        other.deps.store = Arc::new(FaultyStore {
            inner: self.store.handle(),
            is_away: Arc::clone(&self.store_away),
        });
        other
    }

    /// Publishes orders for their carriers.
    pub(crate) async fn publish(&self, orders: &[Order]) {
        for order in orders {
            let topic = topics::dispatch(&order.carrier, order.class().lane());
            let record = Record::new(order.message.key.0, record::order_to_bytes(order));
            self.deps
                .bus
                .publish(&topic, vec![record])
                .await
                .unwrap()
                .await
                .unwrap();
        }
    }

    /// Every value on `topic`.
    pub(crate) async fn values(&self, topic: &Topic) -> Vec<bytes::Bytes> {
        let stored = self.stored(topic).await.into_iter();
        stored.map(|stored| stored.value).collect()
    }

    /// Every record on `topic`.
    pub(crate) async fn stored(&self, topic: &Topic) -> Vec<Stored> {
        let mut reader = self.deps.bus.read(topic, Position::Start).await.unwrap();
        reader.poll(10_000).await.unwrap()
    }

    /// Every outcome reported so far.
    pub(crate) async fn answers(&self) -> Vec<OrderAnswer> {
        let values = self.values(&topics::outcomes()).await;
        values
            .iter()
            .map(|value| record::outcome_from_bytes(value).unwrap())
            .collect()
    }

    /// Every outcome so far in words, such as `1 next deadline`: message, outcome, code or ids.
    pub(crate) async fn said(&self) -> Vec<String> {
        let say = |answer: OrderAnswer| {
            let detail = match &answer.outcome {
                Outcome::Accepted { remote_ids } => remote_ids.join(","),
                Outcome::Hold { cause, .. }
                | Outcome::Next { cause }
                | Outcome::Fail { cause }
                | Outcome::LinkDown { cause } => cause.code.clone(),
                Outcome::Unknown { .. } => String::new(),
            };
            let message = answer.order.message.0.as_u128();
            format!("{message} {} {detail}", answer.outcome.as_str())
                .trim_end()
                .to_owned()
        };
        self.answers().await.into_iter().map(say).collect()
    }
}

/// A connector over `link`, for topics of one partition.
pub(crate) fn connector_of(link: crate::LinkConfig) -> crate::Config {
    crate::Config {
        partitions: 1,
        ..crate::Config::new(vec![link])
    }
}

pub(crate) fn carrier(name: &str) -> CarrierName {
    CarrierName::new(name).unwrap()
}

/// Order 1 of message `id` for carrier atlas, transactional, with a receipt, one segment, ten minutes left.
pub(crate) fn order(id: u128) -> Order {
    let content = Content::Text(format!("message {id}"));
    let size = sms::count(&content);
    Order {
        message: Message {
            id: MessageId(uuid::Uuid::from_u128(id)),
            account: AccountId::new("acme").unwrap(),
            key: RecordKey(7),
            from: Sender::new("ACME").unwrap(),
            to: Msisdn::new("33639980001").unwrap(),
            content,
            encoding: size.encoding,
            segments: size.segments,
            class: Class::Transactional,
            accepted_at: START,
            ttl: None,
            receipt: true,
            reference: String::new(),
            copy_of: None,
            trace: None,
        },
        number: OrderNumber(1),
        carrier: carrier("atlas"),
        network: String::new(),
        looked_up: None,
        price: None,
        mask: Mask::default(),
        receipt: true,
        terms: Terms {
            attempts_max: 3,
            deadline: START + Duration::from_secs(600),
            grace: Duration::from_secs(600),
            on_unknown: OnUnknown::Wait,
            receipt_within: None,
            spill_after: None,
        },
        table: String::new(),
        policy: String::new(),
        issued_at: START,
        attempts: Vec::new(),
    }
}

/// The same with a text of `segments` segments.
pub(crate) fn long_order(id: u128, segments: u8) -> Order {
    let mut order = order(id);
    order.message.content = Content::Text("x".repeat(153 * usize::from(segments)));
    order.message.segments = segments;
    order
}

struct FaultyStore {
    inner: MemoryStore,
    is_away: Arc<AtomicBool>,
}

impl FaultyStore {
    fn check(&self) -> Result<(), StoreError> {
        if self.is_away.load(Ordering::Relaxed) {
            Err(StoreError::Away("test".into()))
        } else {
            Ok(())
        }
    }
}

impl Store for FaultyStore {
    /// Away means that the answer is lost: the writes were applied.
    fn apply(&self, ops: Vec<Op>) -> BoxFuture<'_, Result<(Vec<Applied>, store::Commit), StoreError>> {
        async move {
            let applied = self.inner.apply(ops).await;
            self.check()?;
            applied
        }
        .boxed()
    }

    fn get(&self, keys: Vec<Key>) -> BoxFuture<'_, Result<Vec<Option<Versioned>>, StoreError>> {
        async move {
            self.check()?;
            self.inner.get(keys).await
        }
        .boxed()
    }

    fn due(&self, partition: u32, second: u64, max: usize) -> BoxFuture<'_, Result<Vec<DueEntry>, StoreError>> {
        self.inner.due(partition, second, max)
    }

    fn scan<'a>(
        &'a self,
        prefix: &'a str,
        after: Option<&'a Key>,
        max: usize,
    ) -> BoxFuture<'a, Result<Vec<(Key, Versioned)>, StoreError>> {
        self.inner.scan(prefix, after, max)
    }

    fn epoch(&self) -> BoxFuture<'_, Result<store::Epoch, StoreError>> {
        self.inner.epoch()
    }

    fn adopt(&self, epoch: &store::Epoch) {
        self.inner.adopt(epoch);
    }

    fn rebuild(&self) -> BoxFuture<'_, Result<Option<Box<dyn store::Rebuild>>, StoreError>> {
        self.inner.rebuild()
    }
}

struct FaultyBus {
    inner: MemoryBus,
    is_away: Arc<AtomicBool>,
}

impl Bus for FaultyBus {
    fn ensure<'a>(&'a self, topics: &'a [TopicSpec]) -> BoxFuture<'a, Result<(), PublishError>> {
        if self.is_away.load(Ordering::Relaxed) {
            return async { Err(PublishError::Away("test".into())) }.boxed();
        }
        self.inner.ensure(topics)
    }

    fn publish<'a>(
        &'a self,
        topic: &'a Topic,
        records: Vec<Record>,
    ) -> BoxFuture<'a, Result<bus::Commit, PublishError>> {
        if self.is_away.load(Ordering::Relaxed) {
            return async { Err(PublishError::Away("test".into())) }.boxed();
        }
        self.inner.publish(topic, records)
    }

    fn subscribe<'a>(
        &'a self,
        group: &'a str,
        topics: &'a [Topic],
    ) -> BoxFuture<'a, Result<Box<dyn Subscribe>, ConsumeError>> {
        self.inner.subscribe(group, topics)
    }

    fn read<'a>(&'a self, topic: &'a Topic, from: Position) -> BoxFuture<'a, Result<Box<dyn bus::Read>, ConsumeError>> {
        self.inner.read(topic, from)
    }

    fn partitions(&self, topic: &Topic) -> Option<u32> {
        self.inner.partitions(topic)
    }

    fn check(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.check()
    }

    fn close(&self, limit: Duration) -> BoxFuture<'_, Result<(), PublishError>> {
        self.inner.close(limit)
    }
}
