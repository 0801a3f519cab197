//! Makes what a router looks numbers up with, as the configuration says.

use std::{fs, path::Path, sync::Arc};

use ::router::LookUps;
use anyhow::Context as _;
use lookup::{
    Chain, ChainConfig, ChainDeps, Curiosity, Limits, Offer, Portability, ProviderConfig, Upstream, read_providers,
};
use service::Deps;
use source::Secret;
use table::LiveTable;

use crate::config::LookUp;

/// Shortest secret, in octets: fewer can be guessed, and with it who is in the store.
const SECRET_OCTETS_MIN: usize = 16;

/// The chain of `section`, whose relative secrets start at `folder`, over `deps` and the table in force. To be called within a
/// runtime.
///
/// # Errors
/// A file cannot be read, or everything that is wrong with it.
pub(crate) fn make(section: &LookUp, folder: &Path, deps: &Deps, live: &Arc<LiveTable>) -> anyhow::Result<LookUps> {
    let providers = providers(&section.providers)?;
    let config = ChainConfig {
        numbers_max: section.numbers_max,
        secret: secret(section, folder)?,
        ttls: section.ttls,
        ..ChainConfig::default()
    };
    let mut upstreams = Vec::with_capacity(providers.len());
    for provider in &providers {
        upstreams.push(Upstream {
            provider: provider.build(&deps.dice).context("[lookup] providers")?,
            limits: Limits::of(provider),
        });
    }
    let portability = Arc::new(Portability::new(section.assumed));
    let chain = Chain::new(
        config,
        upstreams,
        ChainDeps {
            store: Arc::clone(&deps.store),
            numbering: Arc::clone(live) as _,
            portability: Arc::clone(&portability),
            clock: deps.clock.clone(),
            dice: deps.dice.fork(),
        },
    );
    let mut lookups = LookUps::new(chain, portability, offer(&providers));
    lookups.budget_urgent = section.budget_otp;
    lookups.budget = section.budget;
    lookups.waiting_max = section.waiting_max;
    lookups.dead = section.dead;
    lookups.curiosity = Curiosity {
        one_in: section.learn_one_in,
    };
    Ok(lookups)
}

/// What a query costs: the first provider is the one that is asked.
fn offer(providers: &[ProviderConfig]) -> Option<Offer> {
    providers.first().map(|first| Offer {
        price: first.price,
        ends_dead: first.is_authoritative,
    })
}

/// The providers written in `file`.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub(crate) fn providers(file: &Path) -> anyhow::Result<Vec<ProviderConfig>> {
    let text = fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let base = file.parent().unwrap_or(Path::new(""));
    read_providers(&file.display().to_string(), &text, base).map_err(|problems| anyhow::anyhow!("{problems}"))
}

/// The secret that `section` names; `None` = it names none.
///
/// # Errors
/// It cannot be had, or is too short.
pub(crate) fn secret(section: &LookUp, folder: &Path) -> anyhow::Result<Option<Secret>> {
    let Some(source) = &section.secret else {
        return Ok(None);
    };
    let secret = source.read(folder).context("[lookup] secret")?;
    anyhow::ensure!(
        secret.reveal().len() >= SECRET_OCTETS_MIN,
        "[lookup] secret: has {} octets, at least {SECRET_OCTETS_MIN} are needed: openssl rand -hex 16",
        secret.reveal().len()
    );
    Ok(Some(secret))
}
