//! Look-ups of a run: a simulated provider that is slow, fails, and knows who was ported and who is gone.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use lookup::{
    BreakerConfig, Chain, ChainConfig, ChainDeps, Limits, Offer, Portability, ProviderConfig, ProviderKind, Rates,
    Reach, Reply, SimulatorConfig, Upstream,
};
use router::LookUps;
use service::{Deps, Dice};
use sms::{Message, Msisdn};
use table::{LiveTable, Micros, Network, files::Files};

use crate::drafts;

/// Added to the seed for dice of their own.
const NUMBERS: u64 = 0x10_0CA7_0000;
/// Added for the dice of lies.
const LIES: u64 = 0x11E5;
/// Longest time from a question to its answer: beyond every budget.
const LATENCY_MAX_MS: u64 = 3_000;

/// Who may be asked in a run, and what routes ask.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    provider: ProviderConfig,
    simulator: SimulatorConfig,
    /// Whether routers share what they know.
    is_shared: bool,
    /// Messages of a lane that may wait.
    waiting_max: usize,
    /// What routes say, of each table.
    words: Vec<&'static str>,
}

impl Numbers {
    /// Those of `seed`; half of all have none.
    pub(crate) fn draw(seed: u64, tables: usize) -> Option<Self> {
        let dice = Dice::seeded(seed ^ NUMBERS);
        if dice.below(2) == 0 {
            return None;
        }
        // Dice of its own: who begins to lie changes nothing else of a run.
        let lies = Dice::seeded(seed ^ NUMBERS ^ LIES);
        let mut simulator = SimulatorConfig {
            seed: dice.below(1 << 32),
            latency: Duration::from_millis(1 + dice.below(100)),
            latency_spread: Duration::from_millis(dice.below([50, 400, LATENCY_MAX_MS][dice.below(3) as usize])),
            error_rate: [0.0, 0.0, dice.fraction() / 2.0][dice.below(3) as usize],
            ported: dice.fraction() / 2.0,
            dead: [0.0, dice.fraction() / 5.0][dice.below(2) as usize],
            networks: networks(),
            lie_rate: lies.fraction() * [0.0, 0.0, 0.5, 1.0][lies.below(4) as usize],
        };
        // What shows that messages flow in the end is written to a number that can be reached.
        while drafts::fresh()
            .iter()
            .any(|draft| simulator.reply(&draft.to).reach == Reach::Dead)
        {
            simulator.seed += 1;
        }
        let words = ["always", "when_it_matters", "never"];
        Some(Self {
            provider: ProviderConfig {
                name: "simulated".to_owned(),
                price: Micros(200 + dice.below(2_000) as i64),
                is_authoritative: dice.below(4) > 0,
                numbers_max: [1, 10][dice.below(2) as usize],
                rate: (dice.below(4) == 0).then(|| 1 + dice.below(20) as u32),
                calls_max: 1 + dice.below(20) as u32,
                timeout: Duration::from_millis(300 + dice.below(3_000)),
                breaker: BreakerConfig::default(),
                kind: ProviderKind::Simulator(Box::new(simulator.clone())),
            },
            simulator,
            is_shared: dice.below(2) == 0,
            waiting_max: [1, 4, 10_000][dice.below(3) as usize],
            words: (0..tables).map(|_| words[dice.below(3) as usize]).collect(),
        })
    }

    /// `tables` with what their routes ask.
    pub(crate) fn ask(&self, tables: &mut [Files]) {
        for (files, word) in tables.iter_mut().zip(&self.words) {
            // Its last section is that of the defaults.
            let mut table = files.get("table.toml").unwrap_or_default().to_vec();
            table.extend_from_slice(format!("lookup = \"{word}\"\n").as_bytes());
            files.insert("table.toml", table);
        }
    }

    /// What the provider says of `number` whenever it answers.
    pub(crate) fn reply(&self, number: &Msisdn) -> Reply {
        self.simulator.reply(number)
    }

    /// Whether `message` may end because nobody serves its recipient.
    pub(crate) fn is_dead(&self, message: &Message) -> bool {
        self.provider.is_authoritative && self.reply(&message.to).reach == Reach::Dead
    }

    /// What a router that starts now looks numbers up with.
    pub(crate) fn look_ups(&self, deps: &Deps, table: &Arc<LiveTable>) -> LookUps {
        let provider = self.provider.build(&deps.dice);
        let upstream = Upstream {
            provider: provider.expect("a simulated provider needs nothing"),
            limits: Limits::of(&self.provider),
        };
        let portability = Arc::new(Portability::new(Rates::default()));
        let config = ChainConfig {
            numbers_max: 1_000,
            secret: self
                .is_shared
                .then(|| source::Secret::new("a secret of the simulation")),
            ..ChainConfig::default()
        };
        let chain = Chain::new(
            config,
            vec![upstream],
            ChainDeps {
                store: Arc::clone(&deps.store),
                numbering: Arc::clone(table) as _,
                portability: Arc::clone(&portability),
                clock: deps.clock.clone(),
                dice: deps.dice.fork(),
            },
        );
        let offer = Offer {
            price: self.provider.price,
            ends_dead: self.provider.is_authoritative,
        };
        let mut lookups = LookUps::new(chain, portability, Some(offer));
        lookups.waiting_max = self.waiting_max;
        lookups
    }
}

/// The networks of the simulated tables: those that gave numbers out first.
fn networks() -> BTreeMap<String, Vec<Network>> {
    let of = |networks: &[&str]| {
        let parse = |network: &&str| Network::parse_together(network).expect("the list holds networks");
        networks.iter().map(parse).collect::<Vec<_>>()
    };
    [
        ("1416", of(&["302720", "302610"])),
        ("33", of(&["20801", "20810", "20820"])),
        ("33620", of(&["20810", "20801", "20820"])),
        ("3363998", of(&["20820", "20801"])),
        ("4477", of(&["23415", "23430", "23410"])),
        ("49", of(&["26201", "26202"])),
    ]
    .map(|(prefix, networks)| (prefix.to_owned(), networks))
    .into()
}
