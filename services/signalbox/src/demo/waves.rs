//! Carriers that throttle in waves, keep answers back, cut connections, and send receipts early, late and twice. Every message must
//! end once all the same, handsets must read what was sent, and none may have it twice but where the policy allows that.
//!
//! There is a carrier for each way in which a link cuts long messages, so that carriers' logs show all of them.

use std::time::Duration;

use service::time;

use super::{
    drive,
    stage::{Plot, Stage},
};
use crate::cli::Demo;

mod carrier;
mod check;
mod report;

pub(super) use carrier::{WAYS, WINDOW, behaviour, ids};
use check::Verdict;
use report::Seen;

/// Longest wait until routers have taken all receipts, those that come late and twice too.
const RECEIPTS_TIMEOUT: Duration = Duration::from_secs(60);
/// Waves are waited out, whoever waits.
pub(super) const DEFAULTS: &str = "attempts = 5\nspill_after = \"25s\"\n";
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Plays the scene, prints what came of it, and says whether it is as it should be.
///
/// # Errors
/// Something could not be started, or the router died.
pub(super) async fn run(demo: &Demo) -> anyhow::Result<bool> {
    let mut stage = Stage::set(demo, Plot::Waves, demo.keep.as_deref(), None).await?;
    let trip = drive::run(&mut stage, demo).await;
    if trip.is_err() {
        stage.cast.show_logs();
    }
    let trip = trip?;
    let all_taken = time::timeout(RECEIPTS_TIMEOUT, receipts_taken(&stage)).await;
    let seen = Seen::of(&stage, all_taken.is_some());
    let scene = stage.strike().await?;
    let books = scene.books(&trip).await?;
    let verdict = Verdict::of(&scene, &trip, &books);
    Ok(report::print(&trip, &books, &seen, verdict))
}

async fn receipts_taken(stage: &Stage) {
    let is_waited_for = || stage.counts().iter().any(|(_, counts)| counts.receipts_waiting > 0);
    while is_waited_for() {
        time::sleep(LOOK_EVERY).await;
    }
}
