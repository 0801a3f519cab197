//! Walking through all keys, for tools: Redis has no order of keys, so every part of a scan looks at all of them.

use std::collections::BTreeSet;

use ::redis::{Value, from_redis_value};

use super::{RedisStore, bucket::VALUE_PREFIX_OCTETS, command, fault, link::Link};
use crate::{Key, StoreError, Versioned};

/// Keys that one step of a scan looks at; the server does nothing else meanwhile.
const STEP: &str = "1000";

impl RedisStore {
    pub(super) async fn scan_all(
        &self,
        prefix: &str,
        after: Option<&Key>,
        max: usize,
    ) -> Result<Vec<(Key, Versioned)>, StoreError> {
        let mut found = Vec::new();
        let mut after = after.cloned();
        loop {
            let wanted = max - found.len();
            let keys = self.keys(prefix, after.as_ref(), wanted).await?;
            let is_last = keys.len() < wanted;
            after = keys.last().cloned();
            // Also looks at the epoch.
            let values = self.get_all(&keys).await?;
            found.extend(
                keys.into_iter()
                    .zip(values)
                    .filter_map(|(key, value)| Some((key, value?))),
            );
            if is_last || found.len() == max {
                break;
            }
        }
        if self.find_word().await? {
            return Ok(found);
        }
        Err(StoreError::Lost)
    }

    /// Whether all buckets are in the epoch of this handle.
    async fn find_word(&self) -> Result<bool, StoreError> {
        let word = self.word().await?;
        Ok(self.words().await?.iter().all(|other| other.as_deref() == Some(&*word)))
    }

    /// The first `max` keys with `prefix` after `after`, in order; some may have expired.
    async fn keys(&self, prefix: &str, after: Option<&Key>, max: usize) -> Result<Vec<Key>, StoreError> {
        let pattern = format!("signalbox:{{b[0-9][0-9]}}:v:{}*", escaped(prefix));
        let mut first = BTreeSet::new();
        for link in self.servers.links().await? {
            Self::keys_at(&link, &pattern, after, max, &mut first).await?;
        }
        Ok(first.into_iter().collect())
    }

    /// Adds the keys that one server has.
    async fn keys_at(
        link: &Link,
        pattern: &str,
        after: Option<&Key>,
        max: usize,
        first: &mut BTreeSet<Key>,
    ) -> Result<(), StoreError> {
        let mut cursor = "0".to_owned();
        loop {
            let step = command("SCAN", &[cursor.as_str(), "MATCH", pattern, "COUNT", STEP]);
            let answer = link.call(vec![step]).await?.pop().unwrap_or(Value::Nil);
            let (next, names): (String, Vec<Vec<u8>>) =
                from_redis_value(answer).map_err(|_| fault::unexpected("SCAN"))?;
            for name in names {
                let key = Key(bytes::Bytes::from(name).slice(VALUE_PREFIX_OCTETS..));
                if after.is_none_or(|after| key > *after) {
                    first.insert(key);
                }
                if first.len() > max {
                    first.pop_last();
                }
            }
            if next == "0" {
                return Ok(());
            }
            cursor = next;
        }
    }
}

/// `prefix` so that Redis takes no character of it for a pattern.
fn escaped(prefix: &str) -> String {
    let is_special = |character: char| matches!(character, '*' | '?' | '[' | ']' | '\\' | '^');
    let escape = |character| is_special(character).then_some('\\').into_iter().chain([character]);
    prefix.chars().flat_map(escape).collect()
}
