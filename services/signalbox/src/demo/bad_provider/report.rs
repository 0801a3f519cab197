//! What the bad provider did to both kinds of traffic.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use hdrhistogram::Histogram;
use router::{BUDGET_DEFAULT, BUDGET_URGENT_DEFAULT};

use super::{MOODS, direct::Direct, provider::Mood, turns::Turn};

/// So much later than its budget says a message may be with its carrier, beside what the slowest of the others took.
const MARGIN: Duration = Duration::from_millis(100);
/// Most findings that are told one by one.
const FINDINGS_SHOWN: usize = 20;

/// What a message needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// No look-up.
    Direct,
    /// A look-up, and has little time for it.
    Password,
    /// A look-up.
    Other,
}

/// A few seconds of traffic to each side while the provider was in one mood.
struct Slice {
    mood: Mood,
    /// Requests that reached the provider.
    asked: u64,
    direct: Direct,
    /// What messages took that need one, in microseconds.
    passwords: Histogram<u64>,
    others: Histogram<u64>,
    /// Messages whose network the provider named.
    told: u64,
    /// Messages that the numbering plan decided.
    fell_back: u64,
}

/// All that was measured.
#[derive(Default)]
pub(super) struct Report {
    slices: Vec<Slice>,
    /// How often the log says that a provider failed.
    pub(super) failures_told: usize,
    memory_kb: [u64; 2],
    lost: u64,
    wrong: BTreeMap<&'static str, u64>,
    findings: Vec<String>,
}

pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three figures are few")
}

impl Report {
    /// A slice for both sides begins; returns its number.
    pub(super) fn begin(&mut self, mood: Mood) -> usize {
        self.slices.push(Slice::new(mood));
        self.slices.len() - 1
    }

    /// What the provider was like in a slice.
    pub(super) fn mood(&self, slice: usize) -> Mood {
        self.slices[slice].mood
    }

    /// Notes requests that reached the provider in a slice.
    pub(super) fn asked(&mut self, slice: usize, requests: u64) {
        self.slices[slice].asked = requests;
    }

    /// Notes the most memory of a side's processes.
    pub(super) fn memory(&mut self, looks_up: bool, processes: &[(String, u64)]) {
        self.memory_kb[usize::from(!looks_up)] = processes.iter().map(|(_, kilobytes)| kilobytes).sum();
    }

    /// Notes what a message took.
    pub(super) fn note(&mut self, looks_up: bool, turn: Turn, kind: Kind, took: Duration) {
        let slice = &mut self.slices[turn.slice];
        let histogram = match (kind, looks_up) {
            (Kind::Direct, _) => slice.direct.half_mut(looks_up, turn.half),
            (Kind::Password, true) => &mut slice.passwords,
            (Kind::Other, true) => &mut slice.others,
            // There they are as any other.
            (_, false) => return,
        };
        let micros = u64::try_from(took.as_micros()).expect("a run is short");
        histogram.record(micros).expect("it grows with what it holds");
    }

    /// A message was accepted and reached no carrier.
    pub(super) const fn lose(&mut self) {
        self.lost += 1;
    }

    /// The provider named a network, and it was the right one.
    pub(super) fn told(&mut self, slice: usize) {
        self.slices[slice].told += 1;
    }

    /// The numbering plan decided.
    pub(super) fn fell_back(&mut self, slice: usize) {
        self.slices[slice].fell_back += 1;
    }

    /// A message went as it must not.
    pub(super) fn wrong(&mut self, why: &'static str) {
        *self.wrong.entry(why).or_default() += 1;
    }

    /// Something is not as it should be.
    pub(super) fn find(&mut self, what: String) {
        self.findings.push(what);
    }

    /// Prints all, and says whether it is as it should be; no time decides if `no_limits`.
    pub(super) fn print(mut self, no_limits: bool) -> anyhow::Result<bool> {
        println!();
        self.print_moods();
        self.print_direct();
        println!(
            "most memory: {} MB beside the bad provider, {} MB without look-ups; {} lines of the log tell of failures",
            self.memory_kb[0] / 1_000,
            self.memory_kb[1] / 1_000,
            self.failures_told
        );
        self.judge();
        let broken = self.broken();
        println!();
        for limit in &broken {
            println!("LIMIT BROKEN: {limit}");
        }
        if self.findings.is_empty() {
            println!(
                "As it should be: every message ended once, none was lost, lies were not believed, and neither numbers nor\n\
                 secrets are in the logs."
            );
        } else {
            println!("NOT as it should be:");
        }
        for finding in self.findings.iter().take(FINDINGS_SHOWN) {
            println!("  {finding}");
        }
        Ok(self.findings.is_empty() && (no_limits || broken.is_empty()))
    }

    fn print_moods(&self) {
        println!(
            "the provider           requests   named   fell back   passwords ms, p50 p99 slowest   others ms, p50 p99 slowest"
        );
        let moods: BTreeSet<_> = self.slices.iter().map(|slice| slice.mood).collect();
        for mood in moods {
            let all = self.of(mood);
            println!(
                "{:<20}{:>11}{:>8}{:>12}{:>32}{:>29}",
                mood.as_str(),
                all.asked,
                all.told,
                all.fell_back,
                times(&all.passwords),
                times(&all.others)
            );
        }
        println!();
    }

    /// All slices of a mood together.
    fn of(&self, mood: Mood) -> Slice {
        let mut all = Slice::new(mood);
        for slice in self.slices.iter().filter(|slice| slice.mood == mood) {
            all.direct += &slice.direct;
            all.asked += slice.asked;
            all.told += slice.told;
            all.fell_back += slice.fell_back;
            all.passwords += &slice.passwords;
            all.others += &slice.others;
        }
        all
    }

    fn print_direct(&self) {
        Direct::print_head();
        for mood in MOODS {
            self.of(mood).direct.print(mood.as_str());
        }
        let all = self.judged();
        all.print("all of these");
        all.print_verdict();
    }

    /// What was measured while the provider was bad.
    fn judged(&self) -> Direct {
        let mut all = Direct::new();
        MOODS.iter().for_each(|mood| all += &self.of(*mood).direct);
        all
    }

    fn judge(&mut self) {
        if self.lost > 0 {
            self.findings
                .push(format!("{} accepted messages reached no carrier", self.lost));
        }
        let wrong = std::mem::take(&mut self.wrong);
        self.findings
            .extend(wrong.into_iter().map(|(why, count)| format!("{count} messages {why}")));
        let Slice { told, fell_back, .. } = self.of(Mood::Well);
        if told <= fell_back {
            let what =
                format!("the provider was well and named {told} networks, the plan {fell_back}: nothing is proved");
            self.findings.push(what);
        }
        let is_unasked = |slice: &&Slice| slice.asked == 0 && slice.mood != Mood::Gone;
        let unasked = self.slices.iter().filter(is_unasked).count();
        if unasked > 0 {
            self.findings
                .push(format!("nobody asked the provider in {unasked} slices"));
        }
    }

    /// Limits on times that did not hold.
    fn broken(&self) -> Vec<String> {
        let mut broken = self.judged().broken();
        let slowest = self.slices.iter().map(|slice| slice.direct.slowest()).max();
        let margin = MARGIN + Duration::from_micros(slowest.unwrap_or_default());
        let limits = [
            (
                "password",
                BUDGET_URGENT_DEFAULT,
                Slice::passwords as fn(&Slice) -> &Histogram<u64>,
            ),
            ("other message", BUDGET_DEFAULT, Slice::others),
        ];
        for (what, budget, of) in limits {
            let longest = self
                .slices
                .iter()
                .map(|slice| of(slice).max())
                .max()
                .unwrap_or_default();
            let longest = Duration::from_micros(longest);
            if longest > budget + margin {
                broken.push(format!(
                    "a {what} that was looked up took {} ms, over its budget of {} ms and a margin of {} ms",
                    longest.as_millis(),
                    budget.as_millis(),
                    margin.as_millis()
                ));
            }
        }
        broken
    }
}

impl Slice {
    fn new(mood: Mood) -> Self {
        Self {
            mood,
            asked: 0,
            direct: Direct::new(),
            passwords: histogram(),
            others: histogram(),
            told: 0,
            fell_back: 0,
        }
    }

    const fn passwords(&self) -> &Histogram<u64> {
        &self.passwords
    }

    const fn others(&self) -> &Histogram<u64> {
        &self.others
    }
}

fn times(histogram: &Histogram<u64>) -> String {
    let at = |quantile| ms(histogram.value_at_quantile(quantile));
    format!("{} {} {}", at(0.5), at(0.99), ms(histogram.max()))
}

/// Microseconds as milliseconds.
pub(super) fn ms(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1_000.0)
}
