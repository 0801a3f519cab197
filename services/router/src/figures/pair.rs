//! The figures of one carrier on one network: attempts by the span in which they were taken, and times to delivery.

use std::{mem, time::Duration};

use hdrhistogram::Histogram;
use sms::UnixMs;
use table::Figures;

/// Attempts of one span are counted together.
const SPAN: Duration = Duration::from_secs(300);
/// Spans that are read: four hours. A carrier that was refused for its figures is asked again when they are forgotten, and
/// then gets traffic for two spans before it is refused again: a twenty-fourth of the time.
const SPANS_READ: u64 = 48;
/// Spans that are too young to be read: the one that runs, and the one before. What is read was taken five minutes ago or
/// earlier, several times what a network needs for a handset that is on.
const SPANS_RIPENING: u64 = 2;
/// All that is kept.
const SPANS: u64 = SPANS_READ + SPANS_RIPENING;
/// Older spans are not looked at once so many attempts were found: they tell the rate to within three in a hundred, and a
/// busy carrier is judged by the last minutes.
const ATTEMPTS_ENOUGH: u64 = 1_000;
/// Longest time to delivery that is told from longer ones.
const LONGEST: Duration = Duration::from_secs(3_600);
/// Times are counted in tenths of a second.
const TICK_MS: u64 = 100;

/// What was counted of one carrier on one network.
pub(super) struct Pair {
    /// The youngest span there is, counted from the epoch.
    youngest: u64,
    /// Each at its number modulo their count.
    spans: [Span; SPANS as usize],
    times: Times,
    /// Deliveries before those in `times`.
    times_before: Times,
    /// Since when `times` are counted.
    times_since: UnixMs,
}

/// Attempts taken in one span of time.
#[derive(Clone, Copy, Default)]
struct Span {
    attempts: u32,
    /// Those of them that were delivered, at any time since.
    delivered: u32,
}

/// How long deliveries took, to within a tenth. Nothing is held before the first one.
#[derive(Default)]
pub(super) struct Times(Option<Histogram<u16>>);

fn span_of(at: UnixMs) -> u64 {
    at.0 / SPAN.as_millis() as u64
}

impl Pair {
    /// Nothing counted yet.
    pub(super) fn new(now: UnixMs) -> Self {
        Self {
            youngest: span_of(now),
            spans: [Span::default(); SPANS as usize],
            times: Times::default(),
            times_before: Times::default(),
            times_since: now,
        }
    }

    /// The carrier took a message at `at`.
    pub(super) fn taken(&mut self, at: UnixMs) {
        if let Some(span) = self.span(at) {
            span.attempts = span.attempts.saturating_add(1);
        }
    }

    /// A message that the carrier took at `at` is known to be on the handset at `now`, which `took` so long.
    pub(super) fn delivered(&mut self, at: UnixMs, took: Duration, now: UnixMs) {
        if let Some(span) = self.span(at) {
            span.delivered = span.delivered.saturating_add(1);
        }
        let age = now.since(self.times_since);
        if self.times.len() >= ATTEMPTS_ENOUGH || age >= SPAN * (SPANS_READ as u32 / 2) {
            self.times_before = mem::take(&mut self.times);
            if age >= SPAN * SPANS_READ as u32 {
                self.times_before = Times::default();
            }
            self.times_since = now;
        }
        self.times.add(took);
    }

    /// The span of `at`, unless it is forgotten.
    fn span(&mut self, at: UnixMs) -> Option<&mut Span> {
        let number = span_of(at);
        // Whoever comes after a long pause begins anew; a loop over all that lies between has an end.
        for passed in (self.youngest + 1..=number).rev().take(SPANS as usize) {
            self.spans[(passed % SPANS) as usize] = Span::default();
        }
        self.youngest = self.youngest.max(number);
        (self.youngest - number < SPANS).then(|| &mut self.spans[(number % SPANS) as usize])
    }

    /// What it comes to at `now`; `scratch` is overwritten.
    pub(super) fn figures(&self, now: UnixMs, scratch: &mut Times) -> Figures {
        let (mut attempts, mut delivered) = (0, 0);
        for age in SPANS_RIPENING..SPANS {
            let Some(number) = span_of(now).checked_sub(age) else {
                break;
            };
            let is_kept = number <= self.youngest && self.youngest - number < SPANS;
            if !is_kept {
                continue;
            }
            let span = self.spans[(number % SPANS) as usize];
            attempts += u64::from(span.attempts);
            // A partition that came from another router brings receipts of attempts that were counted there.
            delivered += u64::from(span.delivered.min(span.attempts));
            if attempts >= ATTEMPTS_ENOUGH {
                break;
            }
        }
        Figures {
            attempts,
            delivered,
            p95: scratch.p95_of([&self.times, &self.times_before]),
        }
    }

    /// Whether all that was counted is too old to be read.
    pub(super) fn is_over(&self, now: UnixMs) -> bool {
        span_of(now).saturating_sub(self.youngest) >= SPANS
    }
}

impl Times {
    fn len(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    fn histogram(&mut self) -> &mut Histogram<u16> {
        self.0.get_or_insert_with(|| {
            let longest = LONGEST.as_millis() as u64 / TICK_MS;
            Histogram::new_with_bounds(1, longest, 1).expect("one figure of a range above two is allowed")
        })
    }

    fn add(&mut self, took: Duration) {
        let ticks = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).div_ceil(TICK_MS);
        self.histogram().saturating_record(ticks);
    }

    /// The time in which 95 % of all `parts` were delivered; `None` = nothing was.
    fn p95_of(&mut self, parts: [&Self; 2]) -> Option<Duration> {
        let sum = self.histogram();
        sum.reset();
        for part in parts.into_iter().filter_map(|part| part.0.as_ref()) {
            sum.add(part).expect("all have one range");
        }
        let ticks = sum.value_at_quantile(0.95);
        (!sum.is_empty()).then(|| Duration::from_millis(ticks * TICK_MS))
    }
}
