//! What passwords and campaign came to.

use std::time::Duration;

use hdrhistogram::Histogram;
use signalbox_loadtest::smsc::Received;
use sms::UnixMs;

use super::{
    bulk::{Count, SENDER},
    disk,
    passwords::{Phase, RATE, Sent},
};

/// The p99 of passwords beside the campaign may be so many times that of passwords alone.
const P99_RATIO_MAX: f64 = 1.5;

/// Parts of a phase that are told one by one.
const SLICES: u64 = 6;

/// All that was measured.
pub(super) struct Report {
    pub(super) passwords: Sent,
    pub(super) campaign: Count,
    /// How long it took to hand over the campaign.
    pub(super) took: Duration,
    /// How long the disk took for a few octets by itself, in microseconds: beside passwords alone, and beside the campaign.
    pub(super) disk: [Histogram<u64>; 2],
    /// The end of the measurement.
    pub(super) ended_at: UnixMs,
    /// The most memory of each process before the campaign, in kB.
    pub(super) memory_before: Vec<(String, u64)>,
    /// The same at the end.
    pub(super) memory_max: Vec<(String, u64)>,
    /// Messages of the campaign that carriers had at the end.
    pub(super) sent: u64,
}

/// Microseconds, for people.
fn millis(us: u64) -> String {
    format!("{:.2} ms", us as f64 / 1_000.0)
}

impl Report {
    /// Notes what a carrier took.
    pub(super) fn note(&mut self, received: &Received) {
        if received.source != SENDER {
            self.passwords.arrived(received);
        } else if received.at.millis() <= self.ended_at {
            self.sent += 1;
        }
    }

    /// From accepted to the carrier, in microseconds.
    fn latency(&self, phase: Phase) -> anyhow::Result<Histogram<u64>> {
        let mut histogram = Histogram::new(3)?;
        for (accepted, arrived) in self.passwords.accepted(phase) {
            if let Some(arrived) = arrived {
                histogram.record(arrived.0.saturating_sub(accepted.0))?;
            }
        }
        Ok(histogram)
    }

    /// The p99 in each of [`SLICES`] equal parts of a phase, in microseconds: a wait that passes is told from one that stays.
    fn slices(&self, phase: Phase) -> anyhow::Result<Vec<u64>> {
        let instants = || self.passwords.accepted(phase).map(|(accepted, _)| accepted);
        let (Some(first), Some(last)) = (instants().min(), instants().max()) else {
            return Ok(Vec::new());
        };
        let span = (last.0 - first.0) / SLICES + 1;
        let mut slices = vec![Histogram::<u64>::new(3)?; SLICES as usize];
        for (accepted, arrived) in self.passwords.accepted(phase) {
            if let Some(arrived) = arrived {
                slices[((accepted.0 - first.0) / span) as usize].record(arrived.0.saturating_sub(accepted.0))?;
            }
        }
        Ok(slices.iter().map(|slice| slice.value_at_quantile(0.99)).collect())
    }

    /// Passwords of a measured phase that were accepted and reached no carrier.
    fn missing(&self, phase: Phase) -> usize {
        let arrivals = self.passwords.accepted(phase).map(|(_, arrived)| arrived);
        arrivals.filter(Option::is_none).count()
    }

    /// The median of the sixths' p99 beside the campaign, by that alone: what else a machine does for a second or two shows
    /// in one sixth, what the campaign does in all of them.
    fn ratio(&self) -> anyhow::Result<f64> {
        let median = |phase| {
            let mut slices = self.slices(phase)?;
            slices.sort_unstable();
            let at = |place: usize| slices.get(place).copied().unwrap_or_default();
            anyhow::Ok((at((SLICES as usize - 1) / 2) + at(SLICES as usize / 2)) as f64 / 2.0)
        };
        Ok(median(Phase::Beside)? / median(Phase::Alone)?.max(1.0))
    }

    fn queued(&self) -> u64 {
        self.campaign.accepted.saturating_sub(self.sent)
    }

    /// Limits that did not hold; empty = all did.
    pub(super) fn broken(&self) -> anyhow::Result<Vec<String>> {
        let mut broken = Vec::new();
        let ratio = self.ratio()?;
        if ratio > P99_RATIO_MAX {
            broken.push(format!("the p99 grew {ratio:.2} times, over {P99_RATIO_MAX}"));
        }
        for phase in [Phase::Alone, Phase::Beside] {
            let missing = self.missing(phase);
            if missing > 0 {
                broken.push(format!(
                    "{missing} passwords were accepted and reached no carrier ({phase:?})"
                ));
            }
        }
        let (refused, why) = &self.passwords.refused;
        if *refused > 0 {
            broken.push(format!("{refused} passwords were refused: {why}"));
        }
        if self.queued() == 0 {
            broken.push("the campaign was over before the measurement: give it more messages".to_owned());
        }
        Ok(broken)
    }

    /// Says what was measured, and which limits did not hold.
    pub(super) fn print(&self) -> anyhow::Result<()> {
        println!();
        println!("{RATE} passwords/s, from accepted to carrier");
        for (name, phase) in [
            ("alone", Phase::Alone),
            ("while the campaign is handed over", Phase::Handover),
            ("beside the campaign", Phase::Beside),
        ] {
            let histogram = self.latency(phase)?;
            let at = |quantile| millis(histogram.value_at_quantile(quantile));
            println!(
                "  {name:<34} p50 {}, p99 {}, slowest {} (messages: {}, missing: {})",
                at(0.5),
                at(0.99),
                millis(histogram.max()),
                histogram.len(),
                self.missing(phase)
            );
            let slices: Vec<_> = self.slices(phase)?.into_iter().map(millis).collect();
            println!("  {:<34} p99 of each sixth: {}", "", slices.join(", "));
        }
        println!(
            "the p99 beside the campaign, by the median of the sixths, is {:.2} times that alone (limit {P99_RATIO_MAX})",
            self.ratio()?
        );
        self.print_disk();
        self.print_campaign();
        for limit in self.broken()? {
            println!("LIMIT BROKEN: {limit}");
        }
        Ok(())
    }

    fn print_disk(&self) {
        let [alone, beside] = self.disk.each_ref().map(|disk| {
            let at = |quantile| millis(disk.value_at_quantile(quantile));
            format!("p50 {}, p99 {}", at(0.5), at(0.99))
        });
        println!(
            "the disk by itself, {} octets written and synced: {alone} meanwhile; beside the campaign {beside}",
            disk::WRITE.len()
        );
    }

    fn print_campaign(&self) {
        let Count {
            accepted,
            held_back,
            left_out,
            refused,
        } = &self.campaign;
        let seconds = self.took.as_secs_f64();
        println!();
        println!(
            "campaign: {accepted} accepted within {seconds:.1} s, {:.0} messages/s; told {held_back} times to come back",
            *accepted as f64 / seconds.max(0.001)
        );
        if *left_out > 0 {
            println!("left out, as they were told to come back when all others were taken: {left_out}");
        }
        if refused.0 > 0 {
            println!("refused {}, the last because {}", refused.0, refused.1);
        }
        println!(
            "at the end {} were with the carriers, and {} waited",
            self.sent,
            self.queued()
        );
        for (name, most) in &self.memory_max {
            let before = self.memory_before.iter().find(|(other, _)| other == name);
            let before = before.map_or(0, |(_, kilobytes)| *kilobytes);
            println!(
                "memory of {name} at the most: {} MB, before the campaign {} MB",
                most / 1_000,
                before / 1_000
            );
        }
    }
}
