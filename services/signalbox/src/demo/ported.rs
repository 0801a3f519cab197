//! Numbers that moved: the same messages once with look-ups and once without, and what the difference comes to.
//!
//! A fifth of the recipients are served by another network than their number says, which a simulated provider knows. With
//! look-ups every one of them must go by its real network, without them by the wrong one.

use std::path::PathBuf;

use super::{
    check, drive,
    stage::{Plot, Stage},
};
use crate::cli::Demo;

mod land;
mod ledger;

pub(super) use land::{FLAT, NETWORKS, PREFIXES, letters, write_providers, write_table};
use ledger::Ledger;

/// What routers are told beside the rest: patient, so that no stall of this machine counts for a network that is not known.
pub(super) const SECTION: &str = "[lookup]\nproviders = \"providers.toml\"\nbudget = \"10s\"\nlearn_one_in = 0\n\
     secret = \"00112233445566778899aabbccddeeff\"\n";

/// Runs both, prints what came of them, and says whether it is as it should be.
///
/// # Errors
/// Something could not be started, or a router died.
pub(super) async fn run(demo: &Demo) -> anyhow::Result<bool> {
    println!("  with look-ups");
    let with = one(demo, true).await?;
    println!("  the same messages without");
    let without = one(demo, false).await?;
    ledger::print(&with, &without);
    let findings = ledger::findings(&with, &without);
    println!();
    if findings.is_empty() {
        println!(
            "As it should be: with look-ups every ported recipient is reached by its real network, without by the wrong one."
        );
    } else {
        println!("NOT as it should be:");
        for finding in &findings {
            println!("  {finding}");
        }
    }
    Ok(findings.is_empty())
}

async fn one(demo: &Demo, looks_up: bool) -> anyhow::Result<Ledger> {
    let word = if looks_up { "with" } else { "without" };
    let keep: Option<PathBuf> = demo.keep.as_ref().map(|folder| folder.join(word));
    let mut stage = Stage::set(demo, Plot::Ported { looks_up }, keep.as_deref(), None).await?;
    let trip = drive::run(&mut stage, demo).await;
    if trip.is_err() {
        stage.cast.show_logs();
    }
    let trip = trip?;
    let scene = stage.strike().await?;
    let books = scene.books(&trip).await?;
    Ledger::new(demo.seed, &scene, &trip, &books, check::ends(&scene, &trip, &books))
}
