//! The simulated provider, under virtual time.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::{sync::Arc, time::Duration};

use lookup::{Failure, Provider, ProviderKind, Reach, Reply, SimulatorConfig, read_providers};
use service::{Dice, time};
use sms::Msisdn;

const NETWORKS: &str = "networks = { 4477 = [\"23415\", \"23410\", \"23430\"], 447799 = [\"23420\", \"23415\"] }\n";
const SEED: u64 = 7;

fn read(keys: &str) -> Result<lookup::ProviderConfig, String> {
    let text = format!("[[provider]]\nname = \"a\"\nkind = \"simulator\"\nprice = \"0.002\"\n{keys}");
    let configs = read_providers("p.toml", &text, "/".as_ref()).map_err(|problems| problems.to_string());
    configs.map(|mut configs| configs.pop().unwrap())
}

fn provider(keys: &str) -> (Arc<dyn Provider>, SimulatorConfig) {
    let config = read(&format!("{NETWORKS}{keys}")).unwrap();
    let ProviderKind::Simulator(simulator) = &config.kind else {
        panic!("{config:?}")
    };
    (config.build(&Dice::seeded(SEED)).unwrap(), simulator.as_ref().clone())
}

fn numbers(count: usize) -> Vec<Msisdn> {
    (0..count)
        .map(|n| Msisdn::new(&format!("44770{n:07}")).unwrap())
        .collect()
}

fn count(replies: &[Result<Reply, Failure>], has: impl Fn(&Reply) -> bool) -> usize {
    replies.iter().filter(|reply| reply.as_ref().is_ok_and(&has)).count()
}

/// 20,000 numbers: each share within half a percent of what was asked for, and every other network gets its part.
#[tokio::test(start_paused = true)]
async fn shares_are_as_configured() {
    let (provider, _) = provider("ported = 0.2\ndead = 0.05");
    let replies = provider.ask(&numbers(20_000)).await;
    let near = |found: usize, expected: usize| assert!(found.abs_diff(expected) < 100, "{found}, not {expected}");
    near(count(&replies, |reply| reply.reach == Reach::Dead), 1_000);
    near(count(&replies, |reply| reply.ported == Some(true)), 3_800);
    for (network, expected) in [("23415", 15_200), ("23410", 1_900), ("23430", 1_900)] {
        let network = network.parse().ok();
        near(count(&replies, |reply| reply.network == network), expected);
    }
    assert!(
        replies
            .iter()
            .flatten()
            .all(|reply| (reply.reach == Reach::Dead) == reply.network.is_none())
    );
}

#[tokio::test(start_paused = true)]
async fn a_number_gets_one_answer_for_ever() {
    let keys = "ported = 0.5\ndead = 0.1\nlatency_spread = \"1s\"\nerror_rate = 0.3\nseed = 5";
    let ((first, config), (second, _)) = (provider(keys), provider(keys));
    let numbers = numbers(1_000);
    let (mut once, again) = (first.ask(&numbers).await, second.ask(&numbers).await);
    assert_eq!(once, again, "one seed and one dice give one run");
    once = first.ask(&numbers).await;
    assert_ne!(once, again, "who is away is drawn anew");
    for (number, reply) in numbers.iter().zip(&once) {
        if let Ok(reply) = reply {
            assert_eq!(reply, &config.reply(number), "{number:?}");
        }
    }
    let other = SimulatorConfig {
        seed: 6,
        ..config.clone()
    };
    assert!(numbers.iter().any(|number| config.reply(number) != other.reply(number)));
    let more = SimulatorConfig {
        ported: 0.6,
        ..config.clone()
    };
    let was_ported = |number: &&Msisdn| config.reply(number).ported == Some(true);
    assert!(
        numbers
            .iter()
            .filter(was_ported)
            .all(|number| config.reply(number) == more.reply(number))
    );
}

#[tokio::test(start_paused = true)]
async fn it_takes_its_time_and_fails_as_often_as_it_should() {
    let (provider, _) = provider("latency = \"100ms\"\nlatency_spread = \"50ms\"\nerror_rate = 0.1");
    let (mut shortest, mut longest) = (Duration::MAX, Duration::ZERO);
    for number in numbers(200) {
        let begun = time::now();
        provider.ask(&[number]).await;
        let took = begun.elapsed();
        (shortest, longest) = (shortest.min(took), longest.max(took));
    }
    let ms = Duration::from_millis;
    assert!(shortest >= ms(100) && shortest < ms(110), "{shortest:?}");
    // The clock of the runtime counts whole milliseconds.
    assert!(longest > ms(140) && longest <= ms(151), "{longest:?}");
    let replies = provider.ask(&numbers(10_000)).await;
    let away = replies
        .iter()
        .filter(|reply| matches!(reply, Err(Failure::Away(_))))
        .count();
    assert!(away.abs_diff(1_000) < 100, "{away}");
}

#[tokio::test(start_paused = true)]
async fn the_longest_prefix_counts_and_others_are_not_known() {
    let (provider, _) = provider("");
    let ask = async |number| {
        provider
            .ask(&[Msisdn::new(number).unwrap()])
            .await
            .pop()
            .unwrap()
            .unwrap()
    };
    assert_eq!(ask("447700900123").await.network, "23415".parse().ok());
    assert_eq!(ask("447799000123").await.network, "23420".parse().ok());
    assert_eq!(ask("33612345678").await, Reply::default());
    let terms = provider.terms();
    assert_eq!((terms.numbers_max, terms.price), (100, table::Micros(2_000)));
}

#[test]
fn bad_keys_are_named() {
    for (keys, expected) in [
        ("", "\"provider.networks\" is missing"),
        ("networks = { 44x = \"23415\" }", "is no prefix"),
        (
            "networks = { 44 = \"2341\" }",
            "MCC and MNC are written together in 5 or 6 digits",
        ),
        ("networks = { 44 = [] }", "names no network"),
        (
            "networks = { 44 = \"23415\" }\nported = 0.1",
            "has a prefix with one network",
        ),
        (
            "networks = { 44 = \"23415\" }\ndead = 1.1",
            "is 1.1, allowed are 0 to 1",
        ),
        (
            "networks = { 44 = \"23415\" }\nlatency = \"2m\"",
            "is 2m, allowed are 0s to 1m",
        ),
        (
            "networks = { 44 = \"23415\" }\nlatncy = \"2m\"",
            "did you mean \"latency\"?",
        ),
    ] {
        let problems = read(keys).unwrap_err();
        assert!(problems.contains(expected), "{problems}");
    }
}
