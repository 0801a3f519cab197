//! What happens on the way: the events of each scene.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use service::{Clock, time};
use signalbox_loadtest::stage::{Ground, router};
use sms::{CarrierName, UnixMs};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::{drive::Drive, stage::Stage};
use crate::cli::Demo;

/// How long the killed carrier stays dead after the last message was answered.
const DARK_AFTER_LAST: Duration = Duration::from_secs(2);
/// The same where it is measured how fast messages leave it: long enough for the slowest.
const DARK_AFTER_LAST_MEASURED: Duration = Duration::from_secs(5);
/// What a router writes to its log when it has rebuilt the store.
const REBUILT: &str = "store rebuilt";
/// What a router writes to its log when a table is in force; the version stands beside it.
const SWAPPED_IN: &str = "table swapped in";

/// Sends all messages, with the events that `demo` asks for.
pub(super) async fn play(drive: &mut Drive, stage: &mut Stage, demo: &Demo) -> anyhow::Result<()> {
    let is_apart = matches!(stage.ground(), Ground::Apart { .. });
    let scene = demo.scene;
    ensure!(
        is_apart || !(scene.rolling || scene.store_loss),
        "--rolling and --store-loss need --bus kafka: there is one process here, and one database"
    );
    if scene.steady || scene.ported || scene.waves {
        drive.follow(drive.count()).await
    } else if scene.crash && is_apart {
        crash_apart(drive, stage).await
    } else if scene.crash {
        crash(drive, stage).await
    } else if scene.rolling {
        rolling(drive, stage).await
    } else if scene.store_loss {
        store_loss(drive, stage).await
    } else if scene.failover {
        dark(drive, stage).await
    } else {
        dark_and_cheaper(drive, stage).await
    }
}

async fn dark_and_cheaper(drive: &mut Drive, stage: &mut Stage) -> anyhow::Result<()> {
    let names: Vec<_> = stage.carriers().cloned().collect();
    let [dark, .., cheaper] = &names[..] else {
        bail!("the demonstration needs carriers")
    };
    let count = drive.count();
    // A busy machine may take longer to compile the new table than to send all there is: the rest waits for it.
    drive.send_until(3 * count / 4);
    drive.follow(count / 3).await?;
    let dark_at = kill(drive, stage, dark);
    drive.follow(2 * count / 3).await?;
    drive.say(&format!(
        "{cheaper} becomes 40 % cheaper: its rate sheet is saved while the router runs"
    ));
    let version = stage.make_cheaper(cheaper)?;
    let is_in_force = || {
        stage
            .cast
            .said(SWAPPED_IN)
            .iter()
            .any(|(_, line)| line.contains(&version))
    };
    drive.follow_until(is_in_force).await?;
    drive.trip.cheaper = Some((cheaper.clone(), Clock::wall().now()));
    drive.send_until(count);
    drive.follow(count).await?;
    time::sleep(DARK_AFTER_LAST).await;
    revive(drive, stage, dark, dark_at).await
}

/// The first carrier dies, and stays dead until the last message was answered.
async fn dark(drive: &mut Drive, stage: &mut Stage) -> anyhow::Result<()> {
    let dark = stage.carriers().next().cloned();
    let dark = dark.context("the demonstration needs carriers")?;
    let count = drive.count();
    drive.follow(count / 3).await?;
    let dark_at = kill(drive, stage, &dark);
    drive.follow(count).await?;
    time::sleep(DARK_AFTER_LAST_MEASURED).await;
    revive(drive, stage, &dark, dark_at).await
}

/// Ends a carrier, and returns when.
fn kill(drive: &Drive, stage: &mut Stage, carrier: &CarrierName) -> UnixMs {
    drive.say(&format!(
        "{carrier} is killed: no answer leaves it any more, and nobody listens"
    ));
    let at = Clock::wall().now();
    stage.kill_carrier(carrier);
    at
}

/// Starts a carrier again that was killed at `dark_at`.
async fn revive(drive: &mut Drive, stage: &mut Stage, carrier: &CarrierName, dark_at: UnixMs) -> anyhow::Result<()> {
    drive.say(&format!(
        "{carrier} is started again, and sends the receipts it still owes"
    ));
    drive.trip.dark = Some((carrier.clone(), dark_at, Clock::wall().now()));
    stage.revive_carrier(carrier).await
}

/// The one process is killed in mid-traffic.
async fn crash(drive: &mut Drive, stage: &mut Stage) -> anyhow::Result<()> {
    let count = drive.count();
    drive.follow(count / 2).await?;
    drive.send_ahead().await;
    drive.say("the router is killed with SIGKILL, and started again on the same files");
    drive.trip.disturbed.push(Clock::wall().now());
    drive.trip.may_double = true;
    let router = stage.cast.kill("router").await?;
    let lost = drive.lose_unanswered();
    drive.say(&format!("{lost} messages were under way without an answer"));
    stage.cast.add(router).await?;
    drive.reconnect(stage).await?;
    drive.follow(count).await
}

/// A router and a connector are killed in mid-traffic, and ingest goes on.
async fn crash_apart(drive: &mut Drive, stage: &mut Stage) -> anyhow::Result<()> {
    let count = drive.count();
    let connector = first_connector(stage)?;
    drive.follow(count / 2).await?;
    drive.send_ahead().await;
    drive.say(&format!(
        "{connector} and a router are killed with SIGKILL, and started again"
    ));
    drive.trip.disturbed.push(Clock::wall().now());
    drive.trip.may_double = true;
    let parts = [stage.cast.kill(&connector).await?, stage.cast.kill("router-1").await?];
    for part in parts {
        drive.meanwhile(stage.cast.add(part)).await?;
    }
    drive.follow(count).await
}

/// What an upgrade does, and then one thing it does not: every process but ingest changes, and messages flow.
async fn rolling(drive: &mut Drive, stage: &mut Stage) -> anyhow::Result<()> {
    let count = drive.count();
    let connector = first_connector(stage)?;
    drive.follow(count / 5).await?;
    drive.say("a third router joins");
    drive.meanwhile(stage.cast.add(router(3))).await?;
    drive.follow(2 * count / 5).await?;
    drive.say("a router is drained with SIGTERM, and leaves");
    drive.meanwhile(stage.cast.stop("router-1")).await?;
    drive.follow(3 * count / 5).await?;
    drive.say(&format!(
        "{connector} is drained with SIGTERM, and another one takes its place"
    ));
    drive.trip.disturbed.push(Clock::wall().now());
    let part = drive.meanwhile(stage.cast.stop(&connector)).await?;
    drive.meanwhile(stage.cast.add(part)).await?;
    drive.follow(4 * count / 5).await?;
    drive.say("a router is killed with SIGKILL, and nobody starts it again");
    stage.cast.kill("router-2").await?;
    drive.follow(count).await
}

/// The store loses all it held, in mid-traffic.
async fn store_loss(drive: &mut Drive, stage: &mut Stage) -> anyhow::Result<()> {
    let count = drive.count();
    drive.follow(count / 2).await?;
    let Ground::Apart { redis, .. } = stage.ground() else {
        bail!("there is no store apart")
    };
    let before = stage.cast.said(REBUILT).len();
    drive.say("the store is emptied: claims, timers and all that waits for a receipt are gone");
    drive.trip.disturbed.push(Clock::wall().now());
    drive.trip.may_double = true;
    drive.trip.expects_rebuild = true;
    flush(redis).await?;
    drive.follow(count).await?;
    drive.wait_for_ends().await?;
    let said = stage.cast.said(REBUILT).split_off(before);
    let rebuilt = said
        .iter()
        .filter_map(|(name, line)| Some((name, line.split_once(REBUILT)?.1)));
    drive.trip.rebuilt = rebuilt.map(|(name, how)| format!("by {name}{how}")).collect();
    Ok(())
}

fn first_connector(stage: &Stage) -> anyhow::Result<String> {
    let first = stage.carriers().next().context("the demonstration needs carriers")?;
    Ok(format!("connector-{first}"))
}

/// Removes every key of the Redis at `url`.
async fn flush(url: &str) -> anyhow::Result<()> {
    let place = url
        .strip_prefix("redis://")
        .context("the scene speaks to a Redis without TLS")?;
    let place = place.split('/').next().unwrap_or_default();
    let (user, address) = place.rsplit_once('@').unwrap_or(("", place));
    let mut stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("no Redis at {address}"))?;
    let (name, password) = user.split_once(':').unwrap_or(("", ""));
    let mut commands = vec!["FLUSHALL SYNC".to_owned()];
    if !password.is_empty() {
        commands.insert(
            0,
            format!("AUTH {} {password}", if name.is_empty() { "default" } else { name }),
        );
    }
    for command in commands {
        stream.write_all(format!("{command}\r\n").as_bytes()).await?;
        let mut answer = [0; 512];
        let length = stream.read(&mut answer).await?;
        let answer = String::from_utf8_lossy(&answer[..length]);
        ensure!(answer.starts_with("+OK"), "Redis answered {answer}");
    }
    Ok(())
}
