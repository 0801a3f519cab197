//! A provider of look-ups that answers in three seconds, then fails, then is gone, then lies, under traffic half of which needs no
//! look-up and must not notice.
//!
//! A second router, which looks nothing up, has carriers of its own and gets the same messages. The two run all the time and take
//! turns of a few hundredths of a second, so that whatever else this machine does hits both alike. Times are ours, to the
//! microsecond: from the hand that gives a message to the router to that of the carrier which takes it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use service::time;

use super::{check, drive::FRAME_PERIOD, stage::Plot};
use crate::cli::{Bus, Demo};

mod direct;
mod land;
mod lies;
mod log;
mod measure;
mod provider;
mod report;
mod side;
mod turns;

pub(super) use land::{SECTION, write_providers, write_table};
use provider::{Mood, Provider};
use report::Report;
use side::Side;
use turns::Turns;

/// What the provider is like, one after the other; before each it is well for a moment, and at the end.
const MOODS: [Mood; 4] = [Mood::Slow, Mood::Failing, Mood::Gone, Mood::Lying];
/// How long it is well, in traffic: enough to show that it is asked and believed.
const WELL: Duration = Duration::from_millis(600);
/// Seconds of a slice, where nobody says.
const SLICE_SECONDS: u32 = 10;
/// Longest wait until all of a slice is with the carriers.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(20);
/// After that breakers have let a provider that is well again prove it.
const RECOVERY: Duration = Duration::from_millis(1_500);
/// Longest wait for the ends after the last message.
const END_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs both routers, prints what came of them, and says whether it is as it should be.
///
/// # Errors
/// Something could not be started, or a router died.
pub(super) async fn run(demo: &Demo) -> anyhow::Result<bool> {
    ensure!(
        demo.bus == Bus::Embedded,
        "--bad-provider runs two routers beside each other, which one Kafka would make one: leave --bus out"
    );
    let provider = Provider::start()?;
    let address = Some(provider.address);
    let mut sides = [
        Side::start(demo, Plot::BadProvider { provider: address }).await?,
        Side::start(demo, Plot::BadProvider { provider: None }).await?,
    ];
    let mut report = Report::default();
    let played = play(demo, &provider, &mut sides, &mut report).await;
    if played.is_err() {
        sides.iter().for_each(|side| side.stage.cast.show_logs());
    }
    played?;
    for side in sides {
        judge(side, &mut report).await?;
    }
    if provider.followed() > 0 {
        report.find(format!(
            "redirects of the provider were followed {} times",
            provider.followed()
        ));
    }
    report.print(demo.no_limits)
}

/// As many rounds of all moods as there are messages for, and at least one.
async fn play(demo: &Demo, provider: &Provider, sides: &mut [Side; 2], report: &mut Report) -> anyhow::Result<()> {
    let span = Duration::from_secs(demo.seconds.unwrap_or(SLICE_SECONDS).into());
    let messages = f64::from(demo.rate) * span.as_secs_f64() * MOODS.len() as f64;
    let rounds = (f64::from(demo.messages) / messages).round().max(1.0) as usize;
    for round in 0..rounds {
        for (turn, mood) in MOODS.into_iter().enumerate() {
            println!("  round {} of {rounds}, the provider {}", round + 1, mood.as_str());
            calm(demo, provider, sides, report).await?;
            provider.set(mood);
            let (number, asked) = (report.begin(mood), provider.asked());
            // Who goes first takes turns too: between slices, and for each mood between rounds.
            slice(sides, Turns::new(number, (round + turn) % 2, demo.rate, span)).await?;
            report.asked(number, provider.asked() - asked);
        }
    }
    calm(demo, provider, sides, report).await?;
    let ended = follow(sides, |sides| sides.iter().all(|side| side.open() == 0));
    let ended = time::timeout(END_TIMEOUT, ended).await;
    let open: usize = sides.iter().map(Side::open).sum();
    ended.with_context(|| format!("{open} accepted messages have not ended"))?
}

/// The provider is well: breakers find that out, and it is asked and believed.
async fn calm(demo: &Demo, provider: &Provider, sides: &mut [Side; 2], report: &mut Report) -> anyhow::Result<()> {
    provider.set(Mood::Well);
    pass(sides, RECOVERY).await?;
    let (number, asked) = (report.begin(Mood::Well), provider.asked());
    slice(sides, Turns::new(number, 0, demo.rate, WELL)).await?;
    report.asked(number, provider.asked() - asked);
    sides.iter_mut().try_for_each(|side| side.stage.cast.ensure_running())
}

/// Sends a slice to both sides in turn, and waits until all of it is with the carriers.
async fn slice(sides: &mut [Side; 2], mut turns: Turns) -> anyhow::Result<()> {
    let mut ticks = time::every(FRAME_PERIOD);
    while !turns.is_over() {
        let [first, second] = &mut *sides;
        // All arms are cancel-safe: a stream keeps what was not taken.
        tokio::select! { biased;
            _ = ticks.tick() => turns.send(sides),
            done = first.step() => done?,
            done = second.step() => done?,
        }
    }
    let settled = time::timeout(
        SETTLE_TIMEOUT,
        follow(sides, |sides| sides.iter().all(Side::is_settled)),
    )
    .await;
    let left: Vec<_> = sides.iter().map(Side::left).collect();
    settled.with_context(|| format!("messages are not answered, or reach no carrier: {}", left.join("; ")))?
}

async fn pass(sides: &mut [Side; 2], span: Duration) -> anyhow::Result<()> {
    match time::timeout(span, follow(sides, |_| false)).await {
        Some(ended) => ended,
        None => Ok(()),
    }
}

/// Takes what comes until `is_over`.
async fn follow(sides: &mut [Side; 2], is_over: impl Fn(&[Side; 2]) -> bool) -> anyhow::Result<()> {
    while !is_over(sides) {
        let [first, second] = &mut *sides;
        tokio::select! { biased;
            done = first.step() => done?,
            done = second.step() => done?,
        }
    }
    Ok(())
}

/// Stops a side, and looks at its log, its books and those of its carriers.
async fn judge(mut side: Side, report: &mut Report) -> anyhow::Result<()> {
    report.memory(side.looks_up, &side.stage.cast.memory_max());
    side.stage.stop().await?;
    log::judge(&side, report);
    let scene = side.stage.strike().await?;
    let books = scene.books(&side.trip).await?;
    let word = if side.looks_up { "with" } else { "without" };
    for finding in check::ends(&scene, &side.trip, &books) {
        report.find(format!("{word} look-ups: {finding}"));
    }
    measure::judge(side.looks_up, &side.sent, &books, report);
    Ok(())
}
