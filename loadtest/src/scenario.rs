//! Scenarios as files: load over time, carriers, mishaps, and goals. Real processes play them, the books judge every run, and what
//! it came to is told with plots.

pub mod args;
mod html;
mod measures;
mod plan;
mod play;
mod provider;
mod read;
mod report;
mod rig;
mod spec;

use std::{fs, path::Path, process::ExitCode};

use anyhow::Context as _;

use crate::{interrupt::until_signal, printed, setting::Setting, stage};
pub use args::Args;
pub use report::Report;
use spec::Scenario;

/// A file is wrong, as everywhere here.
const USAGE: u8 = 64;

/// Plays what `args` name, prints what it came to, and writes `NAME.json` and `NAME.html` of each.
///
/// # Errors
/// Something cannot be had or started, or a process ended by itself: the scenarios before were played.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (mut scenarios, mut is_wrong) = (Vec::new(), false);
    for file in &args.files {
        match read::read(file) {
            Ok(scenario) => scenarios.push(scenario),
            Err(problems) => {
                eprint!("{problems}");
                is_wrong = true;
            }
        }
    }
    if is_wrong {
        return Ok(ExitCode::from(USAGE));
    }
    let mut is_good = true;
    if !args.check {
        let program = stage::program(args.signalbox.as_deref())?;
        fs::create_dir_all(&args.out).with_context(|| format!("{} cannot be made", args.out.display()))?;
        for mut scenario in scenarios {
            scenario.bus = args.bus.unwrap_or(scenario.bus);
            is_good &= one(args, &scenario, &program)?;
        }
    }
    Ok(ExitCode::from(u8::from(!is_good)))
}

/// Plays one of them; whether it went as it should.
fn one(args: &Args, scenario: &Scenario, program: &Path) -> anyhow::Result<bool> {
    let Scenario { name, length, .. } = scenario;
    eprintln!(
        "{name} over {}: {} s and the ends",
        scenario.bus.words(),
        length.as_secs()
    );
    let setting = Setting::here(args.signalbox.as_deref())?;
    let report = until_signal(async {
        let played = play::play(scenario, program, setting).await;
        played.with_context(|| name.clone())
    })?;
    let (json, page) = (
        args.out.join(format!("{name}.json")),
        args.out.join(format!("{name}.html")),
    );
    fs::write(&json, serde_json::to_string_pretty(&report)?)?;
    fs::write(&page, html::page(&report)?)?;
    printed::print(&report, args.json)?;
    eprintln!("written: {} and {}", json.display(), page.display());
    Ok(report.is_good())
}
