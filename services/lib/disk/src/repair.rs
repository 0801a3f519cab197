//! Cuts a damaged end off the log, so that a process comes back after a loss of power by itself.
//!
//! What was written and not synced when the power went may have reached the disk in part and in any order: a batch may have
//! its end and a hole in its middle. The database refuses such a log. What was synced lies before the damage, since one file
//! is written in order, and older files were synced whole; so the newest file is cut after its last sound batch. What is cut
//! off is kept beside it. Where that is more than can have been without a sync, the disk is bad, and nothing is cut.
//!
//! The format, least significant octet first: a batch is `1 | count u32 | number u64`, its entries, and
//! `3 | checksum u64 | magic`; an entry is `2 | kind u8 | compression u8 | space u64 | key length u16 | value length u32 |
//! length on disk u32 | key | value`, or `4 | space u64`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use twox_hash::XxHash3_64;

use crate::{UNSYNCED_OCTETS_MAX, journal};

/// Most octets behind the damage that may never have been synced: twice what writers are held up at, as each looks for itself.
const TORN_OCTETS_MAX: usize = 2 * UNSYNCED_OCTETS_MAX as usize;

const START: u8 = 1;
const ENTRY: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const MAGIC: &[u8] = b"FJL\x03";

/// What became of a damaged log.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Repair {
    /// The newest file was cut after its last sound batch.
    Cut,
    /// That is not where the damage is, or it could not be cut.
    Elsewhere,
    /// More lies behind the damage than can have been without a sync: it was safe, and is not thrown away.
    Synced {
        /// The file.
        file: PathBuf,
        /// Where the damage is.
        at: usize,
        /// Octets from there on.
        behind: usize,
    },
}

/// Cuts the newest log file in `directory` after its last sound batch, if what follows may never have been synced. `why` is what
/// the database said.
pub(crate) fn cut_damage(directory: &Path, why: &str) -> Repair {
    try_cut(directory, why).unwrap_or_else(|error| {
        tracing::error!(why, %error, "the log is damaged and could not be cut");
        Repair::Elsewhere
    })
}

fn try_cut(directory: &Path, why: &str) -> io::Result<Repair> {
    let path = journal::path(directory, journal::newest(directory)?);
    let log = fs::read(&path)?;
    let sound = sound_octets(&log);
    let end = log.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    if end <= sound {
        return Ok(Repair::Elsewhere);
    }
    if end - sound > TORN_OCTETS_MAX {
        return Ok(Repair::Synced {
            file: path,
            at: sound,
            behind: end - sound,
        });
    }
    let aside = path.with_extension("damaged");
    fs::write(&aside, &log[sound..end])?;
    let file = fs::File::options().write(true).open(&path)?;
    file.set_len(sound as u64)?;
    file.sync_all()?;
    let (aside, octets, behind) = (aside.display(), end - sound, sound_batches(&log[sound..end]));
    if behind == 0 {
        tracing::warn!(why, octets, %aside, "the log was damaged at its end, as a loss of power leaves it; the end was put aside");
    } else {
        tracing::error!(
            why, octets, %aside, sound_batches = behind,
            "the log was damaged, and what follows the damage was put aside: after a loss of power it was never safe; without one \
             the disk is bad, and messages that were answered OK may be lost: keep the file that was put aside, and check the disk"
        );
    }
    Ok(Repair::Cut)
}

/// Batches in `log` that are sound by themselves, wherever they begin.
fn sound_batches(log: &[u8]) -> usize {
    let (mut rest, mut found) = (log, 0);
    while !rest.is_empty() {
        rest = match skip_batch(rest) {
            Some(after) => {
                found += 1;
                after
            }
            None => &rest[1..],
        };
    }
    found
}

/// Octets from the beginning up to the end of the last batch before the first damage.
fn sound_octets(log: &[u8]) -> usize {
    let mut rest = log;
    while let Some(after) = skip_batch(rest) {
        rest = after;
    }
    log.len() - rest.len()
}

/// What follows the batch at the beginning of `log`; `None` if that is no sound batch.
fn skip_batch(log: &[u8]) -> Option<&[u8]> {
    let mut rest = log;
    if take_u8(&mut rest)? != START {
        return None;
    }
    let count = u32::from_le_bytes(take(&mut rest)?);
    let _number: [u8; 8] = take(&mut rest)?;
    let entries = rest;
    for _ in 0..count {
        skip_entry(&mut rest)?;
    }
    let checksum = XxHash3_64::oneshot(&entries[..entries.len() - rest.len()]);
    let is_sound = take_u8(&mut rest)? == END && u64::from_le_bytes(take(&mut rest)?) == checksum;
    rest.strip_prefix(MAGIC).filter(|_| is_sound)
}

fn skip_entry(rest: &mut &[u8]) -> Option<()> {
    match take_u8(rest)? {
        ENTRY => {
            let _kind_compression_space: [u8; 10] = take(rest)?;
            let key_octets = u16::from_le_bytes(take(rest)?);
            let _value_octets: [u8; 4] = take(rest)?;
            let disk_octets = u32::from_le_bytes(take(rest)?);
            *rest = rest.get(usize::from(key_octets)..)?.get(disk_octets as usize..)?;
        }
        CLEAR => {
            let _space: [u8; 8] = take(rest)?;
        }
        _ => return None,
    }
    Some(())
}

fn take_u8(rest: &mut &[u8]) -> Option<u8> {
    take::<1>(rest).map(|[octet]| octet)
}

fn take<const OCTETS: usize>(rest: &mut &[u8]) -> Option<[u8; OCTETS]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}
