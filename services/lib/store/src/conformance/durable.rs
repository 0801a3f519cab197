//! S5 and S7: what outlives the store, and how a loss shows.

use super::{Fixture, claim, due, get, one, put, swap};
use crate::{Applied, Key, Op, StoreError};

/// Every kind of write, then a restart.
pub async fn s5_what_is_committed_is_there_after_a_restart(fixture: &mut dyn Fixture) {
    let [claimed, written, due_key] = ["claimed", "written", "due"].map(|id| Key::new("s5", id));
    let mine = 501;
    one(fixture, claim(fixture, &claimed, "a", 600)).await;
    one(fixture, put(fixture, &written, "v")).await;
    one(fixture, swap(fixture, &due_key, None, Some("w"), Some((mine, 9)))).await;
    let before = get(fixture, &due_key).await;
    fixture.restart().await;
    assert_eq!(
        one(fixture, claim(fixture, &claimed, "b", 600)).await,
        Applied::Held { owner: "a".into() }
    );
    assert_eq!(get(fixture, &written).await.unwrap().value, "v");
    assert_eq!(get(fixture, &due_key).await, before, "the same version");
    assert_eq!(due(fixture, mine, 9).await, [due_key]);
}

/// A removal is a write like any other.
pub async fn s5_what_is_removed_stays_so_after_a_restart(fixture: &mut dyn Fixture) {
    let (key, mine) = (Key::new("s5", "removed"), 502);
    one(fixture, swap(fixture, &key, None, Some("v"), Some((mine, 9)))).await;
    fixture.restart().await;
    one(fixture, Op::Remove { key: key.clone() }).await;
    fixture.restart().await;
    assert_eq!(get(fixture, &key).await, None);
    assert_eq!(due(fixture, mine, 9).await, []);
}

/// Writes and restarts leave the epoch alone.
pub async fn s7_the_epoch_stays_while_nothing_is_lost(fixture: &mut dyn Fixture) {
    let before = fixture.store().epoch().await.unwrap();
    one(fixture, put(fixture, &Key::new("s7", "stays"), "v")).await;
    fixture.restart().await;
    assert_eq!(fixture.store().epoch().await.unwrap(), before);
    assert!(!before.word.is_empty());
}

/// A store that begins anew has another epoch, and nobody uses it unawares. Where bus and store are one database there is
/// nothing to rebuild from, and the new epoch is there at once.
pub async fn s7_a_loss_is_noticed_before_anything_is_done(fixture: &mut dyn Fixture) {
    let before = fixture.store().epoch().await.unwrap();
    let (old, new) = (Key::new("s7", "old"), Key::new("s7", "new"));
    one(fixture, put(fixture, &old, "v")).await;
    fixture.advance(std::time::Duration::from_millis(1)).await;
    if !fixture.lose().await {
        return;
    }
    let store = fixture.store();
    if let Ok(after) = store.epoch().await {
        assert_ne!(after, before);
        return;
    }
    let lost = Some(StoreError::Lost);
    assert_eq!(store.epoch().await.err(), lost);
    assert_eq!(store.apply(vec![put(fixture, &new, "v")]).await.err(), lost);
    assert_eq!(store.get(vec![old.clone()]).await.err(), lost);
    assert_eq!(store.due(1, 1, 1).await.err(), lost);
    assert_eq!(store.scan("s7/", None, 1).await.err(), lost);
    let rebuilder = store.rebuild().await.unwrap().unwrap();
    assert!(store.rebuild().await.unwrap().is_none(), "one at a time");
    let (_, commit) = rebuilder
        .store()
        .apply(vec![put(fixture, &old, "again")])
        .await
        .unwrap();
    commit.await.unwrap();
    assert_eq!(
        store.get(vec![old.clone()]).await.err(),
        lost,
        "not before it is finished"
    );
    let after = rebuilder.finish().await.unwrap();
    assert_ne!(after, before);
    assert_eq!(store.epoch().await, Ok(after.clone()));
    assert_eq!(
        store.get(vec![old.clone()]).await.err(),
        lost,
        "not before it is adopted"
    );
    store.adopt(&after);
    assert_eq!(get(fixture, &old).await.unwrap().value, "again");
    one(fixture, put(fixture, &new, "v")).await;
    assert!(store.rebuild().await.unwrap().is_none(), "nothing is lost");
}

/// A rebuilder that died is followed by another, and is shut out.
pub async fn s7_a_rebuilder_that_died_is_followed_by_another(fixture: &mut dyn Fixture) {
    if !fixture.lose().await || fixture.store().epoch().await.is_ok() {
        return;
    }
    let store = fixture.store();
    let first = store.rebuild().await.unwrap().unwrap();
    fixture.advance(std::time::Duration::from_secs(60)).await;
    let second = store.rebuild().await.unwrap().unwrap();
    let late = first
        .store()
        .apply(vec![put(fixture, &Key::new("s7", "late"), "v")])
        .await;
    assert_eq!(late.err(), Some(StoreError::Lost));
    assert_eq!(first.finish().await.err(), Some(StoreError::Lost));
    let epoch = second.finish().await.unwrap();
    store.adopt(&epoch);
    assert_eq!(store.get(vec![Key::new("s7", "late")]).await, Ok(vec![None]));
}

/// What the rebuilder put back is gone too, so it must not end as if it were there.
pub async fn s7_a_store_lost_again_shuts_its_rebuilder_out(fixture: &mut dyn Fixture) {
    if !fixture.lose().await || fixture.store().epoch().await.is_ok() {
        return;
    }
    let first = fixture.store().rebuild().await.unwrap().unwrap();
    let writing = first.store();
    let key = Key::new("s7", "again");
    drop(writing.apply(vec![put(fixture, &key, "v")]).await.unwrap());
    fixture.lose().await;
    assert_eq!(writing.get(vec![key.clone()]).await.err(), Some(StoreError::Lost));
    assert_eq!(first.finish().await.err(), Some(StoreError::Lost));
    let second = fixture.store().rebuild().await.unwrap().unwrap();
    assert_eq!(second.store().get(vec![key]).await, Ok(vec![None]));
}
