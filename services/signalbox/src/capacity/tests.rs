//! The arithmetic by costs that are easy to follow, and the committed ones held against our own encoders.

use std::collections::BTreeMap;

use clap::Parser as _;
use signalbox_loadtest::capacity::{Cost, Costs, StoreCosts, Taken, Work};

use super::*;
use crate::cli::{Arguments, Command};

fn asked(words: &str) -> Capacity {
    let words = format!("signalbox capacity {words}");
    let arguments = Arguments::try_parse_from(words.split(' ')).unwrap();
    let Command::Capacity(asked) = arguments.command else {
        panic!("another command");
    };
    *asked
}

fn refusal(words: &str) -> String {
    let words = format!("signalbox capacity {words}");
    Arguments::try_parse_from(words.split(' ')).unwrap_err().to_string()
}

/// 100 µs in each role, 1,000 octets on the log, 1,000 waiting and 500 kept.
fn costs() -> Costs {
    let work = Work {
        first: 100.0,
        further: 50.0,
    };
    let cost = |first: f64| Cost {
        first,
        further: first / 2.0,
        silent: first / 4.0,
        key: 10.0,
    };
    Costs {
        taken: Taken {
            command: String::new(),
            machine: String::new(),
            kafka: String::new(),
            redis: String::new(),
        },
        processor_us: ["ingest", "router", "connector", "redis"]
            .map(|role| (role.to_owned(), work))
            .into(),
        log: BTreeMap::from([("accepted".to_owned(), cost(1_000.0))]),
        store: StoreCosts {
            waiting: cost(1_000.0),
            kept: cost(500.0),
        },
        encoded: BTreeMap::new(),
    }
}

fn plan(words: &str) -> Plan {
    Plan::new(&asked(words), &costs()).unwrap()
}

fn pods(plan: &Plan, role: &str) -> u32 {
    plan.pods.iter().find(|(name, _)| *name == role).unwrap().1
}

#[test]
fn pods_bear_the_busiest_time_with_room_to_spare() {
    // 10,000 × 100 µs is a core; a pod of one core is used to 70 %.
    let one = plan("--rate 10000 --segments 1");
    assert_eq!((pods(&one, "ingest"), pods(&one, "router")), (2, 2));
    // Ten cores, 14.3 pods.
    let ten = plan("--rate 100000 --segments 1 --peak 4");
    assert_eq!((pods(&ten, "ingest"), pods(&ten, "router")), (15, 15));
    // Three segments take twice as much, pods of two cores half as many.
    let long = plan("--rate 100000 --segments 3 --cores 2");
    assert_eq!(pods(&long, "router"), 15);
    assert_eq!(pods(&one, "connector"), 5, "each carrier has a pod");
}

#[test]
fn partitions_are_four_for_each_router_and_a_power_of_two() {
    assert_eq!(plan("--rate 1000").partitions, 8);
    assert_eq!(plan("--rate 100000 --segments 1").partitions, 64);
    let all = plan("--rate 1000 --carriers 1 --copies 3");
    let fixed: u32 = signalbox_proto::topics::fixed(8)
        .iter()
        .map(|spec| spec.partitions)
        .sum();
    assert_eq!(all.partitions_all, (u64::from(fixed) + 3 * 8) * 3);
}

#[test]
fn more_routers_than_partitions_are_refused_with_what_helps() {
    let error = Plan::new(&asked("--rate 100000 --cores 0.1"), &costs())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a topic may have 256") && error.contains("--cores"),
        "{error}"
    );
    assert!(Plan::new(&asked("--rate 1 --cores 0"), &costs()).is_err());
}

#[test]
fn disk_is_of_the_mean_over_the_retention_and_writing_of_the_busiest_time() {
    let plan = plan("--rate 1000 --peak 2 --segments 1 --keys 0 --copies 3 --retention 49");
    assert!((plan.kafka_octets_per_second - 3e6).abs() < 1.0);
    let wanted = 500.0 * 1_000.0 * 3.0 * 49.0 * 3_600.0 * 17.0 / 16.0 * (1.0 + 20.0 / 4_096.0);
    assert!((plan.kafka_disk - wanted).abs() < 1.0, "{}", plan.kafka_disk);
}

#[test]
fn memory_is_of_what_waits_and_what_is_kept() {
    let plan = plan("--rate 1000 --segments 1 --keys 0 --receipt-after 10s --ttl 4h --headroom 1");
    let kept = 1_000.0 * (28.0 * 3_600.0 + 600.0) * 500.0;
    assert!(
        (plan.redis - (1_000.0 * 10.0 * 1_000.0 + kept)).abs() < 1.0,
        "{}",
        plan.redis
    );
}

/// Two cores of Redis at 70 % are three primaries; a hundred cannot be had.
#[test]
fn redis_is_spread_over_as_many_primaries_as_keys_allow() {
    assert_eq!(plan("--rate 1000 --segments 1").primaries, 1);
    assert_eq!(plan("--rate 20000 --segments 1").primaries, 3);
    let most = plan("--rate 100000 --segments 10 --cores 64");
    assert_eq!(most.primaries, 8);
    let of_redis = &most.parts.last().unwrap().steps;
    assert!(
        of_redis.last().unwrap().result.contains("each busy by 688 %"),
        "{of_redis:?}"
    );
}

#[test]
fn segments_receipts_and_keys_count_where_they_cost() {
    let octets = |words: &str| plan(&format!("--rate 1 --copies 1 {words}")).kafka_octets_per_second;
    assert_eq!(octets("--segments 1 --keys 0"), 1_000.0);
    assert_eq!(octets("--segments 3 --keys 0"), 2_000.0);
    assert_eq!(octets("--segments 1 --keys 0.5"), 1_005.0);
    assert_eq!(octets("--segments 1 --keys 0 --receipts 0.5"), 625.0);
}

#[test]
fn nonsense_is_refused_with_the_range() {
    for (words, range) in [
        ("--rate 0", "1..=100000"),
        ("--rate 100001", "1..=100000"),
        ("--rate 1 --receipts 1.5", "0..=1"),
        ("--rate 1 --receipts nan", "0..=1"),
        ("--rate 1 --segments 0.5", "1..=10"),
        ("--rate 1 --peak 0", "1..=100"),
        ("--rate 1 --retention 48", "49..=8760"),
        ("--rate 1 --ttl 25h", "1ms and 24h"),
        ("--rate 1 --copies 0", "1..=7"),
    ] {
        let refusal = refusal(words);
        assert!(refusal.contains(range), "{words}: {refusal}");
    }
}

#[test]
fn the_page_shows_the_arithmetic() {
    let (asked, costs) = (asked("--rate 20000 --segments 1"), costs());
    let plan = Plan::new(&asked, &costs).unwrap();
    let page = shown::Page {
        plan: &plan,
        costs: &costs,
    }
    .to_string();
    for words in [
        "20,000 a second × (100 + 0 × 50 µs) = 2.00 cores",
        "= 3 pods of 1 cores",
        "In short: ",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

/// Every kind of record and value is counted in the simulation and compared with what it was when costs were measured.
#[test]
fn committed_costs_are_those_of_our_own_records() {
    const DRIFT_MAX: f64 = 0.2;
    let committed = Costs::committed().unwrap();
    let now = signalbox_loadtest::capacity::encoded();
    let kinds = |of: &BTreeMap<String, f64>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(kinds(&committed.encoded), kinds(&now), "other kinds: measure again");
    for (kind, octets) in &now {
        let then = committed.encoded[kind];
        let drift = (octets - then).abs() / then;
        assert!(
            drift <= DRIFT_MAX,
            "{kind} takes {octets} octets a message, {then} when costs were measured: run `make capacity`"
        );
    }
}

#[test]
fn committed_costs_make_a_plan_for_every_rate() {
    let costs = Costs::committed().unwrap();
    for words in ["--rate 1", "--rate 100000 --segments 10 --cores 8", "--rate 100000"] {
        let plan = Plan::new(&asked(words), &costs).unwrap();
        assert!(plan.redis > 0.0 && plan.kafka_disk > 0.0, "{words}");
    }
}
