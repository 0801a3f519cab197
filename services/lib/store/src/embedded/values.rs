//! Where values lie: on shelves, one for each kind of key and span of expiry.
//!
//! Keys of one kind mostly rise with time, so what is written out of one shelf's memory hardly overlaps what was written before
//! and is not merged again and again. A shelf whose span is over is dropped as a whole, unread. A key lies on one shelf only:
//! a write that belongs on another one removes it from the first in the same batch.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, RwLock},
};

use bytes::Bytes;
use disk::{Batch, Disk, DiskError, Layout, Space};

use super::entry;
use crate::{Key, step::Entry};

/// Span of expiry of one shelf.
const SPAN_MS: u64 = 6 * 3_600_000;
/// What expires later than this from now lies on one shelf for all that lasts long, which merges rid of what has expired.
const SPANS_AHEAD_MAX: u64 = 12;
const LONG: u64 = u64::MAX;
/// Kinds that get shelves of their own; further ones share those of `OTHER`. Kinds are constants of the code.
const KINDS_MAX: usize = 16;
const KIND_OCTETS_MAX: usize = 32;
const OTHER: &str = "other";
const SHELVES: &str = "store";

type Shelf = (u64, Space);

pub(super) struct Values {
    disk: Arc<Disk>,
    /// The shelves of each kind, latest span first.
    shelves: RwLock<BTreeMap<String, Vec<Shelf>>>,
}

/// A value and the shelf it lies on.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) entry: Entry,
    pub(super) shelf: Space,
}

impl Values {
    pub(super) fn open(disk: Arc<Disk>) -> Result<Self, DiskError> {
        let mut shelves: BTreeMap<String, Vec<Shelf>> = BTreeMap::new();
        for name in disk.spaces(Layout::Expiring) {
            let Some((kind, span)) = name.strip_prefix(SHELVES).and_then(parse) else {
                continue;
            };
            let shelf = (span, disk.space(&name, Layout::Expiring)?);
            shelves.entry(kind.to_owned()).or_default().push(shelf);
        }
        shelves
            .values_mut()
            .for_each(|shelves| shelves.sort_by_key(|(span, _)| std::cmp::Reverse(*span)));
        Ok(Self {
            disk,
            shelves: RwLock::new(shelves),
        })
    }

    /// What lies under `key`, expired or not.
    pub(super) fn get(&self, key: &Key) -> Result<Option<Found>, DiskError> {
        let shelves = self.shelves.read().expect("no holder panics");
        let own = kind_of(key).and_then(|kind| shelves.get(kind)).into_iter().flatten();
        // A key may lie there although its kind has shelves of its own by now.
        let other = shelves.get(OTHER).into_iter().flatten();
        for (_, shelf) in own.chain(other) {
            if let Some(entry) = shelf.get(&key.0)?.and_then(entry::decode) {
                return Ok(Some(Found {
                    entry,
                    shelf: shelf.clone(),
                }));
            }
        }
        Ok(None)
    }

    /// Adds the write of `entry` to `batch`; `there` is the shelf that the key lies on now. Gives what lies there then.
    pub(super) fn put(
        &self,
        batch: &mut Batch,
        key: &Key,
        entry: Entry,
        there: Option<Space>,
        now_ms: u64,
    ) -> Result<Found, DiskError> {
        let span = span(entry.expires_at_ms, now_ms);
        let shelf = match self.shelf(key, span) {
            Some(shelf) => shelf,
            None => self.put_up(key, span, now_ms)?,
        };
        if let Some(there) = there.filter(|there| *there != shelf) {
            batch.remove(&there, key.0.clone());
        }
        batch.put(&shelf, key.0.clone(), entry::encode(&entry));
        Ok(Found { entry, shelf })
    }

    /// Up to `max` keys that begin with `prefix`, after `after`, in order, without what has expired.
    pub(super) fn scan(
        &self,
        prefix: &[u8],
        after: Option<&Key>,
        max: usize,
        now_ms: u64,
    ) -> Result<Vec<(Bytes, Entry)>, DiskError> {
        let start = match after {
            Some(after) if after.0[..] >= *prefix => Bound::Excluded(&after.0[..]),
            _ => Bound::Included(prefix),
        };
        let spaces: Vec<_> = {
            let shelves = self.shelves.read().expect("no holder panics");
            shelves.values().flatten().map(|(_, space)| space.clone()).collect()
        };
        let mut found = Vec::new();
        for space in spaces {
            let mut left = max;
            for next in space.range::<&[u8]>((start, Bound::Unbounded)) {
                let (key, value) = next?;
                if left == 0 || !key.starts_with(prefix) {
                    break;
                }
                if let Some(entry) = entry::decode(value).filter(|entry| !entry.is_expired(now_ms)) {
                    found.push((key, entry));
                    left -= 1;
                }
            }
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found.truncate(max);
        Ok(found)
    }

    /// The shelf that `key` belongs on, if it is up.
    fn shelf(&self, key: &Key, span: u64) -> Option<Space> {
        let shelves = self.shelves.read().expect("no holder panics");
        let kind = kind_of(key).filter(|kind| shelves.contains_key(*kind)).unwrap_or(OTHER);
        shelves
            .get(kind)?
            .iter()
            .find(|(there, _)| *there == span)
            .map(|(_, shelf)| shelf.clone())
    }

    /// Puts up the shelf for `key` and `span`, and takes away those of all kinds whose span is over.
    fn put_up(&self, key: &Key, span: u64, now_ms: u64) -> Result<Space, DiskError> {
        let mut shelves = self.shelves.write().expect("no holder panics");
        let kind = match kind_of(key) {
            Some(kind) if shelves.contains_key(kind) || shelves.len() < KINDS_MAX => kind,
            _ => OTHER,
        };
        for shelves in shelves.values_mut() {
            while let Some((_, over)) = shelves.pop_if(|(span, _)| *span < now_ms / SPAN_MS) {
                self.disk.drop_space(&over)?;
            }
        }
        let row = shelves.entry(kind.to_owned()).or_default();
        // Somebody else may have put it up since the caller looked.
        if let Some((_, space)) = row.iter().find(|(there, _)| *there == span) {
            return Ok(space.clone());
        }
        let space = self.disk.space(&format!("{SHELVES}.{kind}.{span}"), Layout::Expiring)?;
        row.push((span, space.clone()));
        row.sort_by_key(|(span, _)| std::cmp::Reverse(*span));
        Ok(space)
    }
}

/// The part of `key` before its first slash, if that is fit to be a name.
fn kind_of(key: &Key) -> Option<&str> {
    let end = key.0.iter().position(|octet| *octet == b'/')?;
    let kind = std::str::from_utf8(&key.0[..end]).ok()?;
    let is_fit = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'_' || octet == b'-';
    (!kind.is_empty() && kind.len() <= KIND_OCTETS_MAX && kind.bytes().all(is_fit)).then_some(kind)
}

fn span(expires_at_ms: u64, now_ms: u64) -> u64 {
    let span = expires_at_ms / SPAN_MS;
    if span > now_ms / SPAN_MS + SPANS_AHEAD_MAX {
        LONG
    } else {
        span
    }
}

/// Kind and span from the rest of a name.
fn parse(rest: &str) -> Option<(&str, u64)> {
    let (kind, span) = rest.strip_prefix('.')?.rsplit_once('.')?;
    Some((kind, span.parse().ok()?))
}
