//! S5 and S7: what outlives the store, and how a loss shows.

use super::{Fixture, claim, due, get, one, put, swap};
use crate::{Applied, Key, Op};

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
    assert!(!before.is_empty());
}

/// A store that begins anew has another epoch.
pub async fn s7_the_epoch_changes_with_a_loss(fixture: &mut dyn Fixture) {
    let before = fixture.store().epoch().await.unwrap();
    fixture.advance(std::time::Duration::from_millis(1)).await;
    if fixture.lose().await {
        assert_ne!(fixture.store().epoch().await.unwrap(), before);
    }
}
