//! Follows `links.toml` while its links run: maps are swapped at once, a file that is wrong changes nothing, and of
//! everything else it is said that it takes a restart.

use std::{
    fs,
    path::{Path, PathBuf},
};

use service::{Stop, watch::PathWatch};
use source::{Code, Log, Place, Problems};
use tracing::{error, info, warn};

use super::read_links;
use crate::{
    LinkConfig,
    maps::{LiveMaps, Maps},
    metrics,
};

/// A link that runs, as it was configured, with the maps that are in force on it.
pub(crate) struct Running {
    /// Its configuration when it was started.
    pub link: LinkConfig,
    /// What is swapped.
    pub maps: LiveMaps,
}

/// What a look at the file found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The maps in force are those of the file.
    Same,
    /// These links have other maps now.
    Swapped(Vec<String>),
    /// The file is wrong; everything stays.
    Refused(Problems),
}

/// Keeps the maps of `links` at what `file` says until `stop`.
pub(crate) async fn follow(file: PathBuf, links: Vec<Running>, stop: Stop) {
    let mut watch = PathWatch::new(&file);
    let (mut told, mut reported) = (Vec::new(), Problems::default());
    loop {
        tokio::select! {
            biased;
            () = stop.requested() => return,
            () = watch.next() => {}
        }
        let (look, stale) = look(&file, &links);
        match look {
            Look::Same => {}
            Look::Swapped(names) => {
                metrics::reload("swapped");
                info!(links = names.join(", "), "maps swapped in");
            }
            Look::Refused(problems) => {
                if problems != reported {
                    metrics::reload("refused");
                    // The refusal has many lines, and a field would end up behind the last of them.
                    error!("the links on disk are refused, the maps before them stay in force:\n{problems}");
                    reported = problems;
                }
                continue;
            }
        }
        reported = Problems::default();
        if stale != told {
            if !stale.is_empty() {
                warn!(
                    links = stale.join(", "),
                    "links changed beyond their maps, which takes a restart"
                );
            }
            told = stale;
        }
    }
}

/// Swaps what changed. Beside it the links that differ in more, are new or are gone.
pub(super) fn look(file: &Path, links: &[Running]) -> (Look, Vec<String>) {
    let written = match read(file) {
        Ok(written) => written,
        Err(problems) => return (Look::Refused(problems), Vec::new()),
    };
    let (mut swapped, mut stale) = (Vec::new(), Vec::new());
    for running in links {
        let name = &running.link.name;
        let Some(now) = written.iter().find(|link| link.name == *name) else {
            stale.push(name.clone());
            continue;
        };
        if running.maps.replace(Maps::of(now)) {
            swapped.push(name.clone());
        }
        if !running.link.is_like(now) {
            stale.push(name.clone());
        }
    }
    let is_new = |link: &&LinkConfig| links.iter().all(|running| running.link.name != link.name);
    stale.extend(written.iter().filter(is_new).map(|link| link.name.clone()));
    let look = match swapped.is_empty() {
        true => Look::Same,
        false => Look::Swapped(swapped),
    };
    (look, stale)
}

fn read(file: &Path) -> Result<Vec<LinkConfig>, Problems> {
    let name = file.display().to_string();
    match fs::read_to_string(file) {
        Ok(text) => read_links(&name, &text, file.parent().unwrap_or(Path::new(""))),
        Err(error) => {
            let log = Log::new('L');
            let what = format!("cannot be read: {error}");
            log.error(Place::file(name), Code::FILE, what, "", "");
            Err(log.into_problems())
        }
    }
}

#[cfg(test)]
mod tests;
