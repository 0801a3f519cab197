//! Who may have started an order before us.

use bus::Topic;

use super::*;

const NOW: UnixMs = UnixMs(1_000_000);

fn batch(generation: u64) -> Delivered {
    Delivered {
        topic: Topic::new("orders"),
        partition: PartitionId(0),
        end: 1,
        generation,
    }
}

fn inherited(origins: &mut Origins, generation: u64, stored_at: u64, now: UnixMs) -> bool {
    origins.enter(&batch(generation), std::iter::once(stored_at), now)[0].is_inherited
}

#[test]
fn what_was_stored_before_the_partition_was_ours_is_inherited() {
    let mut origins = Origins::default();
    origins.own(&[PartitionId(0)], NOW);
    let later = NOW + Duration::from_secs(60);
    assert!(inherited(&mut origins, 1, NOW.0 - 5_000, later));
    assert!(!inherited(&mut origins, 1, NOW.0 + 1_000, later));
}

#[test]
fn no_more_is_inherited_than_a_run_may_have_fetched() {
    let mut origins = Origins::default();
    let old = NOW.0 - 60_000;
    let first = origins.enter(&batch(1), (0..STARTED_MAX).map(|_| old), NOW);
    assert!(first.iter().all(|origin| origin.is_inherited));
    assert!(!inherited(&mut origins, 1, old, NOW));
}

#[test]
fn a_partition_that_comes_back_is_inherited_anew() {
    let mut origins = Origins::default();
    origins.own(&[PartitionId(0)], NOW);
    assert!(!inherited(&mut origins, 1, NOW.0 + 10_000, NOW));
    let later = NOW + Duration::from_secs(60);
    assert!(
        inherited(&mut origins, 2, NOW.0 + 10_000, later),
        "another had it meanwhile"
    );
    origins.own(&[], later);
    origins.own(&[PartitionId(0)], later + Duration::from_secs(60));
    assert!(inherited(&mut origins, 2, later.0 + 10_000, later));
}
