//! The plan for people and for programs.

use std::fmt;

use serde_json::{Value, json};
use signalbox_loadtest::capacity::Costs;

use super::plan::Plan;
use crate::cli::Capacity;

/// The plan as a page.
pub(super) struct Page<'a> {
    pub(super) plan: &'a Plan,
    pub(super) costs: &'a Costs,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.plan.parts {
            writeln!(f, "{}", part.head)?;
            for step in &part.steps {
                writeln!(f, "  {:<22} {}\n  {:22} = {}", step.what, step.sum, "", step.result)?;
            }
            writeln!(f)?;
        }
        let Plan { pods, .. } = self.plan;
        let pods: Vec<_> = pods.iter().map(|(role, pods)| format!("{pods} × {role}")).collect();
        writeln!(
            f,
            "In short: {}; {} partitions a topic;",
            pods.join(", "),
            self.plan.partitions
        )?;
        let (written, disk, memory) = (
            octets(self.plan.kafka_octets_per_second),
            octets(self.plan.kafka_disk),
            octets(self.plan.redis),
        );
        writeln!(
            f,
            "Kafka {written}/s and {disk} of disk with all copies; Redis {memory} of memory over {}.",
            self.plan.primaries
        )?;
        let taken = &self.costs.taken;
        writeln!(
            f,
            "\nBy what a message cost on {} (Kafka {}, Redis {}): {}",
            taken.machine, taken.kafka, taken.redis, taken.command
        )
    }
}

/// The plan as one object.
pub(super) fn object(asked: &Capacity, plan: &Plan, costs: &Costs) -> Value {
    let pods: serde_json::Map<_, _> = plan
        .pods
        .iter()
        .map(|(role, pods)| ((*role).to_owned(), json!({"pods": pods, "cores": asked.cores})))
        .collect();
    let steps = plan.parts.iter().flat_map(|part| {
        let of_part = part.steps.iter();
        of_part.map(|step| json!({"part": part.head, "what": step.what, "sum": step.sum, "result": step.result}))
    });
    json!({
        "asked": {
            "rate": asked.rate, "peak": asked.peak, "segments": asked.segments, "receipts": asked.receipts,
            "receipt_after_seconds": asked.receipt_after.as_secs_f64(), "keys": asked.keys,
            "ttl_seconds": asked.ttl.as_secs_f64(), "retention_hours": asked.retention, "copies": asked.copies,
            "carriers": asked.carriers, "cores": asked.cores, "busy_percent": asked.busy, "headroom": asked.headroom,
        },
        "pods": pods,
        "partitions": plan.partitions,
        "partitions_all": plan.partitions_all,
        "kafka_octets_per_second": plan.kafka_octets_per_second.round(),
        "kafka_disk_octets": plan.kafka_disk.round(),
        "redis_octets": plan.redis.round(),
        "redis_primaries": plan.primaries,
        "arithmetic": steps.collect::<Vec<_>>(),
        "costs": costs,
    })
}

/// `octets` with a unit of the decimal kind.
pub(super) fn octets(octets: f64) -> String {
    const UNITS: [&str; 6] = ["octets", "kB", "MB", "GB", "TB", "PB"];
    let (mut value, mut unit) = (octets, 0);
    while value >= 1_000.0 && unit + 1 < UNITS.len() {
        value /= 1_000.0;
        unit += 1;
    }
    let digits = if unit == 0 || value >= 100.0 { 0 } else { 1 };
    format!("{value:.digits$} {}", UNITS[unit])
}

/// A number with its thousands apart, and two places where it is not whole.
pub(super) fn number(value: f64) -> String {
    let whole = value.trunc() as u64;
    let digits = whole.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let rest = value.fract();
    if rest >= 0.005 {
        text += &format!("{rest:.2}")[1..];
    }
    text
}
