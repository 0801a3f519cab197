//! The numbers to reach, and whether this run did.

use super::{
    Args,
    report::{Occasion, OnBus, memory_growth},
};
use crate::{
    chaos::args::Bus,
    row::{Bound, Row},
    spread::Spread,
};

/// Messages a second from end to end.
const EMBEDDED_MIN: f64 = 20_000.0;
const KAFKA_MIN: f64 = 8_000.0;
/// Milliseconds from accepted to the carrier at half that load.
const P50_MS_MAX: f64 = 5.0;
const P99_MS_MAX: f64 = 25.0;
/// Megabytes of a service at full load.
const MEMORY_MB_MAX: f64 = 300.0;
/// What is as much more at the end is still flat.
const GROWTH_MAX: f64 = 1.1;
/// What a message may cost, as a multiple of the floor.
const RATIO_MAX: f64 = 3.0;

/// The rows that the runs say something about: those of the routing table first.
pub(super) fn rows(buses: &[OnBus], decide: Vec<Row>, args: &Args) -> Vec<Row> {
    let mut rows = decide;
    for bus in buses {
        rows.extend(of_bus(bus, args).into_iter().flatten());
    }
    rows
}

fn of_bus(bus: &OnBus, args: &Args) -> [Option<Row>; 6] {
    let word = bus.word();
    let throughput = match bus.bus {
        Bus::Embedded => EMBEDDED_MIN,
        Bus::Kafka => KAFKA_MIN,
    };
    let row = |what: String, bound, unit: &str, places, measured: Option<Spread>| {
        Some(Row {
            what,
            bound,
            unit: unit.to_owned(),
            measured: measured?,
            places,
        })
    };
    // Over Kafka nothing is promised of latency.
    let half = || bus.steady(Occasion::HalfLoad).filter(|_| bus.bus == Bus::Embedded);
    let rate = args.steady_rate;
    let growth = Spread::of(bus.steady(Occasion::Soak).filter_map(memory_growth));
    [
        row(
            format!("{word}: gRPC in → SMPP carrier → receipt back"),
            Bound::AtLeast(throughput),
            "messages/s",
            0,
            bus.per_second(),
        ),
        row(
            format!("{word}: accepted → carrier has it, at {rate}/s, p50"),
            Bound::AtMost(P50_MS_MAX),
            "ms",
            1,
            Spread::of(half().map(|run| run.to_carrier.p50_ms)),
        ),
        row(
            format!("{word}: accepted → carrier has it, at {rate}/s, p99"),
            Bound::AtMost(P99_MS_MAX),
            "ms",
            1,
            Spread::of(half().map(|run| run.to_carrier.p99_ms)),
        ),
        row(
            format!("{word}: most memory of a service at full load"),
            Bound::AtMost(MEMORY_MB_MAX),
            "MB",
            0,
            bus.memory_mb_max(),
        ),
        row(
            format!(
                "{word}: memory at the end ÷ at the beginning, {} min",
                args.soak_minutes
            ),
            Bound::AtMost(GROWTH_MAX),
            "",
            2,
            growth,
        ),
        row(
            format!("{word}: processor time of a message ÷ the floor's"),
            Bound::AtMost(RATIO_MAX),
            "",
            2,
            bus.ratio(),
        ),
    ]
}
