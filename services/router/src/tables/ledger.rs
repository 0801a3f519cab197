//! Which published table is in force: a pure function of the records on the log, in their order, and an instant.
//!
//! A publication counts if all of its chunks stand before it and its number is above all before it: of two that were made at once
//! the log's order decides, and the other never was. In force is the newest that counts and has not lapsed; one lapses at the
//! instant by which it had to be confirmed, unless a confirmation was said by then. What is taken off the topic is forgotten, and
//! only what can no longer come into force is ever taken off, so that a router that reads what is left finds the same.

use std::collections::BTreeMap;

use signalbox_proto::record::{TableConfirmation, TablePublication, TableServing, TableWord, chunk_checksum};
use sms::UnixMs;

use super::SERVING_FRESH;

/// Most versions that are kept.
pub const HISTORY_MAX: usize = 50;
/// Most octets of packed files of all versions that are kept together; fewer versions are, where they are large. What is in force, and
/// what could come back into force, is kept whatever it takes.
pub const HISTORY_OCTETS_MAX: u64 = 64 * 1024 * 1024;
/// Chunks without a publication are of one that was never finished once they are so old.
pub(super) const UNFINISHED_MAX: std::time::Duration = std::time::Duration::from_secs(3_600);

/// What stands on the topic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    /// Chunks by upload and place.
    chunks: BTreeMap<(u64, u32), Chunk>,
    /// Those whose chunks were there, in the order of the log, with the keys of their records.
    publications: Vec<(u64, TablePublication)>,
    /// With the keys of their records.
    confirmations: BTreeMap<u64, TableConfirmation>,
    /// By the keys of their records.
    servings: BTreeMap<u64, TableServing>,
}

/// What is known of a chunk; its octets stay on the log.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    key: u64,
    checksum: u32,
    octets: u64,
    stored_at: UnixMs,
}

/// How a version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// In force, for good or confirmed.
    InForce,
    /// In force, and not if it is not confirmed.
    Pending,
    /// A later one took its place.
    Replaced,
    /// Not confirmed in time.
    Lapsed,
}

/// A version as it stands at some instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What was published.
    pub publication: TablePublication,
    /// How it stands.
    pub stand: Stand,
    /// Whether it had to be confirmed, and was.
    pub is_confirmed: bool,
}

impl Ledger {
    /// Takes the record with `key` that the log took at `stored_at`.
    pub(crate) fn learn(&mut self, key: u64, stored_at: UnixMs, word: TableWord) {
        match word {
            TableWord::Chunk(chunk) => {
                let known = Chunk {
                    key,
                    checksum: chunk_checksum(&chunk.octets),
                    octets: chunk.octets.len() as u64,
                    stored_at,
                };
                self.chunks.insert((chunk.upload, chunk.place), known);
            }
            TableWord::Publication(publication) => {
                // A log may tell a record twice; where it stood first counts.
                if self.is_whole(&publication) && self.publications.iter().all(|(known, _)| *known != key) {
                    self.publications.push((key, publication));
                }
            }
            TableWord::Confirmation(confirmation) => {
                self.confirmations.insert(key, confirmation);
            }
            TableWord::Serving(serving) => {
                self.servings.insert(key, serving);
            }
        }
    }

    /// Forgets what stood under `key`: it was taken off.
    pub(crate) fn forget(&mut self, key: u64) {
        self.chunks.retain(|_, chunk| chunk.key != key);
        self.publications.retain(|(known, _)| *known != key);
        self.confirmations.remove(&key);
        self.servings.remove(&key);
    }

    fn is_whole(&self, publication: &TablePublication) -> bool {
        let chunk = |(place, checksum): (u32, &u32)| {
            let chunk = self.chunks.get(&(publication.upload, place))?;
            (chunk.checksum == *checksum).then_some(chunk.octets)
        };
        let octets: Option<u64> = (0..).zip(&publication.checksums).map(chunk).sum();
        octets == Some(publication.packed_octets)
    }

    /// Those that count, the oldest first.
    fn chain(&self) -> Vec<&TablePublication> {
        let mut chain: Vec<&TablePublication> = Vec::with_capacity(self.publications.len());
        for (_, publication) in &self.publications {
            if chain.last().is_none_or(|last| publication.number > last.number) {
                chain.push(publication);
            }
        }
        chain
    }

    fn is_confirmed(&self, publication: &TablePublication) -> bool {
        let by = publication.confirm_by.unwrap_or(UnixMs(u64::MAX));
        let mut said = self.confirmations.values();
        said.any(|said| said.number == publication.number && said.at <= by)
    }

    /// Whether it can lapse, or has.
    fn is_unsettled(&self, publication: &TablePublication) -> bool {
        publication.confirm_by.is_some() && !self.is_confirmed(publication)
    }

    fn has_lapsed(&self, publication: &TablePublication, now: UnixMs) -> bool {
        publication.confirm_by.is_some_and(|by| by <= now) && self.is_unsettled(publication)
    }

    /// The version in force at `now`; `None` = none was published, or none that stayed.
    pub(crate) fn in_force(&self, now: UnixMs) -> Option<Version> {
        self.history(now).into_iter().find(Version::is_in_force)
    }

    /// What comes into force where the version in force at `now` is not confirmed; `None` = that cannot be, or nothing does.
    pub(crate) fn returns_to(&self, now: UnixMs) -> Option<Version> {
        let pending = self.in_force(now).filter(|version| version.stand == Stand::Pending)?;
        self.in_force(pending.publication.confirm_by?)
    }

    /// What was in force before the version in force at `now`.
    pub(crate) fn before(&self, now: UnixMs) -> Option<Version> {
        let mut history = self.history(now).into_iter();
        history.find(Version::is_in_force)?;
        history.find(|version| version.stand != Stand::Lapsed)
    }

    /// Every version that is kept, the newest first, as it stands at `now`.
    pub(crate) fn history(&self, now: UnixMs) -> Vec<Version> {
        let mut has_newer = false;
        let version = |publication: &TablePublication| {
            let is_unsettled = self.is_unsettled(publication);
            let stand = match (self.has_lapsed(publication, now), has_newer) {
                (true, _) => Stand::Lapsed,
                (false, true) => Stand::Replaced,
                (false, false) if is_unsettled => Stand::Pending,
                (false, false) => Stand::InForce,
            };
            has_newer |= stand != Stand::Lapsed;
            Version {
                publication: publication.clone(),
                stand,
                is_confirmed: self.is_confirmed(publication) && publication.confirm_by.is_some(),
            }
        };
        self.chain().into_iter().rev().map(version).collect()
    }

    /// The number of the next publication.
    pub(crate) fn next_number(&self) -> u64 {
        self.chain().last().map_or(0, |last| last.number) + 1
    }

    /// The first instant after `now` at which another version may be in force, though no record comes.
    pub(crate) fn next_change(&self, now: UnixMs) -> Option<UnixMs> {
        let unsettled = self.chain().into_iter().filter(|known| self.is_unsettled(known));
        unsettled
            .filter_map(|known| known.confirm_by)
            .filter(|by| *by > now)
            .min()
    }

    /// What routers that live say they serve, by name.
    pub(crate) fn servings(&self, now: UnixMs) -> Vec<TableServing> {
        let fresh = |serving: &&TableServing| now.since(serving.said_at) < SERVING_FRESH;
        let mut servings: Vec<_> = self.servings.values().filter(fresh).cloned().collect();
        servings.sort_by(|one, other| one.router.cmp(&other.router));
        servings
    }

    /// The first instant after `now` at which a router counts as gone, though no record comes.
    pub(crate) fn next_silence(&self, now: UnixMs) -> Option<UnixMs> {
        let ends = self.servings.values().map(|serving| serving.said_at + SERVING_FRESH);
        ends.filter(|end| *end > now).min()
    }

    /// Whether the publication with this key was read.
    pub(crate) fn has(&self, key: u64) -> bool {
        self.publications.iter().any(|(known, _)| *known == key)
    }

    /// Whether the publication with this key counts.
    pub(crate) fn counts(&self, key: u64) -> bool {
        let known = self.publications.iter().find(|(known, _)| *known == key);
        known.is_some_and(|(_, publication)| self.chain().into_iter().any(|one| std::ptr::eq(one, publication)))
    }

    /// When the log took the first chunk of `upload`; `None` = there is none.
    pub(crate) fn stored_since(&self, upload: u64) -> Option<UnixMs> {
        self.chunks_of(upload).map(|chunk| chunk.stored_at).min()
    }

    fn chunks_of(&self, upload: u64) -> impl Iterator<Item = &Chunk> {
        self.chunks
            .range((upload, 0)..=(upload, u32::MAX))
            .map(|(_, chunk)| chunk)
    }

    /// Keys of the records that nobody needs any more at `now`, in the order in which they are to be taken off: publications before
    /// their chunks, so that none ever seems to be there in part.
    pub(crate) fn outdated(&self, now: UnixMs) -> Vec<u64> {
        let floor = self.floor();
        let (gone, kept): (Vec<_>, Vec<_>) = self.publications.iter().partition(|(_, known)| known.number < floor);
        let mut keys: Vec<u64> = gone.iter().map(|(key, _)| *key).collect();
        let outdated = self.confirmations.iter().filter(|(_, said)| said.number < floor);
        keys.extend(outdated.map(|(key, _)| *key));
        let silent = self
            .servings
            .iter()
            .filter(|(_, serving)| now.since(serving.said_at) >= UNFINISHED_MAX);
        keys.extend(silent.map(|(key, _)| *key));
        let is_needed = |upload: u64| kept.iter().any(|(_, known)| known.upload == upload);
        let was_published = |upload: u64| gone.iter().any(|(_, known)| known.upload == upload);
        let unneeded = self.chunks.iter().filter(|((upload, _), chunk)| {
            let is_unfinished = now.since(chunk.stored_at) >= UNFINISHED_MAX;
            !is_needed(*upload) && (was_published(*upload) || is_unfinished)
        });
        keys.extend(unneeded.map(|(_, chunk)| chunk.key));
        keys
    }

    /// The lowest number that is kept: bounded, but never above the newest version that cannot lapse any more.
    fn floor(&self) -> u64 {
        let chain = self.chain();
        let settled = chain.iter().rev().find(|known| !self.is_unsettled(known));
        let Some(settled) = settled.map(|known| known.number) else {
            return 0;
        };
        let (mut kept, mut octets) = (0, 0);
        let mut floor = settled;
        for known in chain.iter().rev() {
            // What is published again has no octets of its own, and keeps those of the older.
            octets += known.packed_octets;
            kept += 1;
            if kept > HISTORY_MAX || octets > HISTORY_OCTETS_MAX {
                break;
            }
            floor = floor.min(known.number);
        }
        floor
    }
}

impl Version {
    pub(crate) fn is_in_force(&self) -> bool {
        matches!(self.stand, Stand::InForce | Stand::Pending)
    }
}

#[cfg(test)]
mod tests;
