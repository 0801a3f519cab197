//! Spaces, batches and the group sync.

use disk::{Disk, Layout, Space};
use futures::{FutureExt, executor::block_on};

#[test]
fn a_write_is_read_at_once_and_synced_later() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    let space = disk.space("a", Layout::Small).unwrap();
    let mut batch = disk.batch();
    batch.put(&space, "key", "value");
    let ticket = disk.write(batch).unwrap();
    assert_eq!(space.get(b"key").unwrap().as_deref(), Some(&b"value"[..]));
    block_on(disk.synced(ticket)).unwrap();
    assert!(disk.is_synced(ticket));
}

/// Another database on the same disk is synced several times meanwhile: a thread that did not wait to be asked would have got to it.
#[test]
fn what_nobody_waits_for_is_synced_with_the_next_write_that_somebody_does() {
    let homes = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let [(disk, space), (other, others)] = homes.each_ref().map(|home| {
        let disk = Disk::open(home.path()).unwrap();
        let space = disk.space("a", Layout::Small).unwrap();
        (disk, space)
    });
    let write = |disk: &Disk, space: &Space, key: &'static str| {
        let mut batch = disk.batch();
        batch.put(space, key, "value");
        disk.write(batch).unwrap()
    };
    let (alone, _) = (write(&disk, &space, "a"), disk.synced(write(&disk, &space, "b")));
    for _ in 0..5 {
        block_on(other.synced(write(&other, &others, "a"))).unwrap();
    }
    assert!(!disk.is_synced(alone), "the wait was never begun");
    block_on(disk.synced(write(&disk, &space, "c"))).unwrap();
    assert!(disk.is_synced(alone));
}

/// Two wait, one of them without a hurry: the sync that the other one asks for covers both.
#[test]
fn what_is_waited_for_patiently_is_synced_with_what_is_not() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    let space = disk.space("a", Layout::Small).unwrap();
    let write = |key: &'static str| {
        let mut batch = disk.batch();
        batch.put(&space, key, "value");
        disk.write(batch).unwrap()
    };
    let patient = write("a");
    let mut waits = disk.synced(patient).patiently();
    assert!((&mut waits).now_or_never().is_none());
    block_on(disk.synced(write("b"))).unwrap();
    assert!(disk.is_synced(patient));
    let unwanted = write("c");
    block_on(waits).unwrap();
    assert!(!disk.is_synced(unwanted), "it was synced once more for nobody");
}

/// Nobody else writes or waits, and the second wait begins when the first is over.
#[test]
fn what_is_waited_for_patiently_is_synced_by_itself_in_the_end() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    let space = disk.space("a", Layout::Small).unwrap();
    for key in ["a", "b"] {
        let mut batch = disk.batch();
        batch.put(&space, key, "value");
        let ticket = disk.write(batch).unwrap();
        block_on(disk.synced(ticket).patiently()).unwrap();
        assert!(disk.is_synced(ticket));
    }
}

/// The ticket of an empty batch stands for all writes before it.
#[test]
fn an_empty_batch_is_as_safe_as_the_writes_before_it() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    let space = disk.space("a", Layout::Small).unwrap();
    let mut batch = disk.batch();
    batch.put(&space, "key", "value");
    let ticket = disk.write(batch).unwrap();
    assert_eq!(disk.write(disk.batch()).unwrap(), ticket);
}

/// Drops the database while commits are awaited: closing syncs them, so they all end well.
#[test]
fn closing_syncs_what_is_awaited() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    let space = disk.space("a", Layout::Small).unwrap();
    let commits: Vec<_> = (0..100u32)
        .map(|number| {
            let mut batch = disk.batch();
            batch.put(&space, number.to_be_bytes().to_vec(), "value");
            disk.synced(disk.write(batch).unwrap())
        })
        .collect();
    drop((space, disk));
    for commit in commits {
        block_on(commit).unwrap();
    }
}

#[test]
fn spaces_are_listed_by_layout_and_a_dropped_one_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    for name in ["b", "a"] {
        disk.space(name, Layout::Segment).unwrap();
    }
    disk.space("c", Layout::Small).unwrap();
    assert_eq!(disk.spaces(Layout::Segment), ["a", "b"]);
    disk.drop_space(&disk.space("a", Layout::Segment).unwrap()).unwrap();
    drop(disk);
    assert_eq!(Disk::open(home.path()).unwrap().spaces(Layout::Segment), ["b"]);
}

/// Room is there as soon as the sync has caught up, however much was written.
#[test]
fn room_comes_back_when_the_sync_has_caught_up() {
    let home = tempfile::tempdir().unwrap();
    let disk = Disk::open(home.path()).unwrap();
    let space = disk.space("a", Layout::Segment).unwrap();
    for number in 0..80u32 {
        block_on(disk.room()).unwrap();
        let mut batch = disk.batch();
        batch.put(&space, number.to_be_bytes().to_vec(), vec![7; 1024 * 1024]);
        disk.write(batch).unwrap();
    }
    let last = disk.write(disk.batch()).unwrap();
    block_on(disk.synced(last)).unwrap();
    block_on(disk.room()).unwrap();
}
