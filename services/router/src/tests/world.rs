//! A router with its surroundings, and a script in place of connectors and carriers.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use bus::{Bus, MemoryBus, Position, Record, Stored, Subscribe, Topic};
use bytes::Bytes;
use journey::{
    CODE_TAKEN_BACK, Cause, EndState, Event, Order, OrderAnswer, Outcome, ReceiptRecord, TerminalEvent,
    Unmatched as UnmatchedReceipt,
};
use service::{Clock, Deps, Dice, Stop, StopHandle, Tasks, time};
use signalbox_proto::{keys, record, topics};
use sms::{
    AccountId, CarrierName, Class, Content, Encoding, Lane, Message, Msisdn, Receipt, ReceiptFault, ReceiptState,
    RecordKey, Sender, UnixMs,
};
use store::{Applied, MemoryStore, Op, Store};
use table::{LiveTable, Table, files::Files};

use super::slow::Slow;
use crate::{Config, Error, run};

const START: UnixMs = UnixMs(1_795_262_400_000);

pub(super) struct World {
    pub(super) deps: Deps,
    pub(super) bus: MemoryBus,
    pub(super) store: MemoryStore,
    pub(super) table: Arc<LiveTable>,
    pub(super) config: Config,
    router: Option<(Tasks<Result<(), Error>>, StopHandle)>,
    orders: BTreeMap<String, Vec<Box<dyn Subscribe>>>,
    serial: u64,
    /// Pulls log and store away from under a slow router.
    pub(super) is_away: Arc<AtomicBool>,
    /// Lets the log of a slow router refuse the topics of one carrier.
    pub(super) is_barring: Arc<AtomicBool>,
}

/// A table of `carriers` in this order, with more keys of its default route.
pub(super) fn table(carriers: &str, defaults: &str) -> Table {
    table_with(carriers, defaults, "")
}

/// The same, with `first` before all other policies.
pub(super) fn table_with(carriers: &str, defaults: &str, first: &str) -> Table {
    let mut files = Files::default();
    let names: Vec<_> = carriers.split_whitespace().collect();
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    files.insert("table.toml", "name = \"test\"\ncurrency = \"EUR\"\n");
    let entry = |name: &&str| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
    files.insert("carriers.toml", names.iter().map(entry).collect::<String>());
    let route = format!("strategy = \"priority\", carriers = [{}]{defaults}", quoted.join(", "));
    let policies = format!(
        "{first}[[policy]]\nname = \"barred\"\nmatch = {{ account = \"barred\" }}\nreject = \"account barred\"\n\
         [[policy]]\nname = \"all\"\nroute = {{ {route} }}\n"
    );
    files.insert("policies.toml", policies);
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
    );
    for name in names {
        files.insert(
            format!("rates/{name}.csv"),
            "mcc,mnc,prefix,price,from,until\n208,,,0.04,,\n",
        );
    }
    let (table, _) = table::build(&files).unwrap_or_else(|problems| panic!("{problems}"));
    table
}

impl World {
    /// A world whose router runs on a table of `carriers`.
    pub(super) async fn new(carriers: &str, defaults: &str) -> Self {
        let clock = Clock::starting_at(START);
        let bus = MemoryBus::new(clock.as_millis_fn());
        let store = MemoryStore::new(clock.as_millis_fn());
        let deps = Deps {
            bus: Arc::new(bus.clone()),
            store: Arc::new(store.clone()),
            clock,
            dice: Dice::seeded(7),
            tracer: service::Tracer::default(),
        };
        let table = Arc::new(LiveTable::new(table(carriers, defaults)));
        let mut world = Self {
            deps,
            bus,
            store,
            table,
            config: Config::default(),
            router: None,
            orders: BTreeMap::new(),
            serial: 0,
            is_away: Arc::default(),
            is_barring: Arc::default(),
        };
        world.start().await;
        world
    }

    /// The same, but every step of the router takes some milliseconds, so that it can die between any two of them.
    pub(super) async fn slow(carriers: &str, defaults: &str, seed: u64) -> Self {
        let mut world = Self::new(carriers, defaults).await;
        world.deps.dice = Dice::seeded(seed);
        let dice = world.deps.dice.fork();
        let is_away = world.is_away.clone();
        world.deps.bus = Arc::new(Slow {
            inner: world.bus.clone(),
            dice: dice.fork(),
            is_away: is_away.clone(),
            is_barring: world.is_barring.clone(),
        });
        world.deps.store = Arc::new(Slow {
            inner: world.store.clone(),
            dice,
            is_away,
            is_barring: Arc::default(),
        });
        world.crash().await;
        world
    }

    pub(super) async fn start(&mut self) {
        let (handle, stop) = Stop::new();
        let mut tasks = Tasks::new();
        tasks.spawn(run(self.config.clone(), self.deps.clone(), self.table.clone(), stop));
        self.router = Some((tasks, handle));
        self.pass(1).await;
    }

    /// Drops the router where it stands, and starts another.
    pub(super) async fn crash(&mut self) {
        self.router = None;
        self.start().await;
    }

    /// Stops the router as a deployment does.
    pub(super) async fn drain(&mut self) {
        self.stop().await.unwrap();
    }

    pub(super) async fn stop(&mut self) -> Result<(), Error> {
        let (mut tasks, handle) = self.router.take().unwrap();
        handle.request();
        tasks.join_next().await.unwrap().unwrap()
    }

    pub(super) async fn pass(&self, millis: u64) {
        time::sleep(Duration::from_millis(millis)).await;
    }

    pub(super) fn message(&mut self, class: Class, seconds: u64) -> Message {
        self.serial += 1;
        let now = self.deps.clock.now();
        Message {
            id: self.deps.dice.message_id(now),
            account: AccountId::new("acme").unwrap(),
            key: RecordKey(self.deps.dice.next_u64()),
            from: Sender::new("ACME").unwrap(),
            to: Msisdn::new(&format!("336399800{:02}", self.serial % 100)).unwrap(),
            content: Content::Text("hello".into()),
            encoding: Encoding::Gsm7,
            segments: 1,
            class,
            accepted_at: now,
            ttl: Some(Duration::from_secs(seconds)),
            receipt: true,
            reference: String::new(),
            copy_of: None,
            trace: None,
        }
    }

    pub(super) async fn publish(&self, topic: &Topic, key: u64, value: Bytes) {
        self.bus
            .publish(topic, vec![Record::new(key, value)])
            .await
            .unwrap()
            .await
            .unwrap();
        self.pass(20).await;
    }

    pub(super) async fn accept(&self, message: &Message) {
        let topic = topics::accepted(message.class.lane());
        self.publish(&topic, message.key.0, record::accepted_to_bytes(message))
            .await;
    }

    /// A transactional message with a minute to live, accepted.
    pub(super) async fn accepted(&mut self) -> Message {
        let message = self.message(Class::Transactional, 60);
        self.accept(&message).await;
        message
    }

    /// The next order for `carrier`, claimed as a connector does; `None` = there is none now, or it is not to be sent.
    pub(super) async fn order(&mut self, carrier: &str) -> Option<Order> {
        let order = self.peek(carrier).await?;
        let claim = Op::Claim {
            key: keys::claim(order.message.id, order.number),
            owner: Bytes::from(format!("{carrier}/test")),
            expires_at_ms: u64::MAX,
        };
        let (applied, _) = self.store.apply(vec![claim]).await.unwrap();
        match &applied[0] {
            Applied::Claimed => Some(order),
            Applied::Held { owner } if owner == keys::ROUTER_OWNER => {
                let taken_back = Cause::new(CODE_TAKEN_BACK, "");
                self.answer(&order, Outcome::LinkDown { cause: taken_back }).await;
                None
            }
            _ => None,
        }
    }

    /// The next order for `carrier`, not claimed.
    pub(super) async fn peek(&mut self, carrier: &str) -> Option<Order> {
        if !self.orders.contains_key(carrier) {
            let name = CarrierName::new(carrier).unwrap();
            let mut lanes = Vec::new();
            for lane in Lane::ALL {
                let topic = topics::dispatch(&name, lane);
                self.bus.ensure(&topics::of_carrier(&name, 8)).await.unwrap();
                lanes.push(self.bus.subscribe("test", &[topic]).await.unwrap());
            }
            self.orders.insert(carrier.to_owned(), lanes);
        }
        for lane in self.orders.get_mut(carrier).unwrap() {
            if let Some(batch) = time::timeout(Duration::from_millis(2), lane.next_batch(1)).await {
                let batch = batch.unwrap();
                lane.ack(&batch.delivered).await.unwrap();
                return Some(record::order_from_bytes(&batch.records[0].value).unwrap());
            }
        }
        None
    }

    pub(super) async fn answer(&self, order: &Order, outcome: Outcome) {
        let at = self.deps.clock.now();
        let answer = OrderAnswer {
            order: order.order_ref(),
            charge: None,
            outcome,
            at,
            returned: Box::new(order.clone()),
        };
        self.publish(
            &topics::outcomes(),
            order.message.key.0,
            record::outcome_to_bytes(&answer),
        )
        .await;
    }

    pub(super) async fn takes(&self, order: &Order, remote_id: &str) {
        self.answer(
            order,
            Outcome::Accepted {
                remote_ids: vec![remote_id.to_owned()],
            },
        )
        .await;
    }

    pub(super) async fn receipt(&self, order: &Order, state: ReceiptState, fault: ReceiptFault) {
        let record = ReceiptRecord {
            order: order.order_ref(),
            segment: 0,
            segments: Some(1),
            receipt: receipt(state, fault),
            at: self.deps.clock.now(),
        };
        self.publish(
            &topics::receipts(),
            order.message.key.0,
            record::receipt_to_bytes(&record),
        )
        .await;
    }

    pub(super) async fn delivered(&self, order: &Order) {
        self.receipt(order, ReceiptState::Delivered, ReceiptFault::Handset)
            .await;
    }

    pub(super) async fn unmatched(&self, carrier: &str, remote_id: &str) {
        self.unmatched_since(carrier, remote_id, self.deps.clock.now()).await;
    }

    /// The same, first seen then by the clock of its connector.
    pub(super) async fn unmatched_since(&self, carrier: &str, remote_id: &str, first_seen: UnixMs) {
        let unmatched = UnmatchedReceipt {
            carrier: CarrierName::new(carrier).unwrap(),
            remote_id: remote_id.to_owned(),
            receipt: receipt(ReceiptState::Delivered, ReceiptFault::Handset),
            first_seen,
            party: None,
        };
        self.publish(&topics::unmatched(), 1, record::unmatched_to_bytes(&unmatched))
            .await;
    }

    pub(super) async fn values(&self, topic: &Topic) -> Vec<Bytes> {
        let stored = self.stored(topic).await.into_iter();
        stored.map(|stored| stored.value).collect()
    }

    pub(super) async fn stored(&self, topic: &Topic) -> Vec<Stored> {
        let mut read = self.bus.read(topic, Position::Start).await.unwrap();
        let mut all = Vec::new();
        loop {
            let records = read.poll(100).await.unwrap();
            if records.is_empty() {
                return all;
            }
            all.extend(records);
        }
    }

    pub(super) async fn events(&self) -> Vec<Event> {
        let values = self.values(&topics::events()).await;
        values
            .iter()
            .map(|value| record::event_from_bytes(value).unwrap())
            .collect()
    }

    /// How `message` ended. Every repeat must be the same octets.
    pub(super) async fn ended(&self, message: &Message) -> Option<TerminalEvent> {
        let ends = self.events().await.into_iter().filter_map(|event| match event {
            Event::Ended(ended) if ended.message.id == message.id => Some(Arc::unwrap_or_clone(ended)),
            _ => None,
        });
        let ends: Vec<_> = ends.collect();
        assert!(
            ends.windows(2).all(|pair| pair[0] == pair[1]),
            "a message ended twice: {ends:#?}"
        );
        ends.into_iter().next()
    }

    pub(super) async fn end(&self, message: &Message) -> Option<(EndState, String)> {
        self.ended(message).await.map(|ended| (ended.state, ended.cause.code))
    }
}

pub(super) fn cause(code: &str) -> Cause {
    Cause::new(code, "said so")
}

pub(super) fn next(code: &str) -> Outcome {
    Outcome::Next { cause: cause(code) }
}

pub(super) fn link_down() -> Outcome {
    Outcome::LinkDown {
        cause: cause("unbound"),
    }
}

pub(super) fn receipt(state: ReceiptState, fault: ReceiptFault) -> Receipt {
    Receipt {
        state,
        fault,
        raw: format!("{state:?}"),
        error: String::new(),
        done_at: None,
        vendor: Vec::new(),
    }
}
