//! Dashboards and alerts name what is there: a real Prometheus with the alerts of the chart scrapes real processes, and is asked.

use std::{
    collections::BTreeSet,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use backing::{Prometheus, Redis, RedisOptions, shared_kafka};
use serde_json::Value;
use service::time;
use signalbox_loadtest::{smsc::Behaviour, stage::Ground};

use crate::{load, rig::Rig};

/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks: Prometheus looks once a second.
const LOOK: Duration = Duration::from_millis(500);
/// What has no value before the first answer of a carrier.
const MEASURED: [&str; 1] = ["signalbox_connector_link_round_trip_seconds"];
/// Time to live of every message: no stall of this machine may end one.
const TTL: Duration = Duration::from_secs(600);
/// Messages sent, and millionths that the cheapest costs.
const MESSAGES: usize = 400;
const PRICE_MICROS: f64 = 10_000.0;

fn chart(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../helm/signalbox")
        .join(name)
}

/// Every expression of the chart's dashboards, with the place where it stands.
fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in fs::read_dir(chart("dashboards")).unwrap() {
        let file = file.unwrap().path();
        let dashboard: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for panel in dashboard["panels"].as_array().unwrap() {
            let place = format!("{}: {}", file.display(), panel["title"]);
            for target in panel["targets"].as_array().unwrap() {
                let expression = target["expr"].as_str().unwrap().replace("$__rate_interval", "10s");
                found.push((place.clone(), expression));
            }
        }
    }
    found
}

/// Names of metrics in `text`; of alternatives in brackets, as after `__name__=~`, each is one.
fn names(text: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        let is_part = |character: &char| character.is_ascii_lowercase() || *character == '_';
        text.chars().take_while(is_part).collect()
    };
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("signalbox_") {
        let word = name(&text[at..]);
        let rest = &text[at + word.len()..];
        match rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            Some((choices, after)) => {
                found.extend(
                    choices
                        .split('|')
                        .map(|choice| format!("{word}{choice}{}", name(after))),
                );
            }
            None => _ = found.insert(word),
        }
    }
    found
}

/// What an answer of Prometheus has at `path` of its data.
fn data(body: &str, path: &str) -> Value {
    let body: Value = serde_json::from_str(body).unwrap();
    body.pointer(&format!("/data{path}")).cloned().unwrap_or_default()
}

fn items(body: &str, path: &str) -> Vec<Value> {
    data(body, path).as_array().cloned().unwrap_or_default()
}

/// Waits until nothing is missing.
async fn until_none(what: &str, missing: impl Fn() -> Vec<String>) {
    let none = async {
        while !missing().is_empty() {
            time::sleep(LOOK).await;
        }
    };
    let is_none = time::timeout(PATIENCE, none).await.is_some();
    assert!(is_none, "{what}: {:#?}", missing());
}

/// Names among `wanted` that no process ever showed.
fn absent(prometheus: &Prometheus, wanted: &BTreeSet<String>) -> Vec<String> {
    let body = prometheus.get("/api/v1/label/__name__/values").unwrap();
    let shown: BTreeSet<String> = serde_json::from_value(data(&body, "")).unwrap();
    wanted.difference(&shown).cloned().collect()
}

/// Processes that do not answer.
fn silent(prometheus: &Prometheus) -> Vec<String> {
    let targets = items(&prometheus.get("/api/v1/targets").unwrap(), "/activeTargets");
    let silent = targets.iter().filter(|target| target["health"] != "up");
    silent.map(|target| target["labels"].to_string()).collect()
}

/// Alerts that cannot be evaluated, and those that were not yet.
fn broken(prometheus: &Prometheus) -> Vec<String> {
    let groups = items(&prometheus.get("/api/v1/rules").unwrap(), "/groups");
    let rules: Vec<_> = groups
        .iter()
        .filter_map(|group| group["rules"].as_array())
        .flatten()
        .collect();
    assert!(rules.len() > 10, "the alerts of the chart are loaded: {groups:?}");
    let broken = rules.iter().filter(|rule| rule["health"] != "ok");
    broken.map(|rule| rule.to_string()).collect()
}

/// The value of an expression, 0 where it has none.
fn value(prometheus: &Prometheus, expression: &str) -> f64 {
    let value = data(&prometheus.query(expression).unwrap(), "/result/0/value/1");
    value.as_str().map_or(0.0, |value| value.parse().unwrap())
}

#[test]
fn names_are_found_alone_in_functions_and_as_alternatives() {
    let text = r#"sum(rate(signalbox_a_total{x="y"}[1m])) / {__name__=~"signalbox_(b|c)_d_total"} + signalbox_e"#;
    let found: Vec<_> = names(text).into_iter().collect();
    let expected = [
        "signalbox_a_total",
        "signalbox_b_d_total",
        "signalbox_c_d_total",
        "signalbox_e",
    ];
    assert_eq!(found, expected);
}

/// Starts ingest, router and connector over Kafka and Redis, looks before the first message and after some hundred.
#[tokio::test(flavor = "multi_thread")]
async fn every_metric_that_a_dashboard_or_an_alert_names_is_scraped() {
    let redis = Redis::start(RedisOptions::default()).unwrap();
    let ground = Ground::Apart {
        brokers: shared_kafka().bootstrap(),
        redis: redis.url(),
    };
    scrape(&ground, 3).await;
}

/// The same with all of it in one process.
#[tokio::test(flavor = "multi_thread")]
async fn one_process_shows_every_metric_that_a_dashboard_or_an_alert_names() {
    scrape(&Ground::Embedded, 1).await;
}

async fn scrape(ground: &Ground, processes: usize) {
    let rig = Rig::start(ground, vec![Behaviour::default(); 2], "").await;
    let probes = rig.probes();
    let targets: Vec<(&str, SocketAddr)> = probes.iter().map(|(name, at)| (name.as_str(), *at)).collect();
    assert_eq!(targets.len(), processes, "{targets:?}");
    let rules = chart("alerts/signalbox.yaml");
    let prometheus = match Prometheus::start(&targets, &rules) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return backing::skipped(error),
        started => started.unwrap(),
    };
    until_none("processes that do not answer", || silent(&prometheus)).await;
    until_none("alerts that cannot be evaluated", || broken(&prometheus)).await;

    let expressions = expressions();
    let mut wanted = names(&fs::read_to_string(rules).unwrap());
    wanted.extend(expressions.iter().flat_map(|(_, expression)| names(expression)));
    assert!(wanted.len() > 40, "dashboards and alerts are read: {wanted:?}");
    let mut early = wanted.clone();
    early.retain(|name| !MEASURED.contains(&name.as_str()));
    until_none("named and not there before the first message", || {
        absent(&prometheus, &early)
    })
    .await;

    let outcome = load::run(rig.target(), (&load::letters(MESSAGES, 2), TTL), Vec::new(), 0, || ()).await;
    assert_eq!(outcome.accepted, MESSAGES);
    until_none("named and not there after messages", || absent(&prometheus, &wanted)).await;
    for (place, expression) in &expressions {
        prometheus
            .query(expression)
            .unwrap_or_else(|error| panic!("{place}: {error}"));
    }
    until_none("messages that were not counted", || uncounted(&prometheus)).await;

    add_carrier(rig.folder.path(), "nobody");
    until_none(
        "carriers that no connector serves, and that are not shown as down",
        || {
            let down = value(
                &prometheus,
                "count(signalbox_router_carrier_up{carrier=\"nobody\"} == 0)",
            );
            if down == 1.0 {
                Vec::new()
            } else {
                vec!["nobody".to_owned()]
            }
        },
    )
    .await;
}

/// Puts a carrier into the table that no link serves.
fn add_carrier(folder: &Path, name: &str) {
    let table = folder.join("table");
    fs::write(
        table.join(format!("rates/{name}.csv")),
        "mcc,mnc,prefix,price,from,until\n999,,,9.99,,\n",
    )
    .unwrap();
    let carriers = table.join("carriers.toml");
    let others = fs::read_to_string(&carriers).unwrap();
    fs::write(
        carriers,
        format!("{others}[[carrier]]\nname = \"{name}\"\ncurrency = \"EUR\"\n"),
    )
    .unwrap();
}

/// What is wrong with what was counted of the messages.
fn uncounted(prometheus: &Prometheus) -> Vec<String> {
    let all = MESSAGES as f64;
    let least = [
        ("signalbox_ingest_messages_accepted_total", all),
        ("signalbox_router_ends_total", all),
        ("signalbox_router_carrier_ends_total", all),
        ("signalbox_connector_outcomes_total", all),
        ("signalbox_router_cost_micros_total", all * PRICE_MICROS),
    ];
    let found = least.map(|(name, least)| (name, least, value(prometheus, &format!("sum({name})"))));
    let wrong = found.into_iter().filter(|(_, least, found)| found < least);
    wrong
        .map(|(name, least, found)| format!("{name} is {found}, at least {least}"))
        .collect()
}
