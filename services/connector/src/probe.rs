//! One SMPP link by itself, for measurements: what stands before it in a connector (log, claims, rate, outcomes) is left out.

use std::{sync::Arc, time::Duration};

use journey::Order;
use service::{
    Dice, Tasks,
    time::{self, Instant},
};
use smpp::{BindKind, Submit};
use source::Secret;

use crate::{
    link::{self, Command, Event, Job, Tag, Verdict},
    maps::{LiveMaps, Maps},
    parts::{Concatenation, Ready},
    smpp_link::{self, Dialect, SmppConfig},
};

/// Time that each part has, and longest wait for its answer: enough for any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of the parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flood {
    /// Parts that the carrier took.
    pub taken: u64,
    /// Parts that it refused or never answered, or that were never written.
    pub lost: u64,
    /// From the first part handed to the link to the last answer; absent = it never came up.
    pub took: Option<Duration>,
}

/// A link that parts are handed to as fast as it answers.
struct Probe {
    ready: Vec<Arc<Ready>>,
    parts: u64,
    handed: u64,
    flood: Flood,
}

/// The `submit_sm`s that a link writes for `orders`, one of each.
///
/// # Panics
/// An order has no part.
pub fn submits(orders: Vec<Order>) -> Vec<Submit> {
    let smpp = SmppConfig::new(String::new(), "probe", Secret::new("probe"));
    let probe = Probe::new(orders, 0);
    let jobs = probe.ready.iter().map(|ready| job(0, ready));
    jobs.map(|job| smpp_link::submit(&smpp, &job)).collect()
}

/// Hands `parts` parts to a new link to the carrier at `address`, so that `window` are unanswered at any time, and closes it.
/// They are those of `orders`, over and over, which are cut before.
///
/// # Panics
/// There are no orders, or one has no part.
pub async fn flood(address: String, window: u32, parts: u64, orders: Vec<Order>) -> Flood {
    let (mut wire, plug) = link::wire();
    let dialect = Dialect {
        link: "probe".into(),
        bind: BindKind::Transceiver,
        window,
        smpp: SmppConfig::new(address, "probe", Secret::new("probe")),
        maps: LiveMaps::new(Maps::default()),
    };
    let mut tasks = Tasks::new();
    tasks.spawn(smpp_link::run(dialect, Dice::seeded(1), plug));
    let mut probe = Probe::new(orders, parts);
    let mut began: Option<Instant> = None;
    while let Some(event) = wire.events.recv().await {
        let room = match event {
            Event::Up if began.is_none() => {
                began = Some(time::now());
                window.into()
            }
            Event::Answers(answers) => {
                answers.iter().for_each(|answer| probe.note(&answer.verdict));
                answers.len() as u64
            }
            // What was on its way is answered; there is nobody to hand more to.
            Event::Down { .. } => break,
            _ => 0,
        };
        if let (true, Some(began)) = (probe.is_done(), began) {
            probe.flood.took = Some(began.elapsed());
            break;
        }
        let jobs = probe.jobs(room);
        if !jobs.is_empty() {
            wire.commands.send(Command::Submit(jobs));
        }
    }
    wire.commands.send(Command::Close);
    drop(wire);
    tasks.join_all().await;
    probe.flood
}

impl Probe {
    fn new(orders: Vec<Order>, parts: u64) -> Self {
        let cut = |order| Arc::new(Ready::cut(order, Concatenation::default()));
        Self {
            ready: orders.into_iter().map(cut).collect(),
            parts,
            handed: 0,
            flood: Flood::default(),
        }
    }

    fn is_done(&self) -> bool {
        self.flood.taken + self.flood.lost >= self.parts
    }

    fn note(&mut self, verdict: &Verdict) {
        *match verdict {
            Verdict::Taken { .. } => &mut self.flood.taken,
            _ => &mut self.flood.lost,
        } += 1;
    }

    /// The next parts, `room` at the most.
    fn jobs(&mut self, room: u64) -> Vec<Job> {
        let until = self.parts.min(self.handed + room);
        let ready = |flight: u64| &self.ready[flight as usize % self.ready.len()];
        let jobs = (self.handed..until).map(|flight| job(flight, ready(flight)));
        let jobs = jobs.collect();
        self.handed = until;
        jobs
    }
}

fn job(flight: u64, ready: &Arc<Ready>) -> Job {
    Job {
        tag: Tag { flight, part: 0 },
        ready: Arc::clone(ready),
        valid_for: PATIENCE,
        answer_timeout: PATIENCE,
    }
}
