//! What becomes of a carrier's queue when its link or its connector goes: whole runs without chance, timed to the
//! millisecond.

use std::{collections::BTreeMap, time::Duration};

use connector::{LinkConfig, LinkKind, simulator::SimulatorConfig};
use ingest::Draft;
use journey::{Order, Outcome};
use sms::{CarrierName, Class, Content, MessageId, Msisdn, Sender, UnixMs};
use table::files::Files;

use crate::{Evidence, Fault, Finding, Role, Scenario, drafts::Call, oracle, simulate};

/// When a run begins: see [`simulate`].
const START: UnixMs = UnixMs(1_767_225_600_000);
/// When the link or the connector goes: what connectors say was heard for long enough by then.
const LOST_AT: Duration = Duration::from_millis(14_500);
/// Longest away, until after the last message.
const AWAY: Duration = Duration::from_secs(17);

/// What is sent, and over which links.
struct Plan {
    calls: Vec<Call>,
    /// One connector each.
    links: Vec<LinkConfig>,
    fault: Fault,
}

/// A run that is over.
struct Run {
    evidence: Evidence,
    findings: Vec<Finding>,
}

/// A link to `carrier`, with so many parts a second.
fn link(name: &str, carrier: &str, rate: u32) -> LinkConfig {
    let carrier = CarrierName::new(carrier).unwrap();
    let kind = LinkKind::Simulator(SimulatorConfig::default());
    LinkConfig {
        rate: Some(rate),
        window: 50,
        ..LinkConfig::new(name, vec![carrier], kind)
    }
}

/// Atlas before Borealis, whatever waits there.
fn table() -> Files {
    let mut files = Files::default();
    files.insert("table.toml", "name = \"plain\"\ncurrency = \"EUR\"\n");
    let carriers = ["atlas", "borealis"].map(|name| format!("[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n"));
    files.insert("carriers.toml", carriers.concat());
    let route = "route = { strategy = \"priority\", carriers = [\"atlas\", \"borealis\"], spill_after = \"10m\" }";
    files.insert("policies.toml", format!("[[policy]]\nname = \"all\"\n{route}\n"));
    files.insert(
        "numbering.csv",
        "prefix,mcc,mnc,country,operator\n33,208,,FR,\n33620,208,10,FR,SFR\n",
    );
    for name in ["atlas", "borealis"] {
        files.insert(
            format!("rates/{name}.csv"),
            "mcc,mnc,prefix,price,from,until\n208,,,0.05,,\n",
        );
    }
    files
}

/// `count` messages in one call, to numbers from `first` on.
fn call(at_ms: u64, class: Class, count: u32, first: u32) -> Call {
    let draft = |index: u32| {
        let content = Content::Text(format!("message {}", first + index));
        let size = sms::count(&content);
        Draft {
            from: Sender::new("ACME").unwrap(),
            to: Msisdn::new(&format!("33620{:06}", first + index)).unwrap(),
            encoding: size.encoding,
            segments: size.segments,
            content,
            class,
            ttl: Some(Duration::from_secs(60)),
            receipt: true,
            reference: format!("m{}", first + index),
            idempotency_key: String::new(),
        }
    };
    Call {
        at: Duration::from_millis(at_ms),
        drafts: (0..count).map(draft).collect(),
    }
}

/// Ten passwords every 100 ms from `from_ms` to `until_ms`.
fn passwords(from_ms: u64, until_ms: u64) -> Vec<Call> {
    let times = (from_ms..until_ms).step_by(100);
    times
        .zip(0..)
        .map(|(at, index)| call(at, Class::Otp, 10, index * 10))
        .collect()
}

fn play(plan: Plan) -> Run {
    let scenario = Scenario {
        faults: vec![(LOST_AT, plan.fault)],
        recovers: false,
        partitions: 4,
        routers: 2,
        connectors: plan.links.into_iter().map(|link| vec![link]).collect(),
        tables: vec![table()],
        calls: plan.calls,
        ..Scenario::quiet(1)
    };
    let evidence = simulate::evidence(&scenario);
    let findings = oracle::judge(&evidence);
    Run { evidence, findings }
}

/// Milliseconds since the link or the connector went; negative before.
fn since(at: UnixMs) -> i64 {
    at.0 as i64 - (START + LOST_AT).0 as i64
}

impl Run {
    fn assert_sound(&self) {
        assert!(self.findings.is_empty(), "{:?}", self.findings);
        let delivered = self.evidence.submitted.iter().map(|part| part.message);
        let delivered: std::collections::BTreeSet<_> = delivered.collect();
        for promise in &self.evidence.promises {
            assert!(delivered.contains(&promise.id), "{} went nowhere", promise.reference);
        }
    }

    fn orders_of(&self, carrier: &str) -> impl Iterator<Item = &Order> {
        let orders = self.evidence.orders.iter();
        orders.filter(move |order| order.carrier.as_str() == carrier)
    }

    /// When each message was handed to Borealis.
    fn moved(&self) -> BTreeMap<MessageId, UnixMs> {
        let parts = self.evidence.submitted.iter().rev();
        let parts = parts.filter(|part| part.link == "to-borealis");
        parts.map(|part| (part.message, part.at)).collect()
    }

    /// How long each message of `class` took to Borealis that was Atlas's when it was lost, or became so after it. In order.
    fn moves(&self, class: Class) -> Vec<i64> {
        let moved = self.moved();
        let orders = self.orders_of("atlas").filter(|order| order.class() == class);
        let spans = orders.filter_map(|order| {
            let at = moved.get(&order.message.id)?;
            Some(since(*at) - since(order.issued_at).max(0))
        });
        let mut spans: Vec<_> = spans.collect();
        spans.sort_unstable();
        spans
    }

    /// When orders of Atlas were handed back, in order.
    fn handed_back(&self) -> Vec<i64> {
        let answers = self.evidence.answers.iter();
        let answers = answers.filter(|answer| {
            answer.order.carrier.as_str() == "atlas" && matches!(answer.outcome, Outcome::LinkDown { .. })
        });
        let mut times: Vec<_> = answers.map(|answer| since(answer.at)).collect();
        times.sort_unstable();
        times
    }
}

/// The last of these before all is well again.
fn last_of(times: impl Iterator<Item = UnixMs>) -> i64 {
    let away = times.map(since).filter(|at| *at < AWAY.as_millis() as i64);
    away.max().expect("there is one before it went")
}

fn p99(sorted: &[i64]) -> i64 {
    sorted[(sorted.len() * 99).div_ceil(100) - 1]
}

/// Links of one connector each, in the order of their names, of which the first is cut.
fn cut(links: Vec<LinkConfig>, calls: Vec<Call>) -> Run {
    play(Plan {
        calls,
        links,
        fault: Fault::Cut {
            link: 0,
            is_whole: true,
            away: AWAY,
        },
    })
}

#[test]
fn passwords_of_a_link_that_dies_are_with_the_next_carrier_within_two_seconds() {
    // 100 passwords a second at a carrier that takes 50: hundreds of them wait there when it goes.
    let links = vec![link("to-atlas", "atlas", 50), link("to-borealis", "borealis", 1_000)];
    let run = cut(links, passwords(8_000, 20_000));
    run.assert_sound();
    let parts = run.evidence.submitted.iter().filter(|part| part.link == "to-atlas");
    let sent = last_of(parts.map(|part| part.at));
    assert!(sent <= 1_000, "nothing is sent there after a second: {sent}");
    let written = last_of(run.orders_of("atlas").map(|order| order.issued_at));
    assert!(written <= 1_000, "nor is anything written for it: {written}");
    let moves = run.moves(Class::Otp);
    assert!(moves.len() >= 300, "{}", moves.len());
    assert!(
        p99(&moves) <= 2_000,
        "p99 {} ms, most {:?} ms",
        p99(&moves),
        moves.last()
    );
}

#[test]
fn the_queue_of_a_connector_that_dies_is_handed_back_within_ten_seconds() {
    let links = vec![link("to-atlas", "atlas", 50), link("to-borealis", "borealis", 1_000)];
    let run = play(Plan {
        calls: passwords(8_000, 20_000),
        links,
        fault: Fault::Kill {
            role: Role::Connector,
            index: 0,
            away: Duration::from_secs(60),
        },
    });
    run.assert_sound();
    let handed_back = run.handed_back();
    assert!(handed_back.len() >= 300, "{}", handed_back.len());
    assert!(
        (8_000..=10_000).contains(&handed_back[0]),
        "it began after {} ms",
        handed_back[0]
    );
    // What waited when it began, and a second of what came later.
    assert!(p99(&run.moves(Class::Otp)) <= 12_000);
    let written = last_of(run.orders_of("atlas").map(|order| order.issued_at));
    assert!(written <= 10_000, "routers know by then: {written}");
}

#[test]
fn a_long_bulk_queue_comes_back_at_the_bounded_rate_and_passwords_before_it() {
    let links = vec![link("to-atlas", "atlas", 50), link("to-borealis", "borealis", 2_000)];
    let bulk = (0..6).map(|index| {
        call(
            2_000 + 500 * u64::from(index),
            Class::Promotional,
            500,
            500_000 + 500 * index,
        )
    });
    let calls = bulk.chain(passwords(12_000, 18_000)).collect();
    let run = cut(links, calls);
    run.assert_sound();
    let handed_back = run.handed_back();
    assert!(handed_back.len() >= 2_000, "{}", handed_back.len());
    assert!(
        (1_000..=1_100).contains(&handed_back[0]),
        "it began after {} ms",
        handed_back[0]
    );
    for (at, second) in handed_back.iter().map(|at| (at, at + 1_000)) {
        let within = handed_back.iter().filter(|other| (*at..second).contains(other)).count();
        assert!(within <= 1_110, "{within} came back in a second");
    }
    let (passwords, bulk) = (run.moves(Class::Otp), run.moves(Class::Promotional));
    assert!(passwords.len() >= 100, "{}", passwords.len());
    assert!(p99(&passwords) <= 2_000, "{} ms", p99(&passwords));
    assert!(p99(&bulk) >= 3_000, "{} ms", p99(&bulk));
}

#[test]
fn another_connector_of_the_carrier_sends_what_waited_and_nothing_is_failed_over() {
    let links = vec![
        link("atlas-1", "atlas", 1_000),
        link("atlas-2", "atlas", 1_000),
        link("to-borealis", "borealis", 1_000),
    ];
    // Every half second, and answered within milliseconds: nothing is with the carrier when the link is cut.
    let bursts = (0..24).map(|index| call(8_250 + 500 * u64::from(index), Class::Otp, 20, 20 * index));
    let run = cut(links, bursts.collect());
    run.assert_sound();
    assert_eq!(run.handed_back(), [0_i64; 0]);
    assert!(run.moved().is_empty());
    let over = |link: &str, is_after: bool| {
        let parts = run.evidence.submitted.iter();
        let parts = parts.filter(|part| part.link == link && (since(part.at) > 0) == is_after);
        parts.filter(|part| since(part.at) < AWAY.as_millis() as i64).count()
    };
    assert!(
        over("atlas-1", false) > 50 && over("atlas-2", false) > 50,
        "both share the work"
    );
    assert_eq!(
        (over("atlas-1", true), over("atlas-2", true)),
        (0, 220),
        "the other has all of it"
    );
}

/// Drawn runs in which a connector stays away for long and a link too: of carriers with one connector, and of carriers with
/// two, of which one leaves its orders to the other.
#[test]
fn promises_hold_while_queues_are_handed_back_and_left_to_others() {
    let mut handed_back = 0;
    for seed in 0..6 {
        let mut scenario = Scenario::draw(seed);
        let mut links: Vec<_> = scenario.connectors.into_iter().flatten().collect();
        links.sort_by(|one, other| one.name.cmp(&other.name));
        links.dedup_by(|one, other| one.name == other.name);
        if seed % 2 == 0 {
            let second = |link: &LinkConfig| LinkConfig {
                name: format!("{}-2", link.name),
                ..link.clone()
            };
            links.extend(links.iter().map(second).collect::<Vec<_>>());
        }
        scenario.connectors = links.into_iter().map(|link| vec![link]).collect();
        let index = seed as usize;
        let kill = Fault::Kill {
            role: Role::Connector,
            index,
            away: Duration::from_secs(15),
        };
        let cut = Fault::Cut {
            link: index + 1,
            is_whole: true,
            away: Duration::from_secs(9),
        };
        let second = Duration::from_secs;
        scenario.faults.extend([(second(8), kill), (second(12), cut)]);
        scenario.faults.sort_by_key(|(at, _)| *at);
        let report = simulate::run(&scenario);
        assert!(report.findings.is_empty(), "{report}");
        handed_back += report.count("answer_link_down");
    }
    assert!(handed_back > 0, "nothing was handed back in any of them");
}
