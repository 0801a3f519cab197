//! The secret of record keys: from the configuration, or made once and kept in the store.

use std::path::Path;

use anyhow::{Context as _, bail};
use ingest::KeySecret;
use service::Deps;
use store::{Applied, Key, Op};

use super::check;
use crate::config::Ingest;

/// The secret in `section`, whose relative files start at `folder`; where there is none, the one kept in the store, made at
/// the first start.
pub(super) async fn find(section: &Ingest, folder: &Path, deps: &Deps) -> anyhow::Result<KeySecret> {
    if let Some(secret) = check::key_secret(section, folder)? {
        return Ok(secret);
    }
    let mut octets = [0_u8; 16];
    for half in octets.chunks_exact_mut(8) {
        half.copy_from_slice(&deps.dice.next_u64().to_be_bytes());
    }
    let fresh = KeySecret::new(octets);
    let swap = Op::Swap {
        key: Key::new("secret", "record-key"),
        expected: None,
        value: Some(fresh.reveal().into()),
        expires_at_ms: u64::MAX,
        due: None,
    };
    let (applied, commit) = deps.store.apply(vec![swap]).await?;
    commit.await?;
    match applied.into_iter().next() {
        Some(Applied::Written(_)) => Ok(fresh),
        Some(Applied::Conflict(Some(kept))) => {
            let kept = std::str::from_utf8(&kept.value).context("the kept secret is damaged")?;
            kept.parse().context("the kept secret is damaged")
        }
        other => bail!("the store answered {other:?} to a swap"),
    }
}
