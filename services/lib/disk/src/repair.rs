//! Cuts a damaged end off the log, so that a process comes back after a loss of power by itself.
//!
//! What was written and not synced when the power went may have reached the disk in part and in any order: a batch may have
//! its end and a hole in its middle. The database refuses such a log. What was synced lies before the damage, since one file
//! is written in order, and older files were synced whole; so the newest file is cut after its last sound batch. What is cut
//! off is kept beside it.
//!
//! The format, least significant octet first: a batch is `1 | count u32 | number u64`, its entries, and
//! `3 | checksum u64 | magic`; an entry is `2 | kind u8 | compression u8 | space u64 | key length u16 | value length u32 |
//! length on disk u32 | key | value`, or `4 | space u64`.

use std::{fs, io, path::Path};

use twox_hash::XxHash3_64;

use crate::journal;

const START: u8 = 1;
const ENTRY: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
const MAGIC: &[u8] = b"FJL\x03";

/// Cuts the newest log file in `directory` after its last sound batch; false if that is not where the damage is. `why` is what
/// the database said.
pub(crate) fn cut_damage(directory: &Path, why: &str) -> bool {
    match try_cut(directory) {
        Ok(Some(octets)) => {
            tracing::warn!(
                why,
                octets,
                "the log was damaged behind what is safe, the damaged end was put aside"
            );
            true
        }
        Ok(None) => false,
        Err(error) => {
            tracing::error!(why, %error, "the log is damaged and could not be cut");
            false
        }
    }
}

/// The octets cut off; `None` if the newest file is sound.
fn try_cut(directory: &Path) -> io::Result<Option<usize>> {
    let path = journal::path(directory, journal::newest(directory)?);
    let log = fs::read(&path)?;
    let sound = sound_octets(&log);
    let end = log.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    if end <= sound {
        return Ok(None);
    }
    fs::write(path.with_extension("damaged"), &log[sound..end])?;
    let file = fs::File::options().write(true).open(&path)?;
    file.set_len(sound as u64)?;
    file.sync_all()?;
    Ok(Some(end - sound))
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
