//! What messages took that need no look-up: with the router beside the bad provider, and with the one that looks nothing up.

use std::ops::AddAssign;

use hdrhistogram::Histogram;

use super::report::{histogram, ms};

/// The p99 beside the bad provider may be so many times that without look-ups.
const P99_RATIO_MAX: f64 = 1.10;
/// Messages of a router without which its p99 says little.
const MESSAGES_MIN: u64 = 5_000;

/// Times in microseconds.
pub(super) struct Direct {
    /// By router, beside the provider and without look-ups, and by half of its turns.
    times: [[Histogram<u64>; 2]; 2],
}

impl Direct {
    pub(super) fn new() -> Self {
        let halves = || [histogram(), histogram()];
        Self {
            times: [halves(), halves()],
        }
    }

    /// What is noted of a half of a router's turns.
    pub(super) fn half_mut(&mut self, looks_up: bool, half: usize) -> &mut Histogram<u64> {
        &mut self.times[usize::from(!looks_up)][half]
    }

    /// What the slowest took beside the provider.
    pub(super) fn slowest(&self) -> u64 {
        self.both_halves()[0].max()
    }

    /// Prints what the columns of [`Direct::print`] are.
    pub(super) fn print_head() {
        println!(
            "messages that need no look-up, from hand to carrier: beside the bad provider, and without look-ups\n\
             the provider               messages           p50, ms           p99, ms   ratio of p99   chance: odd to even turns"
        );
    }

    /// Prints a line.
    pub(super) fn print(&self, what: &str) {
        let [bad, none] = self.both_halves();
        let at = |quantile| [&bad, &none].map(|times| ms(times.value_at_quantile(quantile)));
        let ([bad_p50, none_p50], [bad_p99, none_p99]) = (at(0.5), at(0.99));
        let [bad_chance, none_chance] = self.chance();
        println!(
            "{what:<20}{:>8}{:>8}{bad_p50:>9}{none_p50:>9}{bad_p99:>9}{none_p99:>9}{:>15.3}{bad_chance:>21.3}{none_chance:>7.3}",
            bad.len(),
            none.len(),
            ratio(&bad, &none)
        );
    }

    /// Prints what decides, and how much of it may be chance.
    pub(super) fn print_verdict(&self) {
        let [bad, none] = self.both_halves();
        let [bad_chance, none_chance] = self.chance();
        println!(
            "the p99 beside the bad provider is {:.3} times that without look-ups (limit {P99_RATIO_MAX:.2});\n\
             that of a router's odd turns is {bad_chance:.3} and {none_chance:.3} times that of its even ones, which is chance",
            ratio(&bad, &none)
        );
    }

    /// For each router the p99 of its odd turns to that of its even ones: nothing sets them apart, so that this shows how far the
    /// measure wanders by itself.
    fn chance(&self) -> [f64; 2] {
        self.times.each_ref().map(|[odd, even]| ratio(odd, even))
    }

    /// Limits that did not hold.
    pub(super) fn broken(&self) -> Vec<String> {
        let [bad, none] = self.both_halves();
        let (grew, fewest) = (ratio(&bad, &none), bad.len().min(none.len()));
        let mut broken = Vec::new();
        // Where nothing was measured there is none, which is no good one.
        if grew.is_nan() || grew > P99_RATIO_MAX {
            broken.push(format!("the p99 grew {grew:.3} times, over {P99_RATIO_MAX:.2}"));
        }
        if fewest < MESSAGES_MIN {
            broken.push(format!(
                "the p99 rests on {fewest} messages of a router, fewer than {MESSAGES_MIN}: give more --messages"
            ));
        }
        broken
    }

    /// By router.
    fn both_halves(&self) -> [Histogram<u64>; 2] {
        self.times.each_ref().map(|[odd, even]| {
            let mut both = odd.clone();
            both += even;
            both
        })
    }
}

impl AddAssign<&Self> for Direct {
    fn add_assign(&mut self, more: &Self) {
        let more = more.times.iter().flatten();
        for (times, more) in self.times.iter_mut().flatten().zip(more) {
            *times += more;
        }
    }
}

/// Of one p99 to the other.
fn ratio(times: &Histogram<u64>, others: &Histogram<u64>) -> f64 {
    times.value_at_quantile(0.99) as f64 / others.value_at_quantile(0.99) as f64
}
