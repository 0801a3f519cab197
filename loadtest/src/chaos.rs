//! Faults on real processes: the binary itself under load, over real brokers, a real Redis or a real disk, with carriers whose own
//! logs are the witness. What was accepted must end, nothing may be doubled but where an answer was lost and the class allows it,
//! and passwords must flow again.

pub mod args;
mod enclave;
pub mod fault;
mod pace;
mod recovery;
mod relay;
mod report;
mod rig;
mod storm;
mod takeover;

use std::{collections::BTreeMap, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context as _, ensure};
use service::{Clock, Tasks, time};
use tokio::sync::watch;

use crate::{
    customer::{Customer, Ledger, Phase, Troubles},
    interrupt::until_signal,
    oracle::{Evidence, Verdict},
    printed,
    stage::land::{Letters, TTL},
};
pub use args::Args;
use enclave::Enclave;
use fault::{Draws, Kind, Prey};
use pace::Pace;
use recovery::{RAMP, Recovery, WARM_UP};
use report::{Parts, Report, seconds};
use rig::{CARRIERS, Rig};
use storm::{Storm, blamed};

/// Without faults, so that it is known how passwords flow: before the first, once all is warm, and after the last.
const QUIET: Duration = Duration::from_secs(10);
const AFTERMATH: Duration = Duration::from_secs(10);
/// Longest wait for the ends: time to live, the grace of messages that are no passwords, and some.
const END_TIMEOUT: Duration = Duration::from_secs(30 + 600 + 60);
const _: () = assert!(
    END_TIMEOUT.as_secs() >= TTL.as_secs() + 610,
    "every message may end in time"
);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Breaks things as `args` say, prints what came of it, and exits with 1 where a promise was broken.
///
/// # Errors
/// Something could not be started, or broken.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let enclave = Enclave::enter()?;
    let report = until_signal(play(args, enclave))?;
    printed::print(&report, args.json)?;
    Ok(ExitCode::from(u8::from(!report.is_good())))
}

/// What can be broken here, and what cannot, with why.
fn kinds(args: &Args, enclave: Enclave) -> anyhow::Result<(Vec<Kind>, BTreeMap<&'static str, &'static str>)> {
    let mut kinds = Kind::over(args.bus);
    if !args.faults.is_empty() {
        kinds.retain(|kind| args.faults.contains(kind));
    }
    let needs_enclave = |kind: &Kind| *kind == Kind::NetCut || kind.prey() == Prey::Disk;
    let mut skipped = BTreeMap::new();
    if !enclave.is_own {
        let without = kinds.iter().filter(|kind| needs_enclave(kind));
        let why =
            "needs a network and mounts of one's own: the rights of an administrator, and `unshare` of util-linux";
        skipped.extend(without.map(|kind| (kind.word(), why)));
        kinds.retain(|kind| !needs_enclave(kind));
    }
    ensure!(!kinds.is_empty(), "none of these faults can be had here: {skipped:?}");
    Ok((kinds, skipped))
}

async fn play(args: &Args, enclave: Enclave) -> anyhow::Result<Report> {
    let (kinds, skipped) = kinds(args, enclave)?;
    let is_only_drain = kinds == [Kind::Drain];
    let mut rig = Rig::start(args, enclave).await?;
    let letters = || Letters::new(args.seed, CARRIERS);
    let pace = Arc::new(Pace::new(args.rate, RAMP));
    let run = format!("chaos-{}", args.seed);
    let customer = Customer::new(rig.targets.clone(), Box::new(letters()?), pace, run);
    let ledger = customer.ledger();
    let (phase, phases) = watch::channel(Phase::Sending);
    let mut working = Tasks::new();
    working.spawn(customer.run(phases));
    let mut storm = Storm::new(&mut rig, Draws::new(args.seed, kinds), !args.json);
    watch_for(&mut storm, WARM_UP + QUIET).await?;
    let first = Clock::wall().precisely();
    storm
        .blow(Duration::from_secs_f64(args.every), seconds(args.minutes))
        .await?;
    storm.calm().await?;
    watch_for(&mut storm, AFTERMATH).await?;
    phase.send_replace(Phase::Settling {
        until: time::now() + END_TIMEOUT,
    });
    let customer = loop {
        if let Some(done) = time::timeout(LOOK_EVERY, working.join_next()).await {
            break done.context("there is a customer")???;
        }
        storm.look().await?;
    };
    let (struck, died, undrained) = (storm.struck, storm.died, storm.undrained);
    let left_behind = storm.left_behind;
    rig.receipts_handed_over().await;
    let mut findings = [undrained, rig.stop().await].concat();
    let logs = rig.stop_carriers().await;
    findings.extend(
        customer
            .refused
            .map(|why| format!("a message was refused for good: {why}")),
    );
    let may_die = struck.iter().any(|struck| struck.kind == Kind::DiskFull);
    if !may_die {
        findings.extend(
            died.iter()
                .map(|died| format!("{} ended by itself: {}", died.name, died.how)),
        );
    }
    let ledger = Ledger::taken(&ledger);
    let log = (&rig.ground, &*rig.database());
    let evidence = Evidence::read(log, rig.began, &logs, ledger.entries.len(), |_, _, _| ()).await?;
    let recovery = Recovery::of(&ledger, &evidence, letters()?, first)?;
    let verdict = Verdict::of(&ledger, &evidence, letters()?, |at| blamed(&struck, at))?;
    let taken_over: Vec<_> = (0..struck.len())
        .map(|number| takeover::taken_over(&struck, number, &ledger, &evidence))
        .collect();
    findings.extend(takeover::findings(&struck, &taken_over));
    if is_only_drain {
        findings.extend(drain_findings(&customer.troubles, &verdict));
    }
    let report = Report::new(Parts {
        args,
        start: ledger.start_at,
        struck: &struck,
        died: &died,
        left_behind,
        troubles: customer.troubles,
        submitted_again: ledger.entries.iter().filter(|entry| entry.submitted > 1).count(),
        skipped,
        recovery: &recovery,
        taken_over: &taken_over,
        verdict,
        findings,
    });
    if !report.is_good() {
        rig.cast.show_logs();
    }
    Ok(report)
}

/// A drain costs nobody anything: callers meet nothing but `UNAVAILABLE`, and nothing is doubled.
fn drain_findings(troubles: &Troubles, verdict: &Verdict) -> Vec<String> {
    let unexpected = troubles
        .iter()
        .filter(|(what, _)| !what.starts_with("Unavailable") && *what != "no connection");
    let mut findings: Vec<_> = unexpected
        .map(|(what, count)| format!("a drain made the customer meet: {what}: {count}"))
        .collect();
    if !verdict.doubled.is_empty() {
        findings.push(format!("drains doubled {} messages", verdict.doubled.len()));
    }
    findings
}

async fn watch_for(storm: &mut Storm<'_>, span: Duration) -> anyhow::Result<()> {
    let start = time::now();
    while start.elapsed() < span {
        storm.look().await?;
        time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
