//! What the roles of a process need beside its own file: sections, accounts, links, certificate. Read before anything is
//! opened or started, so that every mistake is told at once and a process with one touches nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use ingest::{Accounts, KeySecret};
use service::{Clock, Dice};
use store::RedisStore;
use table::cases::{self, Unproven};

use super::{Roles, engine, lookups};
use signalbox_proto::server::Tls;

use crate::config::{self, Config, Ingest, TableFrom};

/// Reads everything that `roles` need, the table aside, which has a last good version of its own.
///
/// # Errors
/// Everything that is wrong, one problem after the other.
pub(super) fn files(config: &Config, roles: Roles) -> anyhow::Result<()> {
    told(problems(config, roles))
}

/// The same with the table and its cases.
///
/// # Errors
/// As [`files`].
pub(super) fn files_and_table(config: &Config, roles: Roles) -> anyhow::Result<()> {
    let mut problems = problems(config, roles);
    if roles.router
        && let Some(TableFrom::Directory(dir)) = &config.table
    {
        let files = table::files::read(dir).map_err(Unproven::Invalid);
        let proven = files.and_then(|files| cases::prove(&files));
        problems.extend(proven.err().map(|refused| refused.to_string()));
    }
    told(problems)
}

fn told(problems: Vec<String>) -> anyhow::Result<()> {
    anyhow::ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

fn problems(config: &Config, roles: Roles) -> Vec<String> {
    let mut problems = Vec::new();
    let mut check = |result: anyhow::Result<()>| problems.extend(result.err().map(|error| format!("{error:#}")));
    if roles.router && config.table.is_none() {
        check(Err(anyhow::anyhow!(
            "the router needs [table] path, or source = \"bus\""
        )));
    }
    if roles.connector {
        let file = config.links.as_ref().context("the connector needs [connector] links");
        check(file.and_then(|file| links(file)).map(drop));
        let tls = config.link_control.iter().filter_map(|control| control.tls.as_ref());
        tls.flat_map(Tls::files).for_each(|file| check(readable(file)));
    }
    if roles.ingest {
        match &config.ingest {
            None => check(Err(anyhow::anyhow!("ingest needs an [ingest] section"))),
            Some(section) => {
                check(accounts(&section.accounts));
                check(key_secret(section, &config.folder).map(drop));
                let tls = section.tls.iter().flat_map(Tls::files);
                tls.for_each(|file| check(readable(file)));
            }
        }
    }
    if roles.router {
        let tls = config.router.tls.iter().flat_map(Tls::files);
        tls.for_each(|file| check(readable(file)));
        if let Some(section) = &config.lookup {
            check(lookups::providers(&section.providers).map(drop));
            check(lookups::secret(section, &config.folder).map(drop));
        }
    }
    config.engine.files().into_iter().for_each(|file| check(readable(file)));
    if let config::Engine::Apart { kafka, redis } = &config.engine {
        check(engine::kafka(kafka, "", &config.folder).map(drop));
        let redis = engine::redis(redis, &config.folder, Clock::wall().as_millis_fn());
        check(redis.and_then(|redis| RedisStore::new(redis).map(drop).context("[store]")));
    }
    problems
}

/// The links written in `file`.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub(crate) fn links(file: &Path) -> anyhow::Result<Vec<connector::LinkConfig>> {
    let text = fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let base = file.parent().unwrap_or(Path::new(""));
    connector::read_links(&file.display().to_string(), &text, base).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// The secret that `section` names; `None` = it names none. A relative file starts at `folder`.
///
/// # Errors
/// It cannot be had, or is no secret.
pub(super) fn key_secret(section: &Ingest, folder: &Path) -> anyhow::Result<Option<KeySecret>> {
    let Some(source) = &section.key_secret else {
        return Ok(None);
    };
    let secret = source.read(folder).context("[ingest] key_secret")?;
    secret.reveal().parse().map(Some).context("[ingest] key_secret")
}

fn accounts(file: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let base = file.parent().unwrap_or(Path::new(""));
    Accounts::empty(&Dice::from_system())
        .parse(&file.display().to_string(), &text, base)
        .map(drop)
        .map_err(|problems| anyhow::anyhow!("{problems}"))
}

fn readable(file: &PathBuf) -> anyhow::Result<()> {
    fs::read(file)
        .map(drop)
        .with_context(|| format!("{}: cannot be read", file.display()))
}
