//! Passwords beside a campaign: a million messages that nobody waits for must not make those wait that somebody reads now.
//!
//! Passwords come alone at first, then while the campaign is handed over, and then beside its queue. The links are slow
//! enough that the queue outlasts the measurement, and its end is not waited for.

use std::time::Duration;

use anyhow::Context as _;
use service::{Clock, time, time::Instant};
use signalbox_loadtest::{smsc::scan_log, stage::News};

use super::{drive::FRAME_PERIOD, stage::Stage};
use crate::cli::Demo;

mod bulk;
mod disk;
mod passwords;
mod rates;
mod report;

use bulk::Bulk;
pub(super) use bulk::letters;
use passwords::{Passwords, Phase};
pub(super) use rates::rates;
use report::Report;

/// Until connections, caches and the log are warm.
const WARMUP: Duration = Duration::from_secs(5);
/// Seconds of each measurement, where nobody says.
const SECONDS: u32 = 60;
/// Longest that the campaign may take until all of it is accepted.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(1_800);
/// So long after the measurement the last password is with its carrier, or missed.
const SETTLE: Duration = Duration::from_secs(5);

/// Runs the passwords and the campaign on `stage`, and says whether the passwords felt it.
///
/// # Errors
/// The router ended or refuses what it should take, or a log cannot be read.
pub(super) async fn run(mut stage: Stage, demo: &Demo, messages: u32) -> anyhow::Result<bool> {
    let measured = measure(&mut stage, demo, messages).await;
    if measured.is_err() {
        stage.cast.show_logs();
    }
    let mut report = measured?;
    let logs = stage.stop().await?;
    for (_, log) in &logs {
        scan_log(log, |received| {
            if received.was_taken() {
                report.note(&received);
            }
        })?;
    }
    report.print()?;
    Ok(demo.no_limits || report.broken()?.is_empty())
}

async fn measure(stage: &mut Stage, demo: &Demo, messages: u32) -> anyhow::Result<Report> {
    let bulk = Bulk::new(stage.courier(None).await?, messages, demo.seed);
    let passwords = Passwords::new(stage.courier(None).await?, demo.seed)?;
    let mut flow = Flow { passwords, bulk };
    let seconds = Duration::from_secs(demo.seconds.unwrap_or(SECONDS).into());
    flow.follow(Phase::Warmup, WARMUP).await?;
    println!("  passwords alone, for {seconds:?}");
    let folder = stage.folder().to_owned();
    let ((), disk_alone) = disk::beside(&folder, flow.follow(Phase::Alone, seconds)).await?;
    let memory_before = stage.cast.memory_max();
    println!("  the campaign is handed over: {messages} messages");
    let start = time::now();
    let handed_over = time::timeout(HANDOVER_TIMEOUT, flow.hand_over()).await;
    handed_over.context("the campaign is not taken")??;
    let took = start.elapsed();
    println!("  passwords beside the campaign, for {seconds:?}");
    let ((), disk_beside) = disk::beside(&folder, flow.follow(Phase::Beside, seconds)).await?;
    let ended_at = Clock::wall().now();
    flow.follow(Phase::Settling, SETTLE).await?;
    stage.cast.ensure_running()?;
    Ok(Report {
        passwords: flow.passwords.sent,
        campaign: flow.bulk.count,
        took,
        disk: [disk_alone, disk_beside],
        ended_at,
        memory_before,
        memory_max: stage.cast.memory_max(),
        sent: 0,
    })
}

/// What is on its way to the router.
struct Flow {
    passwords: Passwords,
    bulk: Bulk,
}

impl Flow {
    /// Sends passwords, and takes what comes, for so long.
    async fn follow(&mut self, phase: Phase, span: Duration) -> anyhow::Result<()> {
        let until = time::now() + span;
        self.flow(phase, |_| time::now() >= until).await
    }

    /// Hands over the whole campaign, with passwords beside it.
    async fn hand_over(&mut self) -> anyhow::Result<()> {
        let mut told = Told::new();
        self.flow(Phase::Handover, |bulk| {
            told.say(bulk);
            bulk.is_handed_over()
        })
        .await
    }

    async fn flow(&mut self, phase: Phase, mut is_over: impl FnMut(&mut Bulk) -> bool) -> anyhow::Result<()> {
        let mut ticks = time::every(FRAME_PERIOD);
        while !is_over(&mut self.bulk) {
            // All arms are cancel-safe: a stream keeps a message that was not taken.
            tokio::select! { biased;
                _ = ticks.tick() => {
                    self.passwords.send(phase);
                    if phase == Phase::Handover {
                        self.bulk.send();
                    }
                }
                // Receipts are taken as a customer takes them, and say nothing here.
                news = self.passwords.courier.next() => if let News::Answers(answers) = news? {
                    self.passwords.take(answers)?;
                },
                news = self.bulk.courier.next() => if let News::Answers(answers) = news? {
                    self.bulk.take(answers)?;
                },
            }
        }
        Ok(())
    }
}

/// Tells people now and then how far the campaign is.
struct Told(Instant);

impl Told {
    const PERIOD: Duration = Duration::from_secs(15);

    fn new() -> Self {
        Self(time::now())
    }

    fn say(&mut self, bulk: &Bulk) {
        if self.0.elapsed() >= Self::PERIOD {
            self.0 = time::now();
            println!(
                "    {} accepted, told {} times to come back",
                bulk.count.accepted, bulk.count.held_back
            );
        }
    }
}
