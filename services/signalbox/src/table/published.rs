//! `signalbox table publish`, `confirm`, `undo`, `history` and `status`: tables of all routers, through any of them.

mod asked;
mod shown;

use std::{path::Path, process::ExitCode, time::Duration};

use service::{time, time::Instant};
use signalbox_proto::{
    pb::signalbox::routing::v1::{self as pb, publish_table_response::Result as Answer},
    tables::pack,
};
use table::{
    diff::diff,
    files::{self, Files},
};

use crate::{
    cli::{Confirm, History, Publish, Routers, Status, Undo},
    client, exit,
};
use asked::{Asked, Head};

/// Pause before a router is asked again that went away while it was waited for.
const AGAIN: Duration = Duration::from_millis(200);

/// A finding that is negative, in words; everything else that goes wrong is an error.
type Found<T> = anyhow::Result<Result<T, String>>;

fn run(command: impl Future<Output = Found<()>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(match runtime.block_on(command)? {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("signalbox: {what}");
            ExitCode::from(exit::NEGATIVE)
        }
    })
}

/// Publishes the table in a directory.
///
/// # Errors
/// The directory is none, or no router can be asked.
pub(crate) fn publish(publish: Publish) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        publish.dir.is_dir(),
        "{}: is not a directory; name the one that holds table.toml",
        publish.dir.display()
    );
    run(published(publish))
}

async fn published(publish: Publish) -> Found<()> {
    let files = match files::read(&publish.dir) {
        Ok(files) => files,
        Err(problems) => return Ok(Err(format!("{} is refused:\n{problems}", publish.dir.display()))),
    };
    if !files.strays().is_empty() {
        eprintln!("{}", files.strays());
    }
    let packed = pack(files.iter())?;
    let mut asked = Asked::connect(&publish.routers).await?;
    let in_force = asked.fetch().await?;
    let base = publish
        .base
        .unwrap_or(in_force.as_ref().map_or(0, |(table, _)| table.number));
    show_changes(in_force.as_ref().map(|(_, files)| files), &files);
    let head = Head {
        base,
        confirm_within: publish.confirm_within,
        signed: publish.signed,
        check_only: publish.check,
    };
    let response = match asked.publish(head, packed).await? {
        Ok(response) => response,
        Err(what) => return Ok(Err(what)),
    };
    if !response.warnings.is_empty() {
        eprintln!("{}", response.warnings);
    }
    let published = match response.result {
        Some(Answer::Refused(problems)) => return Ok(Err(refused(&publish.dir, &problems))),
        Some(Answer::Published(published)) => Some(published),
        None => None,
    };
    let Some(published) = published.filter(|_| !publish.check) else {
        println!(
            "{} is sound: version {}, not published",
            publish.dir.display(),
            response.version
        );
        return Ok(Ok(()));
    };
    let word = if response.is_new {
        "published"
    } else {
        "in force already"
    };
    println!("{}", shown::line(word, &published));
    arrived(&publish.routers, &published, publish.wait).await
}

/// What the router says of the table, as `table check` says it.
fn refused(dir: &Path, problems: &str) -> String {
    format!("{} is refused, nothing was published:\n{problems}", dir.display())
}

/// Says what changes, as far as both tables are sound: a router says what is wrong with the new one.
fn show_changes(old: Option<&Files>, new: &Files) {
    match old.map(|old| diff(old, new)) {
        None => println!("nothing was published before"),
        Some(Ok(diff)) => print!("{}", diff.text(false)),
        Some(Err(_)) => {}
    }
}

/// Waits until every router serves what was published.
async fn arrived(routers: &Routers, published: &pb::PublishedTable, wait: Duration) -> Found<()> {
    let serves = |status: &pb::WatchTablesResponse| {
        let number = status.in_force.as_ref().map_or(0, |table| table.number);
        number != published.number || status.is_converged
    };
    let status = watched(routers, wait, serves).await?;
    let number = status.in_force.as_ref().map_or(0, |table| table.number);
    if number != published.number {
        return Ok(Err(format!(
            "version {number} is in force by now, not {}",
            published.number
        )));
    }
    let count = status.routers.len();
    if status.is_converged {
        println!("{count} of {count} routers serve it");
        if published.state() == pb::TableState::Pending {
            println!("to let it stay: signalbox table confirm {}", published.number);
        }
        return Ok(Ok(()));
    }
    print!("{}", shown::routers(&status));
    Ok(Err(format!(
        "not every router serves version {number} after {}",
        source::duration_text(wait)
    )))
}

/// What routers serve, once that is as `wanted`, or after `wait` as it is then. A router that goes away meanwhile is asked again.
async fn watched(
    routers: &Routers,
    wait: Duration,
    wanted: impl Fn(&pb::WatchTablesResponse) -> bool,
) -> anyhow::Result<pb::WatchTablesResponse> {
    let until = time::now() + wait;
    let mut last = None;
    loop {
        let asked = asked_until(routers, until, &mut last, &wanted).await;
        match (asked, last.take()) {
            (Ok(true), Some(status)) => return Ok(status),
            (asked, status) if time::now() >= until => return status.map_or_else(|| Err(gone(asked)), Ok),
            (Err(error), _) if !error.is::<client::Away>() => return Err(error),
            (_, status) => last = status,
        }
        time::sleep(AGAIN).await;
    }
}

fn gone(asked: anyhow::Result<bool>) -> anyhow::Error {
    let silent = || client::Away("no router says what is served".to_owned()).into();
    asked.err().unwrap_or_else(silent)
}

/// Watches one router; true = what it said `last` is as wanted.
async fn asked_until(
    routers: &Routers,
    until: Instant,
    last: &mut Option<pb::WatchTablesResponse>,
    wanted: &impl Fn(&pb::WatchTablesResponse) -> bool,
) -> anyhow::Result<bool> {
    let mut watch = Asked::connect(routers).await?.watch().await?;
    loop {
        // The first word comes at once, also where there is no time to wait for another.
        let left = until
            .saturating_duration_since(time::now())
            .max(AGAIN * 10 * u32::from(last.is_none()));
        let Some(status) = time::timeout(left, watch.message()).await else {
            return Ok(false);
        };
        let Some(status) = status.map_err(|status| client::explain(&status))? else {
            return Ok(false);
        };
        let is_wanted = wanted(&status);
        *last = Some(status);
        if is_wanted {
            return Ok(true);
        }
    }
}

/// Confirms the version in force.
///
/// # Errors
/// No router can be asked.
pub(crate) fn confirm(confirm: Confirm) -> anyhow::Result<ExitCode> {
    run(async {
        let mut asked = Asked::connect(&confirm.routers).await?;
        let confirmed = asked.confirm(confirm.number.unwrap_or_default(), confirm.who).await?;
        Ok(confirmed.map(|table| println!("{}", shown::line("stays", &table))))
    })
}

/// Publishes an older version again.
///
/// # Errors
/// No router can be asked.
pub(crate) fn undo(undo: Undo) -> anyhow::Result<ExitCode> {
    run(async {
        let mut asked = Asked::connect(&undo.routers).await?;
        let (undone, published) = match asked.undo(undo.base, undo.to.unwrap_or_default(), undo.signed).await? {
            Ok(response) => (
                response.undone.unwrap_or_default(),
                response.published.unwrap_or_default(),
            ),
            Err(what) => return Ok(Err(what)),
        };
        println!("{}", shown::line("was in force", &undone));
        println!("{}", shown::line("published", &published));
        arrived(&undo.routers, &published, undo.wait).await
    })
}

/// Lists the versions that are kept.
///
/// # Errors
/// No router can be asked.
pub(crate) fn history(history: History) -> anyhow::Result<ExitCode> {
    run(async {
        let tables = Asked::connect(&history.routers).await?.list().await?;
        if history.json {
            tables.iter().for_each(|table| println!("{}", shown::object(table)));
        } else if tables.is_empty() {
            eprintln!("no version was published");
        } else {
            print!("{}", shown::history(&tables));
        }
        Ok(Ok(()))
    })
}

/// Says what each router serves.
///
/// # Errors
/// No router can be asked.
pub(crate) fn status(status: Status) -> anyhow::Result<ExitCode> {
    run(async {
        let wait = status.wait.unwrap_or_default();
        let is_wanted = |found: &pb::WatchTablesResponse| status.wait.is_none() || found.is_converged;
        let found = watched(&status.routers, wait, is_wanted).await?;
        if status.json {
            println!("{}", shown::status_object(&found));
        } else {
            print!("{}", shown::status(&found));
        }
        let what = match (&found.in_force, found.is_converged) {
            (_, true) => return Ok(Ok(())),
            (None, _) => "no version was published".to_owned(),
            (Some(table), _) => format!("not every router serves version {}", table.number),
        };
        Ok(Err(what))
    })
}

/// The files in `packed`, as a router handed them over.
fn unpacked(packed: &[u8]) -> anyhow::Result<Files> {
    router::table_files(packed).map_err(|what| anyhow::anyhow!("the router hands over what is no table: {what}"))
}
