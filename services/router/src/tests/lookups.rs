//! Look-ups: who waits for them, for how long, and what the answers do. The provider says what the test says.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};
use journey::EndState;
use lookup::{
    BreakerConfig, Chain, ChainConfig, ChainDeps, Failure, Limits, Offer, Portability, Provider, Rates, Reach, Reply,
    Terms, Upstream,
};
use service::time;
use signalbox_proto::{record, topics};
use sms::{CarrierName, Class, Lane, Message, Msisdn, ReceiptFault, ReceiptState};
use table::{Micros, Network, Table, files::Files};

use super::world::{World, table_with};
use crate::{DeadNumbers, LookUps};

/// Says of numbers what the test wrote, and of all others that they are of 208 01.
struct Script {
    terms: Terms,
    replies: Mutex<BTreeMap<String, Reply>>,
    /// Numbers that begin so are answered late.
    slow: Mutex<BTreeMap<String, Duration>>,
    asked: AtomicUsize,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            terms: Terms {
                name: "script".to_owned(),
                price: Micros(1_000),
                is_authoritative: true,
                numbers_max: 1,
            },
            replies: Mutex::default(),
            slow: Mutex::default(),
            asked: AtomicUsize::default(),
        }
    }
}

impl Script {
    fn says(&self, number: &Msisdn, reply: Reply) {
        self.replies.lock().unwrap().insert(number.digits().to_owned(), reply);
    }

    fn takes(&self, prefix: &str, latency: Duration) {
        self.slow.lock().unwrap().insert(prefix.to_owned(), latency);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Provider for Script {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn ask<'a>(&'a self, numbers: &'a [Msisdn]) -> BoxFuture<'a, Vec<Result<Reply, Failure>>> {
        async move {
            self.asked.fetch_add(numbers.len(), Ordering::Relaxed);
            let digits = numbers[0].digits();
            let slow = self.slow.lock().unwrap().clone();
            let latency = slow.iter().find(|(prefix, _)| digits.starts_with(prefix.as_str()));
            time::sleep(latency.map_or(Duration::from_millis(5), |(_, latency)| *latency)).await;
            let reply = self.replies.lock().unwrap().get(digits).cloned();
            vec![Ok(reply.unwrap_or_else(|| on("20801")))]
        }
        .boxed()
    }
}

fn on(network: &str) -> Reply {
    Reply {
        network: Some(Network::parse_together(network).unwrap()),
        ..Reply::default()
    }
}

fn dead() -> Reply {
    Reply {
        reach: Reach::Dead,
        ..Reply::default()
    }
}

/// 208 01 goes to `a` and 208 10 to `b`, each the other's fallback; accounts called `direct` ask nobody.
fn by_network() -> Table {
    let first = "[[policy]]\nname = \"direct\"\nmatch = { account = \"direct\" }\n\
         route = { strategy = \"priority\", carriers = [\"a\", \"b\"] }\n\
         [[policy]]\nname = \"moved\"\nmatch = { network = \"20810\" }\n\
         route = { strategy = \"priority\", carriers = [\"b\", \"a\"], lookup = \"always\" }\n";
    table_with("a b", ", lookup = \"always\"", first)
}

/// The cheapest for 208 01 is dear for 208 10, which somebody else takes for less.
fn by_price() -> Table {
    let mut files = Files::default();
    files.insert(
        "table.toml",
        "name = \"test\"\ncurrency = \"EUR\"\n[defaults]\nlookup = \"when_it_matters\"\n",
    );
    let carrier = |name| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n");
    files.insert("carriers.toml", carrier("a") + &carrier("b"));
    files.insert("policies.toml", "");
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n336,208,01,FR,Orange\n337,208,10,FR,SFR\n",
    );
    let head = "mcc,mnc,prefix,price,from,until\n";
    files.insert("rates/a.csv", format!("{head}208,01,,0.01,,\n208,10,,0.09,,\n"));
    files.insert("rates/b.csv", format!("{head}208,,,0.05,,\n"));
    let (table, _) = table::build(&files).unwrap_or_else(|problems| panic!("{problems}"));
    table
}

impl World {
    /// A world on `table` that asks a script, under settings that `set` changed.
    async fn asking(table: Table, set: impl FnOnce(&mut LookUps)) -> (Self, Arc<Script>) {
        let mut world = Self::new("a b", "").await;
        world.table.replace(table);
        let script = Arc::new(Script::default());
        let portability = Arc::new(Portability::new(Rates::default()));
        let upstream = Upstream {
            provider: Arc::clone(&script) as _,
            limits: Limits {
                rate: None,
                calls_max: 10_000,
                timeout: Duration::from_secs(10),
                breaker: BreakerConfig {
                    failures: 1_000_000,
                    ..BreakerConfig::default()
                },
            },
        };
        let deps = ChainDeps {
            store: Arc::clone(&world.deps.store),
            numbering: Arc::clone(&world.table) as _,
            portability: Arc::clone(&portability),
            clock: world.deps.clock.clone(),
            dice: world.deps.dice.fork(),
        };
        let chain = Chain::new(ChainConfig::default(), vec![upstream], deps);
        let offer = Offer {
            price: Micros(1_000),
            ends_dead: true,
        };
        let mut lookups = LookUps::new(chain, portability, Some(offer));
        set(&mut lookups);
        world.config.lookups = Some(lookups);
        world.crash().await;
        (world, script)
    }

    fn message_to(&mut self, to: &str, class: Class) -> Message {
        Message {
            to: Msisdn::new(to).unwrap(),
            ..self.message(class, 60)
        }
    }

    async fn orders(&self, carrier: &str, lane: Lane) -> usize {
        let topic = topics::dispatch(&CarrierName::new(carrier).unwrap(), lane);
        self.values(&topic).await.len()
    }
}

const NUMBER: &str = "33639980000";

#[tokio::test(start_paused = true)]
async fn a_ported_number_goes_by_its_real_network_and_is_asked_about_once() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    let message = world.message_to(NUMBER, Class::Transactional);
    script.says(&message.to, on("20810"));
    world.accept(&message).await;
    let order = world.order("b").await.unwrap();
    let looked_up = order.looked_up.as_deref().unwrap();
    assert_eq!((order.network.as_str(), order.policy.as_str()), ("20810", "moved"));
    assert_eq!(
        (looked_up.source.as_str(), looked_up.provider.as_str()),
        ("provider", "script")
    );
    assert_eq!((looked_up.cost_micros, looked_up.is_sure), (1_000, true));
    let again = world.message_to(NUMBER, Class::Transactional);
    world.accept(&again).await;
    let order = world.order("b").await.unwrap();
    let looked_up = order.looked_up.as_deref().unwrap();
    assert_eq!((looked_up.source.as_str(), looked_up.cost_micros), ("memory", 0));
    assert_eq!(script.asked(), 1);
    assert_eq!(world.values(&topics::lookup(Lane::Normal)).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_look_up_said_is_told_at_the_end_and_holds_for_the_failover() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    let message = world.message_to(NUMBER, Class::Transactional);
    script.says(&message.to, on("20810"));
    world.accept(&message).await;
    let order = world.order("b").await.unwrap();
    world.answer(&order, super::world::next("refused")).await;
    let order = world.order("a").await.unwrap();
    assert_eq!(
        (order.network.as_str(), order.looked_up.as_ref().unwrap().cost_micros),
        ("20810", 0)
    );
    world.takes(&order, "x").await;
    world.delivered(&order).await;
    let ended = world.ended(&message).await.unwrap();
    let costs = ended
        .attempts
        .iter()
        .map(|attempt| attempt.looked_up.as_ref().unwrap().cost_micros);
    assert_eq!(costs.collect::<Vec<_>>(), [1_000, 0]);
    assert_eq!(script.asked(), 1);
}

/// Both stand in one batch.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_look_up_delays_nobody_else() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    script.takes("33", Duration::from_millis(1_500));
    let waits = world.message_to(NUMBER, Class::Transactional);
    let mut direct = world.message_to("33639980001", Class::Transactional);
    direct.account = sms::AccountId::new("direct").unwrap();
    direct.key = waits.key;
    let both = [&waits, &direct].map(|message| bus::Record::new(message.key.0, record::accepted_to_bytes(message)));
    let accepted = topics::accepted(Lane::Normal);
    let commit = bus::Bus::publish(&world.bus, &accepted, both.into()).await.unwrap();
    commit.await.unwrap();
    world.pass(20).await;
    let order = world.order("a").await.unwrap();
    assert_eq!((order.message.id, &order.looked_up), (direct.id, &None));
    assert!(world.order("a").await.is_none());
    world.pass(1_600).await;
    assert_eq!(world.order("a").await.unwrap().message.id, waits.id);
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_costs_a_password_no_more_than_its_budget() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    script.takes("33", Duration::from_secs(5));
    let message = world.message_to(NUMBER, Class::Otp);
    world.accept(&message).await;
    world.pass(250).await;
    assert!(world.order("a").await.is_none());
    world.pass(60).await;
    let order = world.order("a").await.unwrap();
    let looked_up = order.looked_up.as_deref().unwrap();
    assert_eq!((looked_up.source.as_str(), looked_up.is_sure), ("plan", false));
    assert_eq!(order.network, "20801");
}

#[tokio::test(start_paused = true)]
async fn a_campaign_that_waits_holds_up_no_password() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    script.takes("3363998", Duration::from_secs(8));
    let mut campaign = Vec::new();
    for number in 0..5_000 {
        let message = world.message_to(&format!("3363998{number:04}"), Class::Promotional);
        campaign.push(bus::Record::new(message.key.0, record::accepted_to_bytes(&message)));
    }
    let accepted = topics::accepted(Lane::Bulk);
    let commit = bus::Bus::publish(&world.bus, &accepted, campaign).await.unwrap();
    commit.await.unwrap();
    world.pass(100).await;
    let message = world.message_to("33644440000", Class::Otp);
    world.accept(&message).await;
    world.pass(20).await;
    let order = world.order("a").await.unwrap();
    assert_eq!(order.message.id, message.id);
    assert!(order.looked_up.unwrap().is_sure);
    world.pass(10_000).await;
    assert_eq!(world.orders("a", Lane::Bulk).await, 5_000, "none is lost");
}

/// Each comes alone, and is a batch of its own.
#[tokio::test(start_paused = true)]
async fn who_waits_for_a_look_up_holds_up_none_that_comes_later() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    script.takes("3363998", Duration::from_secs(8));
    for number in 0..50 {
        let message = world.message_to(&format!("3363998{number:04}"), Class::Transactional);
        world.accept(&message).await;
        world.pass(10).await;
    }
    let message = world.message_to("33644440000", Class::Transactional);
    world.accept(&message).await;
    world.pass(20).await;
    let order = world.order("a").await.unwrap();
    assert_eq!(order.message.id, message.id);
    assert!(order.looked_up.unwrap().is_sure);
    world.pass(2_000).await;
    assert_eq!(
        world.orders("a", Lane::Normal).await,
        51,
        "nobody waits beyond the budget"
    );
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bound_the_numbering_plan_answers_at_once() {
    let (mut world, script) = World::asking(by_network(), |lookups| lookups.waiting_max = 2).await;
    script.takes("33", Duration::from_millis(1_500));
    for number in 0..5 {
        let message = world.message_to(&format!("3363998000{number}"), Class::Transactional);
        world.accept(&message).await;
    }
    assert_eq!(world.orders("a", Lane::Normal).await, 3);
    assert_eq!(script.asked(), 2);
    world.pass(2_000).await;
    assert_eq!(world.orders("a", Lane::Normal).await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_dead_number_fails_before_money_is_spent() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    let message = world.message_to(NUMBER, Class::Transactional);
    script.says(&message.to, dead());
    world.accept(&message).await;
    assert_eq!(
        world.end(&message).await,
        Some((EndState::Failed, "dead_number".to_owned()))
    );
    assert_eq!(world.orders("a", Lane::Normal).await, 0);
    let said = world.ended(&message).await.unwrap().cause.detail;
    assert_eq!(
        said,
        "no network serves the number, says script (provider), asked 0 s before for 0.001000"
    );
}

/// No attempt says so.
#[tokio::test(start_paused = true)]
async fn what_is_rejected_for_its_network_tells_what_the_look_up_cost() {
    let reject = "[[policy]]\nname = \"closed\"\nmatch = { network = \"20820\" }\nreject = \"not there\"\n";
    let table = table_with("a b", ", lookup = \"always\"", reject);
    let (mut world, script) = World::asking(table, |_| ()).await;
    for cost in ["looked up for 0.001000 (script)", ""] {
        let message = world.message_to(NUMBER, Class::Transactional);
        script.says(&message.to, on("20820"));
        world.accept(&message).await;
        world.pass(20).await;
        let cause = world.ended(&message).await.unwrap().cause;
        let separator = if cost.is_empty() { "" } else { "; " };
        assert_eq!(
            (cause.code.as_str(), cause.detail),
            ("rejected", format!("not there{separator}{cost}"))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_number_is_sent_all_the_same_where_that_is_wanted() {
    let (mut world, script) = World::asking(by_network(), |lookups| lookups.dead = DeadNumbers::Send).await;
    let message = world.message_to(NUMBER, Class::Transactional);
    script.says(&message.to, dead());
    world.accept(&message).await;
    assert!(world.order("a").await.is_some());
}

/// The first answer was right once; the second is right now.
#[tokio::test(start_paused = true)]
async fn a_number_unknown_there_is_looked_up_again_before_failing_over() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    let message = world.message_to(NUMBER, Class::Transactional);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    script.says(&message.to, on("20810"));
    world
        .receipt(&order, ReceiptState::Undeliverable, ReceiptFault::Number)
        .await;
    world.pass(50).await;
    let order = world.order("b").await.unwrap();
    assert_eq!((order.network.as_str(), order.number.0), ("20810", 2));
    assert_eq!(script.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_number_that_turns_out_dead_is_not_sent_again() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    let message = world.message_to(NUMBER, Class::Transactional);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.takes(&order, "x").await;
    script.says(&message.to, dead());
    world
        .receipt(&order, ReceiptState::Undeliverable, ReceiptFault::Number)
        .await;
    world.pass(50).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Failed);
    assert!(world.order("b").await.is_none());
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_where_the_answer_is_not_worth_its_price() {
    for (price, asked) in [(1_000, 1), (10_000, 0)] {
        let set = |lookups: &mut LookUps| lookups.offer.as_mut().unwrap().price = Micros(price);
        let (mut world, script) = World::asking(by_price(), set).await;
        let message = world.message_to(NUMBER, Class::Transactional);
        script.says(&message.to, on("20810"));
        world.accept(&message).await;
        let carrier = if asked == 1 { "b" } else { "a" };
        assert!(world.order(carrier).await.is_some(), "at {price}");
        assert_eq!(script.asked(), asked, "at {price}");
    }
}

/// A router that dies while messages wait: the next one reads them again, and each gets one order that can be sent.
#[tokio::test(start_paused = true)]
async fn messages_that_wait_outlive_their_router() {
    let (mut world, script) = World::asking(by_network(), |_| ()).await;
    script.takes("33", Duration::from_millis(1_500));
    let mut messages = Vec::new();
    for number in 0..20 {
        let message = world.message_to(&format!("336399800{number:02}"), Class::Transactional);
        script.says(&message.to, if number % 4 == 0 { dead() } else { on("20810") });
        world.accept(&message).await;
        messages.push(message);
    }
    for millis in [400, 300] {
        world.pass(millis).await;
        world.crash().await;
    }
    world.pass(3_000).await;
    let mut sent = Vec::new();
    for _ in 0..100 {
        for carrier in ["a", "b"] {
            if let Some(order) = world.order(carrier).await {
                sent.push(order.message.id);
            }
        }
    }
    sent.sort_unstable();
    let wanted = |dead: bool| messages.iter().zip(0..).filter(move |(_, at)| (at % 4 == 0) == dead);
    let mut alive: Vec<_> = wanted(false).map(|(message, _)| message.id).collect();
    alive.sort_unstable();
    assert_eq!(sent, alive);
    for (message, _) in wanted(true) {
        assert_eq!(world.end(message).await.unwrap().0, EndState::Failed);
    }
}
