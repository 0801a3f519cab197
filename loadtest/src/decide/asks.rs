//! The messages of a run: recipients of the world, with accounts, senders, classes, sizes and instants as a router sees them.

use std::{collections::HashMap, fmt::Write as _};

use anyhow::Result;

use serde::Serialize;
use sms::{Class, Encoding, UnixMs};
use table::{Network, Query, Served, Source};

use super::scene::{ACCOUNTS, Net, SENDERS, Scene, WEEK_BEGINS, WEEK_MS, by_mcc};
use crate::world::{Draws, Recipients, Texts};

/// Of 1,000 messages, those whose network somebody told.
const TOLD_PERMILLE: u64 = 100;
/// Of 1,000 messages, those to a number on the list of ported ones.
const MOVED_PERMILLE: u64 = 20;
/// Of 1,000 messages, those to a number that the plan does not know.
const UNKNOWN_PERMILLE: u64 = 5;

/// Of 1,000 messages, those that are binary and have no text.
const BINARY_PERMILLE: u64 = 10;
/// Texts of each language and class. Many messages share one: a router has just read the text it decides for, so here too
/// none comes from far away.
const TEXTS: usize = 50;

/// Messages prepared before any clock runs, each once.
pub(crate) struct Asks {
    numbers: String,
    texts: Vec<String>,
    asks: Vec<Ask>,
}

/// One message; its number lies in the text of all.
struct Ask {
    to: (u32, u32),
    from: &'static str,
    account: &'static str,
    class: Class,
    encoding: Encoding,
    segments: u8,
    /// Place of its text; absent = it is binary.
    text: Option<usize>,
    at: UnixMs,
    told: Option<Net>,
    ported: Option<bool>,
    roll: u64,
}

/// What the messages are, in percent.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Mix {
    pub(crate) otp: f64,
    pub(crate) transactional: f64,
    pub(crate) promotional: f64,
    pub(crate) several_segments: f64,
    pub(crate) ucs2: f64,
    pub(crate) binary: f64,
    pub(crate) network_told: f64,
    pub(crate) ported_told: f64,
}

impl Asks {
    /// `count` messages of `seed`, at instants spread over the week.
    ///
    /// # Errors
    /// The texts in the repository were edited and no longer hold together.
    pub(crate) fn new(scene: &Scene, count: usize, seed: u64) -> Result<Self> {
        let pool = Pool::new(Texts::load()?, seed);
        let by_mcc = by_mcc(&scene.plan);
        let mut draws = Draws::new(seed ^ 0x6173_6b73);
        let mut recipients = Recipients::new(draws.next_u64());
        let mut numbers = String::with_capacity(count * 14);
        let asks = (0..count).map(|_| {
            let begins = numbers.len() as u32;
            let kind = draws.below(1_000);
            if kind < MOVED_PERMILLE && !scene.ported.is_empty() {
                numbers.push_str(&draws.one_of(&scene.ported).0);
            } else if kind < MOVED_PERMILLE + UNKNOWN_PERMILLE {
                write!(numbers, "0{:09}", draws.below(1_000_000_000)).expect("writing to a string does not fail");
            } else {
                numbers.push_str(recipients.next().expect("recipients do not end").msisdn.digits());
            }
            let row = scene.plan.row_of(&numbers[begins as usize..]);
            let told = row
                .filter(|_| draws.below(1_000) < TOLD_PERMILLE)
                .and_then(|row| by_mcc.get(&Net::new(&row.mcc, "")))
                .map(|networks| *draws.one_of(networks));
            let country = row.map_or("", |row| &row.country);
            ask(&mut draws, (begins, numbers.len() as u32), told, country, &pool)
        });
        let asks = asks.collect();
        Ok(Self {
            numbers,
            texts: pool.texts,
            asks,
        })
    }

    /// The queries, in their order.
    pub(crate) fn queries(&self) -> Vec<Query<'_>> {
        self.asks.iter().map(|ask| self.query(ask)).collect()
    }

    /// The network told with each, in their order.
    pub(crate) fn told(&self) -> Vec<Option<Net>> {
        self.asks.iter().map(|ask| ask.told).collect()
    }

    /// What they are.
    pub(crate) fn mix(&self) -> Mix {
        let share = |holds: &dyn Fn(&Ask) -> bool| {
            100.0 * self.asks.iter().filter(|ask| holds(ask)).count() as f64 / self.asks.len() as f64
        };
        Mix {
            otp: share(&|ask| ask.class == Class::Otp),
            transactional: share(&|ask| ask.class == Class::Transactional),
            promotional: share(&|ask| ask.class == Class::Promotional),
            several_segments: share(&|ask| ask.segments > 1),
            ucs2: share(&|ask| ask.encoding == Encoding::Ucs2),
            binary: share(&|ask| ask.encoding == Encoding::Binary),
            network_told: share(&|ask| ask.told.is_some()),
            ported_told: share(&|ask| ask.ported.is_some()),
        }
    }

    fn query(&self, ask: &Ask) -> Query<'_> {
        let told = ask.told.map(|net| Served {
            network: network(net),
            source: Source::Hlr,
        });
        Query {
            from: ask.from,
            account: ask.account,
            class: ask.class,
            encoding: ask.encoding,
            segments: ask.segments,
            text: ask.text.map(|at| self.texts[at].as_str()),
            network: told,
            ported: ask.ported,
            roll: ask.roll,
            ..Query::new(&self.numbers[ask.to.0 as usize..ask.to.1 as usize], ask.at)
        }
    }
}

fn network(net: Net) -> Network {
    Network::parse_together(&net.digits()).expect("the plan's networks are sound")
}

/// 40 % passwords, 40 % transactional, 20 % promotions; one in five has more than one segment, one in four UCS-2. Sizes are
/// drawn apart from texts: a walk takes them as given.
fn ask(draws: &mut Draws, to: (u32, u32), told: Option<Net>, country: &str, pool: &Pool) -> Ask {
    let class = match draws.below(10) {
        0..4 => Class::Otp,
        4..8 => Class::Transactional,
        _ => Class::Promotional,
    };
    let is_binary = draws.below(1_000) < BINARY_PERMILLE;
    Ask {
        to,
        from: draws.one_of::<&str>(&SENDERS),
        account: draws.one_of::<&str>(&ACCOUNTS),
        class,
        encoding: match draws.below(4) {
            _ if is_binary => Encoding::Binary,
            0 => Encoding::Ucs2,
            _ => Encoding::Gsm7,
        },
        segments: match draws.below(10) {
            0..8 => 1,
            8 => 2,
            _ => 3,
        },
        text: (!is_binary).then(|| pool.draw(country, class, draws)),
        at: UnixMs(WEEK_BEGINS.0 + draws.below(WEEK_MS)),
        told,
        ported: match draws.below(100) {
            0 => Some(true),
            1 => Some(false),
            _ => None,
        },
        roll: draws.next_u64(),
    }
}

/// Texts of every language and class.
struct Pool {
    world: Texts,
    texts: Vec<String>,
    /// Where those of a language begin, class after class.
    begins: HashMap<String, usize>,
}

impl Pool {
    fn new(world: Texts, seed: u64) -> Self {
        let mut draws = Draws::new(seed ^ 0x7465_7874);
        let (mut texts, mut begins) = (Vec::new(), HashMap::new());
        for language in world.languages() {
            begins.insert(language.to_owned(), texts.len());
            for class in [Class::Otp, Class::Transactional, Class::Promotional] {
                texts.extend((0..TEXTS).map(|_| world.draw_in(language, class, &mut draws)));
            }
        }
        Self { world, texts, begins }
    }

    /// The place of a text of `class` in the language of `country`.
    fn draw(&self, country: &str, class: Class, draws: &mut Draws) -> usize {
        self.begins[self.world.language(country)] + class as usize * TEXTS + draws.below(TEXTS as u64) as usize
    }
}
