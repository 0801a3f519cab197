//! Reads what must hold.

use sms::Class;
use source::{Code, Section};

use super::super::spec::{Figure, Goal, Load};
use crate::row::Bound;

/// Times that a goal can allow.
const SPAN: [&str; 2] = ["1ms", "4h"];

/// Every goal, of the messages that `loads` send.
pub(super) fn read(root: &Section<'_>, loads: &[Load]) -> Vec<Goal> {
    let Some(section) = root.key("slo").section() else {
        return Vec::new();
    };
    let mut goals = of(&section, None);
    let memory = section.key("memory_mb").number(1.0..=1e6);
    goals.extend(memory.map(|bound| Goal {
        class: None,
        figure: Figure::Memory,
        bound: Bound::AtMost(bound),
    }));
    for class in Class::ALL {
        let entry = section.key(class.as_str());
        if let Some(section) = entry.section() {
            if !loads.iter().any(|load| load.class == class) {
                entry.refuse(
                    Code::UNDEFINED,
                    "is about messages that no load sends",
                    "",
                    "add a load or remove it",
                );
            }
            goals.extend(of(&section, Some(class)));
        }
    }
    goals
}

fn of(section: &Section<'_>, class: Option<Class>) -> Vec<Goal> {
    let span = |name: &str| {
        let span = section.key(name).duration(SPAN[0], SPAN[1])?;
        Some(Bound::AtMost(span.as_secs_f64() * 1_000.0))
    };
    let least = |name: &str, most| section.key(name).number(0.0..=most).map(Bound::AtLeast);
    let found = [
        (Figure::Throughput, least("throughput", 1e6)),
        (Figure::Delivered, least("delivered", 1.0)),
        (Figure::P50, span("p50")),
        (Figure::P99, span("p99")),
        (Figure::ReceiptP99, span("receipt_p99")),
    ];
    let goal = |(figure, bound): (Figure, Option<Bound>)| {
        Some(Goal {
            class,
            figure,
            bound: bound?,
        })
    };
    found.into_iter().filter_map(goal).collect()
}
