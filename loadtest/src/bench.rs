//! The numbers to reach, each beside what this machine did: real processes under a load generator and carriers of their own, the
//! routing table by itself, and the floor under all of it, in one run.

pub mod args;
mod baseline;
mod books;
mod carriers;
mod decide;
#[cfg(test)]
pub(crate) mod fixture;
mod html;
mod pipeline;
mod report;
mod rows;

use std::{fs, process::ExitCode};

use anyhow::Context as _;

pub use args::Args;
use baseline::Baseline;
use pipeline::{Load, Scene};
pub use report::Report;
use report::{OnBus, Steady};

use crate::{
    chaos::args::Bus,
    printed,
    relay::{self, Engines},
    setting::Setting,
    stage::{self, Ground},
};

/// Messages that make a fresh broker warm, as a share of a run's.
const WARM_SHARE: u64 = 2;

/// Measures as `args` say, prints the table, and writes `bench.json` and `report.html`.
///
/// Exit code 1: with `--quick`, what a message costs beyond the floor has grown by more than a tenth.
///
/// # Errors
/// Something cannot be had or started, or a run lost a message: nothing is said of how fast that was.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let args = &args.settled();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(measure(args))?;
    fs::create_dir_all(&args.out).with_context(|| format!("{} cannot be made", args.out.display()))?;
    let (json, page) = (args.out.join("bench.json"), args.out.join("report.html"));
    fs::write(&json, serde_json::to_string_pretty(&report)?)?;
    fs::write(&page, html::page(&report)?)?;
    printed::print(&report, args.json)?;
    eprintln!("written: {} and {}", json.display(), page.display());
    if let Some(path) = &args.write_baseline {
        Baseline::of(&report)?.write(path)?;
        eprintln!("written: {}", path.display());
    }
    if !args.quick {
        return Ok(ExitCode::SUCCESS);
    }
    if !args.bus.contains(&Bus::Embedded) {
        eprintln!("what is committed is of the embedded log: nothing to compare with");
        return Ok(ExitCode::SUCCESS);
    }
    let findings = match Baseline::read(&args.baseline)? {
        Some(baseline) => baseline.compare(&report),
        None => {
            eprintln!("{} is not there: nothing to compare with", args.baseline.display());
            Vec::new()
        }
    };
    findings.iter().for_each(|finding| eprintln!("{finding}"));
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}

/// Measures as `args` say.
///
/// # Errors
/// Those of [`run`].
pub async fn measure(args: &Args) -> anyhow::Result<Report> {
    args.check()?;
    let setting = Setting::here(args.signalbox.as_deref())?;
    let mut buses = Vec::new();
    for bus in &args.bus {
        buses.push(on_bus(args, *bus).await?);
    }
    let decide = match args.decides() {
        true => decide::rows(args).await?,
        false => Vec::new(),
    };
    Ok(Report {
        rows: rows::rows(&buses, decide, args),
        setting,
        buses,
    })
}

/// Everything that is measured over one log.
async fn on_bus(args: &Args, bus: Bus) -> anyhow::Result<OnBus> {
    let backing = match bus {
        Bus::Embedded => None,
        Bus::Kafka => Some(stage::start_backing().await?),
    };
    let scene = Scene::new(args, Ground::of(backing.as_ref()))?;
    let full = Load {
        messages: args.messages(bus),
        per_second: args.rate,
        seed: args.seed,
    };
    if backing.is_some() {
        say("a run to make the broker warm");
        let messages = full.messages.div_ceil(WARM_SHARE);
        pipeline::run(&scene, &Load { messages, ..full }).await?;
    }
    let mut runs = Vec::new();
    for number in 1..=args.runs {
        say(&format!(
            "{}: run {number} of {} at full load",
            scene.words(),
            args.runs
        ));
        runs.push(pipeline::run(&scene, &full).await?);
    }
    let mut steady = Vec::new();
    for (what, load) in args.steady_loads(bus, &runs) {
        for number in 1..=args.runs_of(what) {
            say(&format!(
                "{}: {what}, run {number} at {} a second",
                scene.words(),
                load.per_second
            ));
            let run = pipeline::run(&scene, &load).await?;
            steady.push(Steady { what, run });
        }
    }
    say(&format!("{}: the floor", scene.words()));
    let engines = match &backing {
        None => Engines::embedded()?,
        Some((kafka, redis)) => Engines::apart(&kafka.bootstrap(), &redis.url()).await?,
    };
    let floor = relay::measure(engines, &args.relay(bus)).await?;
    Ok(OnBus {
        bus,
        full: runs,
        steady,
        floor,
    })
}

/// Tells people what happens: it takes a while.
fn say(what: &str) {
    eprintln!("{what}");
}
