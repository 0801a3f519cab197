//! Look-ups under measurement: numbers in memory, in the shared store, and at a steady rate with a provider behind.

pub mod args;
mod report;
mod scene;
mod shared;
mod steady;
mod warm;

use std::{process::ExitCode, sync::Arc};

use anyhow::{Result, ensure};
use disk::Disk;
use store::EmbeddedStore;

pub use args::Args;
pub use report::Report;

use self::scene::Scene;
use crate::{
    decide::{Heap, clock},
    printed,
};

/// Runs the measurement that `args` ask for and prints it. `heap` counts for the program's allocator.
///
/// # Errors
/// Those of [`measure`].
pub fn run(args: &Args, heap: &dyn Heap) -> Result<ExitCode> {
    let report = measure(args, heap)?;
    printed::print(&report, args.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the measurement and returns what it found, to be printed or serialized.
///
/// # Errors
/// Sizes out of range, a store that is away or in use, or a number that is known where it should not be, or the other way
/// round.
pub fn measure(args: &Args, heap: &dyn Heap) -> Result<Report> {
    ensure!(args.numbers > 0 && args.rounds > 0, "numbers and rounds are from 1 up");
    ensure!(args.stored > 0 && args.rate > 0, "stored and rate are from 1 up");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measured(args, heap))
}

async fn measured(args: &Args, heap: &dyn Heap) -> Result<Report> {
    let load_average = clock::load_average();
    let scene = Scene::new(args.ported)?;
    let warm = warm::warm(&scene, args.numbers, args.ported, args.rounds, heap).await?;
    let mut shared = vec![embedded(&scene, args).await?];
    let redis = match &args.redis {
        Some(url) => Some(scene::redis(url, scene.clock()).await?),
        None => None,
    };
    if let Some(redis) = &redis {
        shared.push(shared::shared(&scene, "redis", Arc::clone(redis), args.stored, args.rounds).await?);
    }
    let steady = steady::steady(&scene, args, redis, heap).await;
    Ok(Report {
        load_average,
        targets: report::targets(&warm, &shared, &steady),
        warm,
        shared,
        steady,
    })
}

async fn embedded(scene: &Scene, args: &Args) -> Result<shared::Shared> {
    let home = tempfile::tempdir()?;
    let disk = Disk::open(home.path())?;
    let store = Arc::new(EmbeddedStore::open(disk, scene.clock().as_millis_fn())?);
    shared::shared(scene, "embedded", store, args.stored, args.rounds).await
}
