//! How far groups got, on its way to the disk: many acks are one write.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use disk::{Disk, DiskError, Layout, Space};

use super::{
    durable::{self, Place},
    lock,
};
use crate::Clock;

/// How long an ack may be in memory alone while there is anything to write: what a crash takes of it is read again.
const LINGER_MS: u64 = 200;

const POSITIONS: &str = "bus.positions";

pub(super) struct Positions {
    disk: Arc<Disk>,
    clock: Clock,
    space: Space,
    unwritten: Mutex<Unwritten>,
}

#[derive(Default)]
struct Unwritten {
    /// By key, one for each group and place: as many as there are, and no more.
    positions: BTreeMap<Vec<u8>, u64>,
    /// When they are to be written.
    due_ms: u64,
}

impl Positions {
    pub(super) fn open(disk: Arc<Disk>, clock: Clock) -> Result<Self, DiskError> {
        Ok(Self {
            space: disk.space(POSITIONS, Layout::Small)?,
            disk,
            clock,
            unwritten: Mutex::default(),
        })
    }

    /// How far `group` got in `place`; 0 if it never acked anything.
    pub(super) fn get(&self, group: &str, place: Place) -> Result<u64, DiskError> {
        let key = key(group, place);
        if let Some(position) = lock(&self.unwritten).positions.get(&key) {
            return Ok(*position);
        }
        let written = self.space.get(&key)?;
        Ok(written.and_then(|octets| durable::number(&octets)).unwrap_or(0))
    }

    /// Keeps how far `group` got. Not safe yet: after a crash some records come again, which B3 allows.
    pub(super) fn keep(&self, group: &str, place: Place, position: u64) -> Result<(), DiskError> {
        let mut unwritten = lock(&self.unwritten);
        if unwritten.positions.is_empty() {
            unwritten.due_ms = (self.clock)() + LINGER_MS;
        }
        unwritten.positions.insert(key(group, place), position);
        self.write_if_due(&mut unwritten)
    }

    /// Writes what is due; for whoever comes by, as nothing here has a timer.
    pub(super) fn write_due(&self) -> Result<(), DiskError> {
        self.write_if_due(&mut lock(&self.unwritten))
    }

    /// Writes all that was kept.
    pub(super) fn write(&self) -> Result<(), DiskError> {
        self.write_all(&mut lock(&self.unwritten))
    }

    fn write_if_due(&self, unwritten: &mut Unwritten) -> Result<(), DiskError> {
        match !unwritten.positions.is_empty() && unwritten.due_ms <= (self.clock)() {
            true => self.write_all(unwritten),
            false => Ok(()),
        }
    }

    /// Under the lock, so that no older position follows a newer one.
    fn write_all(&self, unwritten: &mut Unwritten) -> Result<(), DiskError> {
        let mut batch = self.disk.batch();
        for (key, position) in std::mem::take(&mut unwritten.positions) {
            batch.put(&self.space, key, position.to_be_bytes().to_vec());
        }
        self.disk.write(batch).map(|_| ())
    }
}

impl Drop for Positions {
    fn drop(&mut self) {
        if let Err(error) = self.write() {
            tracing::error!(%error, "how far groups got could not be written down, some records come again");
        }
    }
}

fn key(group: &str, place: Place) -> Vec<u8> {
    let mut octets = Vec::with_capacity(group.len() + 9);
    octets.extend_from_slice(group.as_bytes());
    octets.push(0);
    octets.extend_from_slice(&durable::key(place, 0)[..8]);
    octets
}
