//! `signalbox demo`: the whole router with three carriers, a dark carrier and a changed price, and the books checked.

use std::process::ExitCode;

use crate::{
    cli::{Bus, Demo, Scene},
    exit,
};

mod bad_provider;
mod campaign;
mod check;
mod drive;
mod failover;
mod placing;
mod ported;
mod report;
mod scenes;
mod stage;
mod waves;

use failover::Failover;
use stage::{Plot, Stage};

/// Runs the demonstration. Exit code 0 only if every accepted message reached exactly one terminal state, the carriers'
/// own logs agree, and the shares moved as the table says.
///
/// # Errors
/// Something could not be started, or the router died.
pub(crate) fn main(demo: Demo) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let is_good = runtime.block_on(run(&demo))?;
    Ok(ExitCode::from(if is_good { 0 } else { exit::NEGATIVE }))
}

async fn run(demo: &Demo) -> anyhow::Result<bool> {
    let router = match demo.bus {
        Bus::Embedded => "one router",
        Bus::Kafka => "ingest, two routers and three connectors over Apache Kafka and Redis",
    };
    let (table, carriers) = match demo.scene {
        Scene { waves: true, .. } => ("an invented country", "four"),
        Scene { ported: true, .. } | Scene { bad_provider: true, .. } => ("two invented countries", "three"),
        _ => ("a table over 29,244 real prefixes", "three"),
    };
    println!("Setting the stage: {table}, {carriers} invented carriers over SMPP, {router}.");
    if demo.scene.waves {
        return waves::run(demo).await;
    }
    if demo.scene.ported {
        return ported::run(demo).await;
    }
    if demo.scene.bad_provider {
        return bad_provider::run(demo).await;
    }
    let mut stage = Stage::set(demo, Plot::Usual, demo.keep.as_deref(), None).await?;
    if let Some(messages) = demo.scene.campaign {
        return campaign::run(stage, demo, messages).await;
    }
    let trip = drive::run(&mut stage, demo).await;
    if trip.is_err() {
        stage.cast.show_logs();
    }
    let trip = trip?;
    let scene = stage.strike().await?;
    let books = scene.books(&trip).await?;
    let findings = check::all(&scene, &trip, &books);
    let mut is_good = findings.is_empty();
    if demo.scene.failover {
        let failover = Failover::measure(&scene, &trip, &books)?;
        failover.print();
        is_good &= demo.no_limits || failover.broken().is_empty();
    }
    report::print(&scene, &trip, &books, &findings)?;
    Ok(is_good)
}
