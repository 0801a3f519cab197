//! The arithmetic, each step with the numbers that went into it.

use anyhow::{Context as _, ensure};
use signalbox_loadtest::capacity::{Costs, Mix};
use signalbox_proto::topics::{self, PARTITIONS_DEFAULT};
use sms::CarrierName;

use super::shown::{number, octets};
use crate::{cli::Capacity, config::PARTITIONS_MAX};

/// Partitions for each router: shared out by whole ones, the busiest router then has at most a quarter more than its share.
const PARTITIONS_OF_ROUTER: u32 = 4;
/// Pods of ingest and of routers below which one that goes is missed.
const PODS_MIN: u32 = 2;
/// How long the store keeps what it knows of a message beyond its deadline: the longest grace, and a day.
const KEPT_BEYOND_SECONDS: f64 = 600.0 + 24.0 * 3_600.0;
/// The store in Redis is made of so many buckets for good, each with one primary of a cluster.
const PRIMARIES_MAX: u32 = 8;
/// Kafka drops whole segments, sixteen of which are a retention.
const SEGMENT_SHARE: f64 = 17.0 / 16.0;
/// For every 4,096 octets Kafka notes where they are and of when, in 8 and 12 octets.
const INDEX_SHARE: f64 = 1.0 + 20.0 / 4_096.0;

/// What an installation needs.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// By role: ingest, router and connector.
    pub(super) pods: Vec<(&'static str, u32)>,
    /// Of every topic that carries messages.
    pub(super) partitions: u32,
    /// Of all topics, every copy counted.
    pub(super) partitions_all: u64,
    /// Octets a second into Kafka in the busiest time, every copy counted.
    pub(super) kafka_octets_per_second: f64,
    /// Octets on the disks of all brokers.
    pub(super) kafka_disk: f64,
    /// Octets of memory of Redis.
    pub(super) redis: f64,
    /// Primaries that this is spread over; 1 = no cluster is needed.
    pub(super) primaries: u32,
    /// How that was computed.
    pub(super) parts: Vec<Part>,
}

/// A part of the arithmetic.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// What it is about.
    pub(super) head: &'static str,
    pub(super) steps: Vec<Step>,
}

/// One line of it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// What is computed.
    pub(super) what: String,
    /// From what.
    pub(super) sum: String,
    /// What comes of it.
    pub(super) result: String,
}

fn step(what: impl Into<String>, sum: impl Into<String>, result: impl Into<String>) -> Step {
    Step {
        what: what.into(),
        sum: sum.into(),
        result: result.into(),
    }
}

impl Plan {
    /// The plan for what is `asked`, by `costs`.
    ///
    /// # Errors
    /// Pods so small that more routers would be needed than can share partitions.
    pub(crate) fn new(asked: &Capacity, costs: &Costs) -> anyhow::Result<Self> {
        ensure!(asked.cores > 0.0, "--cores is 0, a pod requests more than that");
        let mix = Mix {
            segments: asked.segments,
            receipts: asked.receipts,
            keys: asked.keys,
        };
        let mut plan = Self {
            pods: Vec::new(),
            partitions: 0,
            partitions_all: 0,
            kafka_octets_per_second: 0.0,
            kafka_disk: 0.0,
            redis: 0.0,
            primaries: 1,
            parts: Vec::new(),
        };
        plan.add_pods(asked, costs, &mix)?;
        plan.add_partitions(asked)?;
        plan.add_kafka(asked, costs, &mix);
        plan.add_redis(asked, costs, &mix)?;
        Ok(plan)
    }

    fn add_pods(&mut self, asked: &Capacity, costs: &Costs, mix: &Mix) -> anyhow::Result<()> {
        let (rate, usable) = (f64::from(asked.rate), asked.cores * f64::from(asked.busy) / 100.0);
        let mut steps = Vec::new();
        for (role, least, why) in [
            ("ingest", PODS_MIN, "two at least"),
            ("router", PODS_MIN, "two at least"),
            ("connector", asked.carriers, "one for each carrier at least"),
        ] {
            let work = costs.processor_us.get(role);
            let work = work.with_context(|| format!("measured.toml says nothing of {role}"))?;
            let micros = work.of(mix);
            let cores = rate * micros / 1e6;
            let pods = (cores / usable).ceil().max(f64::from(least)) as u32;
            let sum = format!(
                "{} a second × ({} + {} × {} µs) = {cores:.2} cores; ÷ ({} cores × {} %), {why}",
                number(rate),
                work.first,
                number(mix.segments - 1.0),
                work.further,
                asked.cores,
                asked.busy
            );
            steps.push(step(role, sum, format!("{pods} pods of {} cores", asked.cores)));
            self.pods.push((role, pods));
        }
        self.parts.push(Part { head: "Pods", steps });
        Ok(())
    }

    fn add_partitions(&mut self, asked: &Capacity) -> anyhow::Result<()> {
        let routers = self
            .pods
            .iter()
            .find(|(role, _)| *role == "router")
            .map_or(0, |(_, pods)| *pods);
        let wanted = routers * PARTITIONS_OF_ROUTER;
        let partitions = wanted.max(PARTITIONS_DEFAULT).next_power_of_two();
        ensure!(
            partitions <= PARTITIONS_MAX,
            "{routers} routers want {wanted} partitions, a topic may have {PARTITIONS_MAX}: give --cores more than {} to each pod",
            asked.cores
        );
        let carrier = CarrierName::new("any").context("a name")?;
        let count = |specs: &[bus::TopicSpec]| specs.iter().map(|spec| u64::from(spec.partitions)).sum::<u64>();
        let fixed = count(&topics::fixed(partitions));
        let of_carrier = count(&topics::of_carrier(&carrier, partitions));
        let (carriers, copies) = (u64::from(asked.carriers), u64::from(asked.copies));
        self.partitions = partitions;
        self.partitions_all = (fixed + carriers * of_carrier) * copies;
        let all =
            format!("({fixed} whatever the carriers + {carriers} × {of_carrier}) × {copies} copies, over all brokers");
        let each =
            format!("{routers} routers × {PARTITIONS_OF_ROUTER}, up to a power of two, {PARTITIONS_DEFAULT} at least");
        self.parts.push(Part {
            head: "Partitions",
            steps: vec![
                step("of each topic", each, format!("{partitions}")),
                step("of all topics", all, number(self.partitions_all as f64)),
            ],
        });
        Ok(())
    }

    fn add_kafka(&mut self, asked: &Capacity, costs: &Costs, mix: &Mix) {
        let mut steps = Vec::new();
        let mut each = 0.0;
        for (kind, cost) in &costs.log {
            let octets = cost.of(mix);
            each += octets;
            steps.push(step(
                format!("in {kind}"),
                "measured, compressed",
                format!("{octets:.0} octets a message"),
            ));
        }
        let (rate, copies) = (f64::from(asked.rate), f64::from(asked.copies));
        self.kafka_octets_per_second = rate * each * copies;
        let sum = format!("{} a second × {each:.0} octets × {copies} copies", number(rate));
        steps.push(step(
            "written",
            sum,
            format!("{}/s", octets(self.kafka_octets_per_second)),
        ));
        let (mean, kept) = (rate / asked.peak, f64::from(asked.retention) * 3_600.0);
        self.kafka_disk = mean * each * copies * kept * SEGMENT_SHARE * INDEX_SHARE;
        let sum = format!(
            "{} a second on the mean × {each:.0} octets × {copies} copies × {} h × 17/16, as whole segments go, + 0.5 % of indexes",
            number(mean),
            asked.retention
        );
        steps.push(step("kept", sum, octets(self.kafka_disk)));
        self.parts.push(Part { head: "Kafka", steps });
    }

    fn add_redis(&mut self, asked: &Capacity, costs: &Costs, mix: &Mix) -> anyhow::Result<()> {
        let (rate, after) = (f64::from(asked.rate), asked.receipt_after.as_secs_f64());
        let with_receipt = Mix { receipts: 1.0, ..*mix };
        let waiting_each = costs.store.waiting.of(&with_receipt);
        let waiting = rate * mix.receipts * after * waiting_each;
        let sum = format!(
            "{} a second × {} with a receipt × {after} s × {waiting_each:.0} octets",
            number(rate),
            mix.receipts
        );
        let mut steps = vec![step("waiting for receipts", sum, octets(waiting))];
        let (mean, kept_each) = (rate / asked.peak, costs.store.kept.of(mix));
        let hours = (asked.ttl.as_secs_f64() + KEPT_BEYOND_SECONDS) / 3_600.0;
        let kept = mean * hours * 3_600.0 * kept_each;
        let sum = format!(
            "{} a second on the mean × {hours:.1} h (time to live, grace and a day) × {kept_each:.0} octets",
            number(mean)
        );
        steps.push(step("kept to know repeats", sum, octets(kept)));
        self.redis = (waiting + kept) * asked.headroom;
        let sum = format!("({} + {}) × {}", octets(waiting), octets(kept), asked.headroom);
        steps.push(step("memory", sum, octets(self.redis)));
        let work = costs
            .processor_us
            .get("redis")
            .context("measured.toml says nothing of redis")?;
        let (micros, most) = (work.of(mix), PRIMARIES_MAX);
        let cores = rate * micros / 1e6;
        let primaries = (cores * 100.0 / f64::from(asked.busy)).ceil().max(1.0) as u32;
        self.primaries = primaries.min(most);
        let sum = format!(
            "{} a second × {micros:.1} µs = {cores:.2} cores, one each × {} %; keys are spread over {most} at the most",
            number(rate),
            asked.busy
        );
        let each = octets(self.redis / f64::from(self.primaries));
        let mut result = format!("{} primaries of {each}", self.primaries);
        if primaries > most {
            result += &format!(", each busy by {:.0} %", cores * 100.0 / f64::from(most));
        }
        steps.push(step("primaries", sum, result));
        self.parts.push(Part { head: "Redis", steps });
        Ok(())
    }
}
