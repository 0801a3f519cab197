//! Looks at everything that runs, again and again while messages flow.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use service::time::{self, Instant};

use crate::usage;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Processes that are ours, and not what they stand on.
const SERVICES: [&str; 4] = ["standalone", "ingest", "router", "connector"];

/// What there was at one moment, by what processes do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Seconds since the first message was due.
    pub at: f64,
    /// Cores in use since the sample before.
    pub cores: BTreeMap<String, f64>,
    /// Megabytes of memory; of several processes of a kind that of the largest.
    pub memory_mb: BTreeMap<String, f64>,
}

/// Samples of one run.
pub(crate) struct Watch {
    own_name: &'static str,
    begun: Instant,
    looked_at: Instant,
    before: BTreeMap<String, Duration>,
    latest: BTreeMap<String, Duration>,
    samples: Vec<Sample>,
    memory_mb_max: BTreeMap<String, f64>,
}

/// What a run took.
pub(crate) struct Taken {
    pub(crate) samples: Vec<Sample>,
    /// The most memory that a process of each kind had.
    pub(crate) memory_mb_max: BTreeMap<String, f64>,
    /// Microseconds of one core for each message.
    pub(crate) processor_us: BTreeMap<String, f64>,
}

impl Watch {
    /// Begins with what was taken so far; this process is called `own_name`.
    pub(crate) fn begin(own_name: &'static str) -> anyhow::Result<Self> {
        let before = usage::processor_times(&usage::family(own_name)?);
        let begun = time::now();
        Ok(Self {
            own_name,
            begun,
            looked_at: begun,
            latest: before.clone(),
            before,
            samples: Vec::new(),
            memory_mb_max: BTreeMap::new(),
        })
    }

    /// Looks now and then until `work` is done.
    pub(crate) async fn over<T>(&mut self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        tokio::pin!(work);
        let mut ticks = time::every(LOOK_EVERY);
        loop {
            // Cancel-safe: the work is kept from turn to turn.
            tokio::select! { biased;
                done = &mut work => return done,
                _ = ticks.tick() => self.look()?,
            }
        }
    }

    fn look(&mut self) -> anyhow::Result<()> {
        let family = usage::family(self.own_name)?;
        let (times, now) = (usage::processor_times(&family), time::now());
        let span = now.duration_since(self.looked_at).as_secs_f64();
        let cores = times.iter().map(|(name, time)| {
            let earlier = self.latest.get(name).copied().unwrap_or_default();
            (name.clone(), time.saturating_sub(earlier).as_secs_f64() / span)
        });
        let cores = cores.collect();
        let mut memory_mb = BTreeMap::new();
        for process in &family {
            keep_largest(&mut memory_mb, &process.name, process.memory_kb);
            keep_largest(&mut self.memory_mb_max, &process.name, process.memory_kb_max);
        }
        // What has ended keeps what it took.
        self.latest.extend(times);
        self.looked_at = now;
        self.samples.push(Sample {
            at: now.duration_since(self.begun).as_secs_f64(),
            cores,
            memory_mb,
        });
        Ok(())
    }

    /// Looks for the last time, once `messages` have ended.
    pub(crate) fn end(mut self, messages: u64) -> anyhow::Result<Taken> {
        self.look()?;
        Ok(Taken {
            processor_us: usage::processor_us(&self.before, &self.latest, messages),
            samples: self.samples,
            memory_mb_max: self.memory_mb_max,
        })
    }
}

/// The most memory among those that are ours, and not what they stand on.
pub(crate) fn largest_service(memory_mb: &BTreeMap<String, f64>) -> f64 {
    let of_ours = SERVICES.iter().filter_map(|name| memory_mb.get(*name));
    of_ours.copied().fold(0.0, f64::max)
}

fn keep_largest(memory: &mut BTreeMap<String, f64>, name: &str, kilobytes: u64) {
    let megabytes = kilobytes as f64 / 1_000.0;
    let largest = memory.entry(name.to_owned()).or_insert(0.0);
    *largest = largest.max(megabytes);
}
