//! What a crash leaves: everything that was synced, and of each batch all or nothing.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{fs, path::Path};

use disk::{Disk, DiskError, Layout, Ticket};
use futures::executor::block_on;

/// Batches that were synced before the crash, and batches that were only written.
const SYNCED: u64 = 40;
const WRITTEN: u64 = 60;

fn write(disk: &Disk, number: u64) -> Ticket {
    let (left, right) = (
        disk.space("left", Layout::Small).unwrap(),
        disk.space("right", Layout::Segment).unwrap(),
    );
    let mut batch = disk.batch();
    let value = vec![VALUE; 100 + number as usize];
    batch.put(&left, number.to_be_bytes().to_vec(), value.clone());
    batch.put(&right, number.to_be_bytes().to_vec(), value);
    disk.write(batch).unwrap()
}

/// Numbers of the batches found in `path`; panics if one is there in half.
fn found(path: &Path) -> Vec<u64> {
    let disk = Disk::open(path).unwrap();
    let numbers = |name, layout| {
        let space = disk.space(name, layout).unwrap();
        let keys = space
            .range::<&[u8]>(..)
            .map(|found| u64::from_be_bytes(found.unwrap().0[..].try_into().unwrap()));
        keys.collect::<Vec<_>>()
    };
    let (left, right) = (numbers("left", Layout::Small), numbers("right", Layout::Segment));
    assert_eq!(left, right, "a batch is there in half");
    left
}

/// Copies the database, with `log` in place of its log.
fn copy(from: &Path, to: &Path, log: &[u8]) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target, log);
        } else if entry.path().extension().is_some_and(|extension| extension == "jnl") {
            fs::write(&target, log).unwrap();
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// The log without the zeros behind its last batch.
fn log(path: &Path) -> Vec<u8> {
    let mut octets = fs::read(path.join("0.jnl")).unwrap();
    octets.truncate(octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1));
    octets
}

/// Writes, syncs the first part, and gives the log as it is at the moment of the crash and where its synced part ends.
fn crash(path: &Path) -> (Vec<u8>, usize) {
    let disk = Disk::open(path).unwrap();
    let tickets: Vec<_> = (0..SYNCED).map(|number| write(&disk, number)).collect();
    block_on(disk.synced(*tickets.last().unwrap())).unwrap();
    let synced = log(path).len();
    for number in SYNCED..WRITTEN {
        write(&disk, number);
    }
    (log(path), synced)
}

/// Cuts the log at places all over its unsynced part.
#[test]
fn a_torn_log_loses_nothing_synced_and_splits_no_batch() {
    let home = tempfile::tempdir().unwrap();
    let (log, synced) = crash(&home.path().join("source"));
    let mut lengths = Vec::new();
    for (case, cut) in (synced..=log.len()).step_by(251).chain([synced, log.len()]).enumerate() {
        let path = home.path().join(format!("cut-{case}"));
        copy(&home.path().join("source"), &path, &log[..cut]);
        let numbers = found(&path);
        assert!(
            numbers.len() as u64 >= SYNCED,
            "cut at {cut}: only {} batches left",
            numbers.len()
        );
        assert!(
            numbers.iter().copied().eq(0..numbers.len() as u64),
            "cut at {cut}: a hole"
        );
        lengths.push(numbers.len() as u64);
    }
    assert!(
        lengths.contains(&SYNCED) && lengths.contains(&WRITTEN),
        "cuts reached from the first to the last batch"
    );
}

/// A value of a batch, as it lies in the log: long runs of this octet are values and nothing else.
const VALUE: u8 = 0x55;

/// Flips a bit of a value at places all over the unsynced part of the log: the checksum tells.
#[test]
fn a_damaged_log_loses_nothing_synced_and_reads_nothing_damaged() {
    let home = tempfile::tempdir().unwrap();
    let (log, synced) = crash(&home.path().join("source"));
    let values = (synced..log.len()).filter(|place| log[*place] == VALUE && log[place - 1] == VALUE);
    for (case, place) in values.step_by(397).enumerate() {
        let path = home.path().join(format!("flip-{case}"));
        let mut log = log.clone();
        log[place] ^= 0x10;
        check_damaged(&home.path().join("source"), &path, &log);
    }
}

/// Zeros a page, which is what is left of one that never reached the disk though a later one did.
#[test]
fn a_log_with_a_hole_loses_nothing_synced_and_reads_nothing_damaged() {
    let home = tempfile::tempdir().unwrap();
    let (log, synced) = crash(&home.path().join("source"));
    let is_value = |place: usize| log[place - 1] == VALUE && log[place] == VALUE;
    let holes = (synced + 1..log.len() - 600).filter(|place| is_value(*place) && is_value(place + 512));
    for (case, place) in holes.step_by(397).enumerate() {
        let path = home.path().join(format!("hole-{case}"));
        let mut log = log.clone();
        log[place..place + 512].fill(0);
        check_damaged(&home.path().join("source"), &path, &log);
    }
}

fn check_damaged(source: &Path, path: &Path, log: &[u8]) {
    copy(source, path, log);
    let numbers = found(path);
    assert!(
        numbers.len() as u64 >= SYNCED,
        "{}: only {} batches are left",
        path.display(),
        numbers.len()
    );
    assert!(
        (numbers.len() as u64) < WRITTEN,
        "{}: the damage was not noticed",
        path.display()
    );
    assert!(
        numbers.iter().copied().eq(0..numbers.len() as u64),
        "{}: a hole",
        path.display()
    );
    // It can be written to again, and that is read back.
    let next = numbers.len() as u64;
    let disk = Disk::open(path).unwrap();
    block_on(disk.synced(write(&disk, next))).unwrap();
    drop(disk);
    assert_eq!(found(path).last(), Some(&next));
}

#[test]
fn what_was_written_is_there_after_closing() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    for number in 0..10 {
        write(&disk, number);
    }
    drop(disk);
    assert_eq!(found(home.path()), (0..10).collect::<Vec<_>>());
}

/// A recovered log is appended to and must be found by the sync again.
#[test]
fn a_recovered_log_is_synced_and_read_back_again() {
    let home = tempfile::tempdir().unwrap();
    let (log, synced) = crash(&home.path().join("source"));
    let path = home.path().join("copy");
    copy(&home.path().join("source"), &path, &log[..synced + 7]);
    let disk = Disk::open(&path).unwrap();
    block_on(disk.synced(write(&disk, SYNCED))).unwrap();
    drop(disk);
    assert_eq!(found(&path), (0..=SYNCED).collect::<Vec<_>>());
}

#[test]
fn a_second_opening_is_refused_and_says_why() {
    let home = tempfile::tempdir().unwrap();
    let first = Disk::open(home.path()).unwrap();
    let refused = Disk::open(home.path()).unwrap_err();
    assert_eq!(
        refused,
        DiskError::Locked {
            path: home.path().to_owned()
        }
    );
    assert!(refused.to_string().contains("open in another process"), "{refused}");
    drop(first);
    Disk::open(home.path()).unwrap();
}
