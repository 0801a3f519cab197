//! The `[lookup]` section: whom a router asks which network serves a number, and within which bounds.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ::lookup::{ChainConfig, Curiosity, Rates, Share, Ttls};
use ::router::{BUDGET_DEFAULT, BUDGET_URGENT_DEFAULT, DeadNumbers, WAITING_MAX_DEFAULT};
use source::{SecretSource, Section};

/// Numbers kept in memory: 25 octets each.
const NUMBERS_MAX: usize = 1 << 28;
/// Messages of one lane that may wait at a router: each takes a kilobyte there.
const WAITING_MAX: usize = 1_000_000;

/// The `[lookup]` section.
#[derive(Clone, Debug)]
pub(crate) struct LookUp {
    /// Whom to ask.
    pub(crate) providers: PathBuf,
    /// Makes keys of the shared store; absent = answers are kept in memory alone.
    pub(crate) secret: Option<SecretSource>,
    pub(crate) budget_otp: Duration,
    pub(crate) budget: Duration,
    pub(crate) waiting_max: usize,
    pub(crate) numbers_max: usize,
    pub(crate) ttls: Ttls,
    /// A query that is not worth its price is made all the same, one in so many times; 0 = never.
    pub(crate) learn_one_in: u32,
    /// How many numbers were ported or are dead, where nothing was learnt.
    pub(crate) assumed: Rates,
    pub(crate) dead: DeadNumbers,
}

pub(super) fn read(section: &Section<'_>, folder: &Path) -> Option<LookUp> {
    let chain = ChainConfig::default();
    let span = |key: &str, default: Duration| section.key(key).duration("1s", "365d").unwrap_or(default);
    let budget = |key: &str, default: Duration| section.key(key).duration("1ms", "30s").unwrap_or(default);
    let dead = [("fail", DeadNumbers::Fail), ("send", DeadNumbers::Send)];
    let ttls = Ttls {
        network: span("ttl_network", chain.ttls.network),
        reach: span("ttl_reach", chain.ttls.reach),
        dead: span("ttl_dead", chain.ttls.dead),
        nothing: span("ttl_nothing", chain.ttls.nothing),
        failure: span("ttl_failure", chain.ttls.failure),
    };
    let share = |key: &str, default: Share| section.key(key).number(0.0..=1.0).map_or(default, share);
    let assumed = Rates::default();
    let assumed = Rates {
        ported: share("assumed_ported", assumed.ported),
        dead: share("assumed_dead", assumed.dead),
        ..assumed
    };
    let learn = section.key("learn_one_in").integer(0..=1_000_000_000);
    let waiting = section.key("waiting_max").integer(1..=WAITING_MAX);
    let numbers = section.key("numbers_max").integer(1_000..=NUMBERS_MAX);
    Some(LookUp {
        secret: section.key("secret").secret(),
        budget_otp: budget("budget_otp", BUDGET_URGENT_DEFAULT),
        budget: budget("budget", BUDGET_DEFAULT),
        waiting_max: waiting.unwrap_or(WAITING_MAX_DEFAULT),
        numbers_max: numbers.unwrap_or(chain.numbers_max),
        ttls,
        learn_one_in: learn.unwrap_or(Curiosity::default().one_in),
        assumed,
        dead: section.key("dead").word(&dead).unwrap_or_default(),
        providers: super::path(section, "providers", folder)?,
    })
}

/// `whole` as a share, to the millionth.
fn share(whole: f64) -> Share {
    Share::millionths((whole * f64::from(Share::WHOLE.get())).round() as u32)
}
