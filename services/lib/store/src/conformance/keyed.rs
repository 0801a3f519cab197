//! S1 to S4 and S6: claims, swaps, the due index, expiry and independence.

use std::time::Duration;

use super::{Fixture, apply, claim, due, get, one, put, swap, version};
use crate::{Applied, KEY_OCTETS_MAX, Key, OPS_MAX, Op, StoreError, VALUE_OCTETS_MAX};

/// Two owners claim, and the winner claims again.
pub async fn s1_a_claim_is_won_by_one_owner(fixture: &mut dyn Fixture) {
    let key = Key::new("s1", "one");
    assert_eq!(one(fixture, claim(fixture, &key, "a", 60)).await, Applied::Claimed);
    assert_eq!(
        one(fixture, claim(fixture, &key, "b", 60)).await,
        Applied::Held { owner: "a".into() }
    );
    assert_eq!(one(fixture, claim(fixture, &key, "a", 60)).await, Applied::Reclaimed);
    assert_eq!(get(fixture, &key).await.unwrap().value, "a");
    // All at once, in one call and in many.
    let key = Key::new("s1", "many");
    let owners = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let store = fixture.store();
    let calls = owners.map(|owner| store.apply(vec![claim(fixture, &key, owner, 60), claim(fixture, &key, "z", 60)]));
    let applied = futures::future::join_all(calls)
        .await
        .into_iter()
        .flat_map(|result| result.unwrap().0);
    assert_eq!(applied.filter(|applied| *applied == Applied::Claimed).count(), 1);
}

/// The clock passes the lapse to the millisecond.
pub async fn s1_a_claim_that_lapsed_is_won_by_another(fixture: &mut dyn Fixture) {
    let key = Key::new("s1", "lapse");
    assert_eq!(one(fixture, claim(fixture, &key, "a", 10)).await, Applied::Claimed);
    fixture.advance(Duration::from_secs(10)).await;
    assert_eq!(one(fixture, claim(fixture, &key, "b", 10)).await, Applied::Claimed);
    assert_eq!(
        one(fixture, claim(fixture, &key, "a", 10)).await,
        Applied::Held { owner: "b".into() }
    );
}

/// A lease is renewed, and a renewal with an earlier lapse takes nothing away.
pub async fn s1_claiming_again_makes_a_claim_last_longer(fixture: &mut dyn Fixture) {
    let key = Key::new("s1", "renew");
    one(fixture, claim(fixture, &key, "a", 10)).await;
    assert_eq!(one(fixture, claim(fixture, &key, "a", 60)).await, Applied::Reclaimed);
    assert_eq!(one(fixture, claim(fixture, &key, "a", 1)).await, Applied::Reclaimed);
    fixture.advance(Duration::from_secs(50)).await;
    assert_eq!(
        one(fixture, claim(fixture, &key, "b", 60)).await,
        Applied::Held { owner: "a".into() }
    );
}

/// Absent, right and wrong versions; a conflict says what is there.
pub async fn s2_a_swap_needs_the_version_that_is_there(fixture: &mut dyn Fixture) {
    let key = Key::new("s2", "swap");
    assert_eq!(
        one(fixture, swap(fixture, &key, Some(7), Some("x"), None)).await,
        Applied::Conflict(None)
    );
    let first = version(&one(fixture, swap(fixture, &key, None, Some("one"), None)).await);
    assert_ne!(first, 0);
    let second = version(&one(fixture, swap(fixture, &key, Some(first), Some("two"), None)).await);
    for expected in [None, Some(first), Some(second + 1)] {
        let there = get(fixture, &key).await;
        assert_eq!(there.as_ref().unwrap().version, second);
        assert_eq!(
            one(fixture, swap(fixture, &key, expected, Some("x"), None)).await,
            Applied::Conflict(there.clone())
        );
        assert_eq!(
            one(fixture, swap(fixture, &key, expected, None, None)).await,
            Applied::Conflict(there)
        );
    }
    assert_eq!(
        one(fixture, swap(fixture, &key, Some(second), None, None)).await,
        Applied::Removed
    );
    assert_eq!(get(fixture, &key).await, None);
}

/// Writes, removes and lets expire, in all ways; no version is seen twice, also not after a restart.
pub async fn s2_a_version_never_comes_back(fixture: &mut dyn Fixture) {
    let key = Key::new("s2", "version");
    let mut versions = Vec::new();
    for round in 0..4 {
        versions.push(version(&one(fixture, put(fixture, &key, "same")).await));
        versions.push(version(&one(fixture, put(fixture, &key, "same")).await));
        one(fixture, Op::Remove { key: key.clone() }).await;
        one(fixture, claim(fixture, &key, "a", 1)).await;
        versions.push(get(fixture, &key).await.unwrap().version);
        if round == 1 {
            fixture.restart().await;
        }
        fixture.advance(Duration::from_secs(1)).await;
    }
    let count = versions.len();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), count);
}

/// Sets, moves and clears a due entry by every operation that writes.
pub async fn s3_the_due_index_follows_the_value(fixture: &mut dyn Fixture) {
    let (key, mine) = (Key::new("s3", "due"), 301);
    let first = version(&one(fixture, swap(fixture, &key, None, Some("v"), Some((mine, 100)))).await);
    assert_eq!(due(fixture, mine, 99).await, []);
    assert_eq!(due(fixture, mine, 100).await, std::slice::from_ref(&key));
    assert_eq!(due(fixture, mine + 1, 100).await, [], "another partition");
    one(
        fixture,
        swap(fixture, &key, Some(first + 1_000), Some("v"), Some((mine, 1))),
    )
    .await;
    assert_eq!(due(fixture, mine, 99).await, [], "a conflict moves nothing");
    let second = version(&one(fixture, swap(fixture, &key, Some(first), Some("v"), Some((mine, 200)))).await);
    assert_eq!(due(fixture, mine, 199).await, []);
    assert_eq!(due(fixture, mine, 200).await, std::slice::from_ref(&key));
    let third = version(&one(fixture, swap(fixture, &key, Some(second), Some("v"), None)).await);
    assert_eq!(due(fixture, mine, u64::MAX).await, []);
    let fourth = version(&one(fixture, swap(fixture, &key, Some(third), Some("v"), Some((mine, 50)))).await);
    one(fixture, swap(fixture, &key, Some(fourth), None, None)).await;
    assert_eq!(due(fixture, mine, u64::MAX).await, [], "removed by a swap");
    for last in [put(fixture, &key, "v"), Op::Remove { key: key.clone() }] {
        one(fixture, Op::Remove { key: key.clone() }).await;
        one(fixture, swap(fixture, &key, None, Some("v"), Some((mine, 60)))).await;
        assert_eq!(due(fixture, mine, 60).await, std::slice::from_ref(&key));
        one(fixture, last).await;
        assert_eq!(due(fixture, mine, u64::MAX).await, []);
    }
}

/// Many entries out of order, asked for in parts.
pub async fn s3_due_entries_come_earliest_first(fixture: &mut dyn Fixture) {
    let mine = 302;
    let key = |second: u64| Key::new("s3", format!("order-{second:03}"));
    let seconds = (0..50).map(|index| index * 37 % 50);
    let ops = seconds
        .map(|second| swap(fixture, &key(second), None, Some("v"), Some((mine, second))))
        .collect();
    apply(fixture, ops).await;
    let store = fixture.store();
    let found = store.due(mine, 29, 10).await.unwrap();
    assert_eq!(
        found.iter().map(|entry| entry.second).collect::<Vec<_>>(),
        (0..10).collect::<Vec<_>>()
    );
    apply(
        fixture,
        found.into_iter().map(|entry| Op::Remove { key: entry.key }).collect(),
    )
    .await;
    assert_eq!(due(fixture, mine, 29).await, (10..30).map(key).collect::<Vec<_>>());
    assert_eq!(due(fixture, mine, 1_000).await.len(), 40);
}

/// Looks at all there is, then sets an entry before what was looked at.
pub async fn s3_a_due_entry_set_into_the_past_is_found(fixture: &mut dyn Fixture) {
    let (early, late, mine) = (Key::new("s3", "early"), Key::new("s3", "late"), 303);
    assert_eq!(due(fixture, mine, 1_000).await, []);
    one(fixture, swap(fixture, &late, None, Some("v"), Some((mine, 900)))).await;
    assert_eq!(due(fixture, mine, 1_000).await, std::slice::from_ref(&late));
    one(fixture, swap(fixture, &early, None, Some("v"), Some((mine, 5)))).await;
    assert_eq!(due(fixture, mine, 1_000).await, [early, late]);
}

/// The clock passes the expiry to the millisecond.
pub async fn s4_what_has_expired_is_absent_with_its_due_entry(fixture: &mut dyn Fixture) {
    let (key, mine) = (Key::new("s4", "expires"), 401);
    one(fixture, swap(fixture, &key, None, Some("v"), Some((mine, 1)))).await;
    fixture.advance(Duration::from_millis(3_599_999)).await;
    assert!(get(fixture, &key).await.is_some());
    assert_eq!(due(fixture, mine, 1).await, std::slice::from_ref(&key));
    fixture.advance(Duration::from_millis(1)).await;
    assert_eq!(get(fixture, &key).await, None);
    assert_eq!(due(fixture, mine, 1).await, []);
    assert!(fixture.store().scan("s4/", None, 10).await.unwrap().is_empty());
}

/// A swap that expects nothing succeeds, and the old due entry does not come back with the new value.
pub async fn s4_an_expired_key_is_as_good_as_new(fixture: &mut dyn Fixture) {
    let (key, mine) = (Key::new("s4", "again"), 402);
    one(fixture, swap(fixture, &key, None, Some("old"), Some((mine, 1)))).await;
    fixture.advance(Duration::from_secs(3_600)).await;
    version(&one(fixture, swap(fixture, &key, None, Some("new"), Some((mine, 2)))).await);
    assert_eq!(get(fixture, &key).await.unwrap().value, "new");
    let found = fixture.store().due(mine, 10, 10).await.unwrap();
    assert_eq!(found.iter().map(|entry| entry.second).collect::<Vec<_>>(), [2]);
}

/// A lost claim and a conflict between two writes.
pub async fn s6_an_operation_that_loses_undoes_no_other(fixture: &mut dyn Fixture) {
    let [held, first, second] = ["held", "first", "second"].map(|id| Key::new("s6", id));
    one(fixture, claim(fixture, &held, "a", 60)).await;
    let ops = vec![
        put(fixture, &first, "1"),
        claim(fixture, &held, "b", 60),
        swap(fixture, &held, None, Some("x"), None),
        put(fixture, &second, "2"),
    ];
    let applied = apply(fixture, ops).await;
    assert!(matches!(applied[1], Applied::Held { .. }) && matches!(applied[2], Applied::Conflict(Some(_))));
    assert_eq!(get(fixture, &first).await.unwrap().value, "1");
    assert_eq!(get(fixture, &second).await.unwrap().value, "2");
    assert_eq!(get(fixture, &held).await.unwrap().value, "a");
}

/// Claims, writes over and removes one key within one call.
pub async fn s6_operations_of_one_call_see_each_other(fixture: &mut dyn Fixture) {
    let (key, mine) = (Key::new("s6", "same"), 601);
    let ops = vec![
        claim(fixture, &key, "a", 60),
        claim(fixture, &key, "b", 60),
        Op::Remove { key: key.clone() },
        swap(fixture, &key, None, Some("one"), Some((mine, 1))),
        swap(fixture, &key, None, Some("two"), Some((mine, 2))),
        put(fixture, &key, "three"),
    ];
    let applied = apply(fixture, ops).await;
    assert_eq!(applied[0], Applied::Claimed);
    assert_eq!(applied[1], Applied::Held { owner: "a".into() });
    assert_eq!(applied[2], Applied::Removed);
    let Applied::Conflict(Some(there)) = &applied[4] else {
        panic!("{:?}", applied[4])
    };
    assert_eq!(
        (there.value.as_ref(), there.version),
        (&b"one"[..], version(&applied[3]))
    );
    assert_eq!(get(fixture, &key).await.unwrap().version, version(&applied[5]));
    assert_eq!(due(fixture, mine, 10).await, []);
}

/// As many operations as a call may have, half of them on keys of the other half: each is answered in its place, and the last one
/// on a key counts.
pub async fn s6_a_call_as_large_as_may_be_is_answered_in_its_order(fixture: &mut dyn Fixture) {
    let keys: Vec<_> = (0..OPS_MAX / 2)
        .map(|id| Key::new("s6", format!("large-{id}")))
        .collect();
    let first = keys.iter().map(|key| claim(fixture, key, "a", 60));
    let second = keys.iter().map(|key| claim(fixture, key, "b", 60));
    let applied = apply(fixture, first.chain(second).collect()).await;
    let (won, lost) = applied.split_at(keys.len());
    assert!(won.iter().all(|applied| *applied == Applied::Claimed));
    assert!(
        lost.iter()
            .all(|applied| matches!(applied, Applied::Held { owner } if owner == "a"))
    );
    assert_eq!(lost.len(), keys.len());
    let removed = keys.iter().map(|key| Op::Remove { key: key.clone() });
    let again = keys.iter().rev().map(|key| claim(fixture, key, "c", 60));
    let applied = apply(fixture, removed.chain(again).collect()).await;
    assert_eq!(
        applied[OPS_MAX / 2..]
            .iter()
            .filter(|applied| **applied == Applied::Claimed)
            .count(),
        keys.len()
    );
}

/// Each limit by one.
pub async fn a_call_over_a_limit_is_refused_whole(fixture: &mut dyn Fixture) {
    let good = Key::new("limit", "good");
    let large = Op::Put {
        key: good.clone(),
        value: vec![0; VALUE_OCTETS_MAX + 1].into(),
        expires_at_ms: u64::MAX,
    };
    let long = Op::Remove {
        key: Key(vec![b'k'; KEY_OCTETS_MAX + 1].into()),
    };
    for bad in [
        vec![large],
        vec![long],
        vec![Op::Remove { key: Key::default() }],
        vec![put(fixture, &good, "v"); OPS_MAX],
    ] {
        let ops = [vec![put(fixture, &good, "v")], bad].concat();
        assert!(matches!(
            fixture.store().apply(ops).await,
            Err(StoreError::TooLarge { .. })
        ));
        assert_eq!(get(fixture, &good).await, None);
    }
}

/// In parts, beside keys that only look alike.
pub async fn a_scan_goes_through_a_prefix_in_order(fixture: &mut dyn Fixture) {
    let keys: Vec<_> = (0..10).map(|id| Key::new("scan", id.to_string())).collect();
    let others = [
        Key::new("scam", "9"),
        Key::new("scan2", "0"),
        Key(b"scan".as_slice().into()),
    ];
    apply(
        fixture,
        keys.iter()
            .rev()
            .chain(&others)
            .map(|key| put(fixture, key, "v"))
            .collect(),
    )
    .await;
    let store = fixture.store();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = store.scan("scan/", after.as_ref(), 3).await.unwrap();
        let Some((last, _)) = part.last() else { break };
        after = Some(last.clone());
        found.extend(part.into_iter().map(|(key, _)| key));
    }
    assert_eq!(found, keys);
}
