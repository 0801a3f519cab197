//! All that a seed fixes about a run before it begins.

use std::{collections::BTreeMap, time::Duration};

use connector::{
    Concatenation, LinkConfig, LinkKind,
    simulator::{ReceiptRates, SimulatorConfig},
};
use service::Dice;
use signalbox_proto::record::Neighbour;
use sms::{CarrierName, ReceiptFault};
use table::files::Files;

use crate::{
    Bug, Role, Upgrade,
    drafts::{self, Call},
    faults::{self, Fault},
    numbers::Numbers,
    tables::{self, CARRIERS},
};

/// The carriers that each link serves, by the link's name.
pub type Links = BTreeMap<String, Vec<CarrierName>>;

/// What is added to the seed for dice of their own.
const INGESTS: u64 = 0x1A6E_5700;
const HABITS: u64 = 0x4AB1_7500;
const UPGRADES: u64 = 0x0B5A_DE00;

/// From which version to which: forth and back, on either side of this one.
const UPGRADED: [(Option<Neighbour>, Option<Neighbour>); 4] = [
    (Some(Neighbour::Older), None),
    (None, Some(Neighbour::Newer)),
    (None, Some(Neighbour::Older)),
    (Some(Neighbour::Newer), None),
];

/// One run: its tables, links, messages and faults.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it was drawn from; also seeds all dice of the run.
    pub seed: u64,
    /// The faults, by time from the beginning.
    pub faults: Vec<(Duration, Fault)>,
    /// Whether carriers behave once the faults have stopped. Otherwise they go on as before, and so do connectors.
    pub recovers: bool,
    /// Whether log and store take a moment for what they do.
    pub is_slow: bool,
    /// A bug that every process has; absent = none but what is in the services.
    pub bug: Option<Bug>,
    /// The versions of its processes.
    pub upgrade: Upgrade,
    /// Whether every call of every process is told; it changes nothing else.
    pub(crate) tells_steps: bool,
    /// Whether what processes ask of log and store is counted.
    pub(crate) is_counted: bool,
    pub(crate) partitions: u32,
    pub(crate) ingests: usize,
    pub(crate) routers: usize,
    /// Connectors: the links that each holds. A link may be held by several.
    pub(crate) connectors: Vec<Vec<LinkConfig>>,
    /// Tables by turns, as they are written.
    pub(crate) tables: Vec<Files>,
    pub(crate) calls: Vec<Call>,
    /// Who may be asked about numbers; absent = nobody.
    pub(crate) numbers: Option<Numbers>,
}

impl Scenario {
    /// The scenario of `seed`.
    pub fn draw(seed: u64) -> Self {
        let dice = Dice::seeded(seed);
        let links = links(&dice, behaviour);
        let messages = 40 + dice.below(80);
        let drawn = Self {
            seed,
            recovers: dice.below(2) == 0,
            is_slow: dice.below(4) > 0,
            bug: None,
            upgrade: Upgrade::default(),
            tells_steps: false,
            is_counted: false,
            partitions: 2 + 2 * dice.below(2) as u32,
            // From dice of their own, so that all else of a seed is as it was before there were any.
            ingests: 1 + Dice::seeded(seed ^ INGESTS).below(2) as usize,
            routers: 2,
            connectors: with_habits(seed, spread(&dice, links)),
            tables: (0..2).map(|_| tables::draw(&dice)).collect(),
            calls: drafts::draw(&dice, messages),
            faults: faults::draw(&dice),
            numbers: None,
        };
        drawn.with_numbers()
    }

    /// The same, but half of all seeds look numbers up.
    fn with_numbers(mut self) -> Self {
        self.numbers = Numbers::draw(self.seed, self.tables.len());
        if let Some(numbers) = &self.numbers {
            numbers.ask(&mut self.tables);
        }
        self
    }

    /// As [`Scenario::draw`], but every process is upgraded meanwhile, from the version before or to the one after, or back.
    pub fn rolling(seed: u64) -> Self {
        let dice = Dice::seeded(seed ^ UPGRADES);
        let (from, to) = UPGRADED[dice.below(UPGRADED.len() as u64) as usize];
        let mut drawn = Self::draw(seed);
        let processes = [
            (Role::Ingest, drawn.ingests),
            (Role::Router, drawn.routers),
            (Role::Connector, drawn.connectors.len()),
        ];
        drawn.faults.extend(faults::upgrades(&dice, processes));
        drawn.faults.sort_by_key(|(at, _)| *at);
        Self {
            upgrade: Upgrade { from, to },
            ..drawn
        }
    }

    /// As [`Scenario::draw`], but nothing goes wrong: carriers behave, and nobody dies.
    pub fn quiet(seed: u64) -> Self {
        let dice = Dice::seeded(seed);
        let links = links(&dice, |_| SimulatorConfig::default());
        Self {
            faults: Vec::new(),
            is_slow: false,
            connectors: vec![links],
            ..Self::draw(seed)
        }
    }

    /// The same with `bug` in every process.
    pub fn with(self, bug: Bug) -> Self {
        Self { bug: Some(bug), ..self }
    }

    /// The same with every step told.
    #[must_use]
    pub fn told(self) -> Self {
        Self {
            tells_steps: true,
            ..self
        }
    }

    /// Nothing goes wrong, and messages of one segment that want a receipt come one after the other: what one of them
    /// costs shows in the sum.
    pub(crate) fn one_by_one(messages: u64) -> Self {
        Self {
            tables: vec![tables::plain()],
            numbers: None,
            calls: drafts::one_by_one(messages),
            is_counted: true,
            // Connectors that start again are sent some receipts again.
            recovers: false,
            ..Self::quiet(0)
        }
    }

    /// The carriers of each link.
    pub fn links(&self) -> Links {
        let links = self.connectors.iter().flatten();
        links.map(|link| (link.name.clone(), link.carriers.clone())).collect()
    }
}

/// `connectors` with habits of their carriers that came later: answers that come twice, and such as take seconds.
fn with_habits(seed: u64, mut connectors: Vec<Vec<LinkConfig>>) -> Vec<Vec<LinkConfig>> {
    let dice = Dice::seeded(seed ^ HABITS);
    let mut habits: BTreeMap<String, (f64, Option<Duration>)> = BTreeMap::new();
    for link in connectors.iter_mut().flatten() {
        let (repeats, slow) = *habits.entry(link.name.clone()).or_insert_with(|| {
            let repeats = [0.0, 0.0, 0.3 * dice.fraction()][dice.below(3) as usize];
            let slow = Duration::from_millis(800 + dice.below(3_200));
            (repeats, (dice.below(6) == 0).then_some(slow))
        });
        if let LinkKind::Simulator(config) = &mut link.kind {
            config.repeat_rate = repeats;
            config.latency = slow.unwrap_or(config.latency);
        }
    }
    connectors
}

/// Two or three links over the four carriers.
fn links(dice: &Dice, behaviour: impl Fn(&Dice) -> SimulatorConfig) -> Vec<LinkConfig> {
    let shapes: [&[&[&str]]; 2] = [
        &[&["atlas", "borealis"], &["cirrus", "delta"]],
        &[&["atlas"], &["borealis", "delta"], &["cirrus"]],
    ];
    let shape = shapes[dice.below(2) as usize];
    debug_assert_eq!(
        shape.iter().map(|link| link.len()).sum::<usize>(),
        CARRIERS.len(),
        "every carrier has a link"
    );
    let mut links = Vec::new();
    for names in shape {
        let carriers = names
            .iter()
            .map(|name| CarrierName::new(name).expect("the list holds names"));
        let name = format!("to-{}", names[0]);
        let mut link = LinkConfig::new(name, carriers.collect(), LinkKind::Simulator(behaviour(dice)));
        link.window = 2 + dice.below(30) as u32;
        link.rate = (dice.below(3) == 0).then(|| 10 + dice.below(90) as u32);
        if dice.below(3) == 0 {
            link.concatenation = Concatenation::Udh16;
        }
        if dice.below(2) == 0 {
            // Simulated receipts carry no error code: all their failures blame the route on this link.
            link.faults.set("", ReceiptFault::Route);
        }
        links.push(link);
    }
    links
}

/// Who holds which links: one connector all of them, or each link one or two of its own.
fn spread(dice: &Dice, links: Vec<LinkConfig>) -> Vec<Vec<LinkConfig>> {
    if dice.below(3) == 0 {
        return vec![links];
    }
    let mut connectors = Vec::new();
    for link in links {
        if dice.below(2) == 0 {
            connectors.push(vec![link.clone()]);
        }
        connectors.push(vec![link]);
    }
    connectors
}

fn behaviour(dice: &Dice) -> SimulatorConfig {
    // Half of the carriers have no bad habit of a kind at all, so that habits show alone as well as together.
    let share = |most: f64| {
        if dice.below(2) == 0 {
            0.0
        } else {
            dice.fraction() * most
        }
    };
    SimulatorConfig {
        seed: None,
        latency: Duration::from_millis(2 + dice.below(80)),
        latency_spread: Duration::from_millis(dice.below(150)),
        error_rate: share(0.2),
        throttle_rate: share(0.2),
        drop_rate: share(0.1),
        late_rate: share(0.1),
        repeat_rate: 0.0,
        receipts: ReceiptRates {
            delay: Duration::from_millis(dice.below(2_500)),
            spread: Duration::from_millis(dice.below(6_000)),
            failed: share(0.3),
            lost: share(0.15),
            repeated: share(0.3),
        },
    }
}
