//! A router that answers questions, and the connector's side where a test needs one.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bus::{Bus, MemoryBus, Record};
use journey::{CarrierReport, Cause, LaneLoad, LinkState, Order, OrderAnswer, Outcome};
use router::{Config, Error, Listener, Tables, Tls};
use service::{Clock, Deps, Dice, Stop, StopHandle, Tasks};
use signalbox_proto::{
    pb::signalbox::routing::v1::{self as pb, routing_service_client::RoutingServiceClient},
    record, topics,
};
use sms::{AccountId, CarrierName, Class, Content, Encoding, Lane, Message, Msisdn, RecordKey, Sender, UnixMs};
use store::MemoryStore;
use table::{LiveTable, Micros, Table, files::Files};
use tonic::{Status, transport::Channel};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::lookups;

/// A carrier, how its link stands, and how long an order waits in each lane; `None` = not known.
pub(crate) type Word<'a> = (&'a str, LinkState, Option<Duration>);
pub(crate) type Client = RoutingServiceClient<Channel>;

/// A router with its questions answered, ended with the test.
pub(crate) struct Rig {
    pub(crate) url: String,
    pub(crate) table: Arc<LiveTable>,
    pub(crate) stop: StopHandle,
    pub(crate) router: Tasks<Result<(), Error>>,
    bus: MemoryBus,
    deps: Deps,
}

/// What a router has beside its table.
#[derive(Clone, Copy, Debug, Default)]
struct Beside {
    /// Somebody to ask who serves a number.
    asks: bool,
    /// Tables that are published.
    publishes: bool,
}

/// Carriers and their prices in order: 0.01, 0.02 …; promotional messages are rejected, `acme` pays 0.05.
pub(crate) fn table(carriers: &[&str]) -> Table {
    let mut files = Files::default();
    files.insert(
        "table.toml",
        "name = \"test\"\ncurrency = \"EUR\"\n[defaults]\nattempts = 2\n",
    );
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,01,FR,Orange\n",
    );
    files.insert("ported.csv", "msisdn,mcc,mnc\n33600000001,208,10\n");
    files.insert(
        "policies.toml",
        "[[policy]]\nname = \"adverts\"\nmatch = { class = \"promotional\" }\nreject = \"no adverts\"\n\
         [[policy]]\nname = \"brand\"\nmatch = { account = \"acme\" }\nrewrite = { sender = \"ACME\" }\ntag = \"brand\"\n\
         [[policy]]\nname = \"passwords\"\nmatch = { class = \"otp\" }\nroute = { lookup = \"when_it_matters\" }\n",
    );
    let entry = |name: &&str| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
    files.insert("carriers.toml", carriers.iter().map(entry).collect::<String>());
    let sheet = |micros: i64| format!("mcc,mnc,prefix,price,from,until\n208,,,{},,\n", Micros(micros));
    for (price, name) in (1..).zip(carriers) {
        files.insert(format!("rates/{name}.csv"), sheet(price * 10_000));
    }
    files.insert("sell/acme.csv", sheet(50_000));
    table::build(&files).unwrap_or_else(|problems| panic!("{problems}")).0
}

pub(crate) fn query(to: &str) -> pb::Query {
    pb::Query {
        to: to.to_owned(),
        ..pb::Query::default()
    }
}

impl Rig {
    pub(crate) async fn start(table: Table) -> Self {
        Self::start_with(table, None).await
    }

    pub(crate) async fn start_with(table: Table, tls: Option<Tls>) -> Self {
        Self::start_in(table, tls, &[], Beside::default()).await
    }

    /// A router that has somebody to ask who serves a number.
    pub(crate) async fn asking(table: Table) -> Self {
        let beside = Beside {
            asks: true,
            ..Beside::default()
        };
        Self::start_in(table, None, &[], beside).await
    }

    /// A router that takes tables to be published.
    pub(crate) async fn publishing(table: Table) -> Self {
        let beside = Beside {
            publishes: true,
            ..Beside::default()
        };
        Self::start_in(table, None, &[], beside).await
    }

    /// A router that starts after connectors said how the links of these carriers stand, and how long an order waits there.
    pub(crate) async fn start_after(table: Table, words: &[Word<'_>]) -> Self {
        Self::start_in(table, None, words, Beside::default()).await
    }

    async fn start_in(table: Table, tls: Option<Tls>, words: &[Word<'_>], beside: Beside) -> Self {
        let clock = Clock::wall();
        let bus = MemoryBus::new(clock.as_millis_fn());
        let deps = Deps {
            bus: Arc::new(bus.clone()),
            store: Arc::new(MemoryStore::new(clock.as_millis_fn())),
            clock,
            dice: Dice::seeded(1),
            tracer: service::Tracer::default(),
        };
        say(&bus, words, deps.clock.now()).await;
        let table = Arc::new(LiveTable::new(table));
        let (stop, stopped) = Stop::new();
        let mut router = Tasks::new();
        let tables = beside.publishes.then(|| Tables::new(deps.clone(), None, None));
        if let Some(tables) = tables.clone() {
            let stop = stopped.clone();
            router.spawn(async move { tables.run(&stop).await });
        }
        let config = Config {
            tables,
            lookups: beside.asks.then(|| lookups::moved(&deps, &table)),
            grpc: Some(([127, 0, 0, 1], 0).into()),
            tls,
            // Whoever is down stays so for the test.
            link_down_hint: Duration::from_secs(3_600),
            ..Config::default()
        };
        let listener = Listener::bind(&config).await.unwrap().expect("it says where");
        let scheme = if config.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", listener.local_addr().port());
        router.spawn(router::run_on(
            Some(listener),
            config,
            deps.clone(),
            table.clone(),
            stopped,
        ));
        Self {
            url,
            table,
            stop,
            router,
            bus,
            deps,
        }
    }

    pub(crate) async fn client(&self) -> Client {
        let channel = Channel::from_shared(self.url.clone()).unwrap().connect().await.unwrap();
        RoutingServiceClient::new(channel).max_decoding_message_size(router::RESPONSE_OCTETS_MAX)
    }

    /// Sends a message, answers the order for `carrier` that its link is down, and waits until the router has moved the
    /// message on to `next`.
    pub(crate) async fn take_down(&self, carrier: &str, next: &str) {
        let name = |name: &str| CarrierName::new(name).unwrap();
        let (carrier, next) = (name(carrier), name(next));
        for name in [&carrier, &next] {
            self.bus
                .ensure(&topics::of_carrier(name, topics::PARTITIONS_DEFAULT))
                .await
                .unwrap();
        }
        let lane = Lane::Normal;
        let mut orders = self
            .bus
            .subscribe("test", &[topics::dispatch(&carrier, lane)])
            .await
            .unwrap();
        let mut moved = self
            .bus
            .subscribe("test", &[topics::dispatch(&next, lane)])
            .await
            .unwrap();
        let message = self.message();
        self.publish(topics::accepted(lane), record::accepted_to_bytes(&message))
            .await;
        let batch = orders.next_batch(1).await.unwrap();
        let order: Order = record::order_from_bytes(&batch.records[0].value).unwrap();
        let answer = OrderAnswer {
            charge: None,
            order: order.order_ref(),
            outcome: Outcome::LinkDown {
                cause: Cause::new("unbound", ""),
            },
            at: self.deps.clock.now(),
            returned: Box::new(order),
        };
        self.publish(topics::outcomes(), record::outcome_to_bytes(&answer))
            .await;
        moved.next_batch(1).await.unwrap();
    }

    pub(crate) async fn publish(&self, topic: bus::Topic, value: bytes::Bytes) {
        let record = Record::new(1, value);
        self.bus.publish(&topic, vec![record]).await.unwrap().await.unwrap();
    }

    /// Reads the orders for `carrier` of class transactional.
    pub(crate) async fn orders(&self, carrier: &str) -> Box<dyn bus::Subscribe> {
        let carrier = CarrierName::new(carrier).unwrap();
        let specs = topics::of_carrier(&carrier, topics::PARTITIONS_DEFAULT);
        self.bus.ensure(&specs).await.unwrap();
        let topic = topics::dispatch(&carrier, Lane::Normal);
        self.bus.subscribe("orders", &[topic]).await.unwrap()
    }

    pub(crate) fn message(&self) -> Message {
        let now = self.deps.clock.now();
        Message {
            id: self.deps.dice.message_id(now),
            account: AccountId::new("acme").unwrap(),
            key: RecordKey(1),
            from: Sender::new("ACME").unwrap(),
            to: Msisdn::new("33639980001").unwrap(),
            content: Content::Text("hello".into()),
            encoding: Encoding::Gsm7,
            segments: 1,
            class: Class::Transactional,
            accepted_at: now,
            ttl: None,
            receipt: true,
            reference: String::new(),
            copy_of: None,
            trace: None,
        }
    }
}

async fn say(bus: &MemoryBus, words: &[Word<'_>], now: UnixMs) {
    bus.ensure(&topics::fixed(topics::PARTITIONS_DEFAULT)).await.unwrap();
    for (key, (carrier, state, wait)) in (1..).zip(words) {
        let report = CarrierReport {
            carrier: CarrierName::new(carrier).unwrap(),
            incarnation: "test".to_owned(),
            link: (*carrier).to_owned(),
            state: *state,
            since: now - Duration::from_secs(60),
            said_at: now,
            binds: None,
            window_slots: 1,
            window_used: 0,
            rate_limit: None,
            taken_per_second: 0.0,
            lanes: [LaneLoad { orders: 0, wait: *wait }; Lane::ALL.len()],
        };
        let record = Record::new(key, record::carrier_to_bytes(&report));
        bus.publish(&topics::carriers(), vec![record])
            .await
            .unwrap()
            .await
            .unwrap();
    }
}

/// Certificate and key of `localhost`, its own authority, as files called `name`.
pub(crate) fn identity(folder: &std::path::Path, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

/// The fields a status refuses, each with what is wrong.
pub(crate) fn violations(status: &Status) -> Vec<(String, String)> {
    let details: ErrorDetails = status.get_error_details();
    let found = details.bad_request().map(|found| found.field_violations.clone());
    let violations = found.unwrap_or_default();
    violations.into_iter().map(|one| (one.field, one.description)).collect()
}

/// The stable reason of a status.
pub(crate) fn reason(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().map(|info| info.reason.clone()).unwrap_or_default()
}
