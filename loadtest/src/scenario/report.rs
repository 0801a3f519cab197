//! What a scenario came to, for people and as JSON.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use sms::Class;

use super::{
    measures::{ALL, Measured, Measures},
    spec::{Event, Figure, Scenario},
};
use crate::{
    chaos::args::Bus,
    customer::Troubles,
    hops::Hop,
    oracle::Verdict,
    row::Row,
    setting::Setting,
    spread::Spread,
    watch::{Sample, Taken, largest_service},
};

/// Everything that a run found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// What carried messages.
    pub bus: Bus,
    /// On what, and with what.
    pub setting: Setting,
    /// What went wrong on purpose, in words.
    pub events: Vec<String>,
    /// The goals, and whether they were reached.
    pub goals: Vec<Row>,
    /// What the books find wrong; empty = they are in order.
    pub findings: Vec<String>,
    /// Messages that were accepted.
    pub accepted: usize,
    /// How they ended.
    pub states: BTreeMap<String, usize>,
    /// Messages that carriers had more than once: an answer was lost, or one reported it undelivered and another was asked.
    pub doubled: usize,
    /// What the customer's calls came to beside answers.
    pub troubles: BTreeMap<String, u64>,
    /// What became of the messages of each class, and of `all`.
    pub classes: BTreeMap<String, Measured>,
    /// Where messages were for how long.
    pub hops: Vec<Hop>,
    /// Microseconds of one core for each message, by what processes do.
    pub processor_us: BTreeMap<String, f64>,
    /// The most memory that a process of each kind had.
    pub memory_mb_max: BTreeMap<String, f64>,
    /// Cores and memory over time.
    pub samples: Vec<Sample>,
}

/// What a report is made of.
pub(super) struct Parts<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) setting: Setting,
    pub(super) measures: Measures<'a>,
    pub(super) taken: Taken,
    pub(super) verdict: Verdict,
    pub(super) troubles: Troubles,
    /// What was said of a message that was refused for good.
    pub(super) refused: Option<String>,
}

impl Report {
    pub(super) fn new(parts: Parts<'_>) -> Self {
        let Parts {
            scenario,
            measures,
            taken,
            verdict,
            refused,
            ..
        } = parts;
        let hops = measures.hops();
        let refused = refused.map(|why| format!("a message was refused for good: {why}"));
        let mut report = Self {
            scenario: scenario.name.clone(),
            bus: scenario.bus,
            setting: parts.setting,
            events: scenario.events.iter().map(|event| told(event, scenario)).collect(),
            goals: Vec::new(),
            findings: verdict.findings.into_iter().chain(refused).collect(),
            accepted: verdict.accepted,
            states: verdict.states,
            doubled: verdict.doubled.len(),
            troubles: parts.troubles,
            classes: measures.told(),
            hops,
            processor_us: taken.processor_us,
            memory_mb_max: taken.memory_mb_max,
            samples: taken.samples,
        };
        let goals = scenario.goals.iter().filter_map(|goal| {
            let measured = report.figure(goal.class, goal.figure)?;
            let (what, unit, places) = goal.figure.words();
            Some(Row {
                what: format!("{}: {what}", named(goal.class)),
                bound: goal.bound,
                unit: unit.to_owned(),
                measured,
                places,
            })
        });
        report.goals = goals.collect();
        report
    }

    /// A figure of one run; `None` = there were no such messages.
    fn figure(&self, class: Option<Class>, figure: Figure) -> Option<Spread> {
        let found = match figure {
            Figure::Memory => Some(largest_service(&self.memory_mb_max)),
            _ => self.classes.get(named(class))?.figure(figure),
        };
        Spread::of(found)
    }

    /// Whether every goal was reached, and the books are in order.
    pub fn is_good(&self) -> bool {
        self.findings.is_empty() && self.goals.iter().all(Row::is_met)
    }

    /// Every figure, with its name, in order.
    pub fn figures(&self) -> Vec<(String, Spread)> {
        let classes = [None].into_iter().chain(Class::ALL.map(Some));
        let each = classes.flat_map(|class| Figure::OF_MESSAGES.map(|figure| (class, figure)));
        let of_messages = each.filter_map(|(class, figure)| {
            let (what, unit, _) = figure.words();
            let name = format!("{}: {what} {unit}", named(class));
            Some((name.trim_end().to_owned(), self.figure(class, figure)?))
        });
        let single = |name: String, value: f64| Some((name, Spread::of([value])?));
        let costs = self.processor_us.iter();
        let costs = costs.filter_map(|(name, cost)| single(format!("{name}, µs of a message"), *cost));
        let memory = self.memory_mb_max.iter();
        let memory = memory.filter_map(|(name, memory)| single(format!("{name}, most memory MB"), *memory));
        of_messages.chain(costs).chain(memory).collect()
    }
}

/// What messages of `class` are called.
fn named(class: Option<Class>) -> &'static str {
    class.map_or(ALL, Class::as_str)
}

/// An event in words.
fn told(event: &Event, scenario: &Scenario) -> String {
    let [from, until] = [event.span.from, event.span.until].map(source::duration_text);
    let what = scenario.told(&event.change);
    format!("from {from} until {until}: {what}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} over {}\n{}", self.scenario, self.bus.words(), self.setting)?;
        for event in &self.events {
            writeln!(f, "{event}")?;
        }
        if !self.goals.is_empty() {
            writeln!(f, "{:<62} {:<18} {:<34} verdict", "what", "goal", "measured")?;
        }
        self.goals.iter().try_for_each(|goal| writeln!(f, "{goal}"))?;
        writeln!(
            f,
            "\n{:<14} {:>8} {:>10} {:>9}",
            "messages", "sent", "delivered", "a second"
        )?;
        for (name, measured) in &self.classes {
            let Measured {
                sent,
                delivered,
                per_second,
                ..
            } = measured;
            writeln!(f, "{name:<14} {sent:>8} {delivered:>10} {per_second:>9.0}")?;
            writeln!(f, "  {:<28} {}", "due → accepted", measured.to_accepted)?;
            writeln!(f, "  {:<28} {}", "due → carrier has it", measured.to_carrier)?;
            writeln!(f, "  {:<28} {}", "due → receipt", measured.to_receipt)?;
        }
        self.write_costs(f)?;
        self.write_books(f)
    }
}

impl Report {
    fn write_costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nwhere messages were")?;
        for hop in &self.hops {
            writeln!(f, "  {:<58} {}", hop.what, hop.latency)?;
        }
        writeln!(f, "\n{:<26} {:>18} {:>12}", "process", "µs of a message", "most memory")?;
        for (name, cost) in &self.processor_us {
            let memory = self.memory_mb_max.get(name).copied().unwrap_or_default();
            writeln!(f, "{name:<26} {cost:>18.1} {memory:>9.0} MB")?;
        }
        Ok(())
    }

    fn write_books(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states: Vec<_> = self
            .states
            .iter()
            .map(|(state, count)| format!("{state} {count}"))
            .collect();
        let (accepted, states, doubled) = (self.accepted, states.join(", "), self.doubled);
        writeln!(
            f,
            "\naccepted {accepted}, ended: {states}; messages that carriers had again {doubled}"
        )?;
        for (what, count) in &self.troubles {
            writeln!(f, "the customer met: {what}: {count}")?;
        }
        let order = if self.findings.is_empty() {
            "in order"
        } else {
            "NOT in order:"
        };
        writeln!(f, "The books are {order}")?;
        self.findings.iter().try_for_each(|finding| writeln!(f, "  {finding}"))
    }
}
