//! Orders of operators, on a store in memory that others write to and that can be away.

use std::sync::atomic::Ordering;

use super::*;
use crate::{
    LinkKind,
    fixture::{World, carrier},
};

/// Links a and b, which share an account, and c.
fn directives(world: &World) -> Arc<Directives> {
    let link = |name: &str| LinkConfig::new(name, vec![carrier(name)], LinkKind::Absent);
    let account = Some("shared".to_owned());
    let links = [
        LinkConfig {
            account: account.clone(),
            ..link("a")
        },
        LinkConfig { account, ..link("b") },
        link("c"),
    ];
    let (store, clock) = (Arc::clone(&world.deps.store), world.deps.clock.clone());
    Arc::new(Directives::new(&links, store, clock))
}

fn now(directives: &Directives) -> [(Conduct, Option<u32>); 3] {
    std::array::from_fn(|index| {
        let Directive { conduct, rate } = directives.now(index);
        (conduct, rate)
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_ordered_of_one_connector_reaches_the_others_and_those_that_start_later() {
    let world = World::new(&["a"]).await;
    let (one, two) = (directives(&world), directives(&world));
    one.conduct(2, Conduct::Paused).await.unwrap();
    one.rate(0, Some(50)).await.unwrap();
    let ordered = [
        (Conduct::Open, Some(50)),
        (Conduct::Open, Some(50)),
        (Conduct::Paused, None),
    ];
    assert_eq!(now(&one), ordered, "the rate is the account's");
    assert_eq!(now(&two), [(Conduct::Open, None); 3]);
    let (stop, stopped) = Stop::new();
    let mut tasks = service::Tasks::new();
    tasks.spawn(Arc::clone(&two).follow(stopped.clone()));
    time::sleep(LOOK + Duration::from_millis(100)).await;
    assert_eq!(now(&two), ordered);
    let three = directives(&world);
    assert!(three.begin(&stopped).await);
    assert_eq!(now(&three), ordered);
    two.conduct(2, Conduct::Open).await.unwrap();
    two.rate(1, None).await.unwrap();
    one.look().await.unwrap();
    assert_eq!(now(&one), [(Conduct::Open, None); 3]);
    stop.request();
    tasks.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_changes_nothing_and_one_that_forgot_is_told_again() {
    let world = World::new(&["a"]).await;
    let one = directives(&world);
    one.conduct(0, Conduct::Drained).await.unwrap();
    one.rate(2, Some(7)).await.unwrap();
    let ordered = now(&one);
    world.store_away.store(true, Ordering::Relaxed);
    assert!(one.look().await.is_err());
    assert!(one.conduct(0, Conduct::Open).await.is_err());
    assert_eq!(now(&one), ordered, "an order that is not safe is not heeded");
    world.store_away.store(false, Ordering::Relaxed);
    let gone = [keys::link_order("a"), keys::rate_order("c")].map(|key| Op::Remove { key });
    world.deps.store.apply(gone.into()).await.unwrap().1.await.unwrap();
    one.look().await.unwrap();
    assert_eq!(now(&one), ordered);
    let two = directives(&world);
    two.look().await.unwrap();
    assert_eq!(now(&two), ordered, "and others find it there");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_nobody_can_read_changes_nothing() {
    let world = World::new(&["a"]).await;
    let one = directives(&world);
    one.conduct(0, Conduct::Paused).await.unwrap();
    one.rate(0, Some(7)).await.unwrap();
    let ordered = now(&one);
    for (key, text) in [
        (keys::link_order("a"), "frozen"),
        (keys::rate_order("shared"), "0"),
        (keys::rate_order("shared"), "100001"),
        (keys::rate_order("shared"), "\u{fffd}"),
    ] {
        let garbage = one.put(&key, text.to_owned());
        one.write(vec![garbage]).await.unwrap();
        one.look().await.unwrap();
        assert_eq!(now(&one), ordered, "{text}");
    }
}

/// Of 256 links on one account each connector would otherwise read its rate 256 times a second.
#[tokio::test(start_paused = true)]
async fn the_rate_of_an_account_is_looked_at_once_for_all_its_links() {
    let world = World::new(&["a"]).await;
    let mut keys = directives(&world).keys();
    assert_eq!(keys.len(), 5, "three links, an account of two and one of one");
    keys.dedup();
    assert_eq!(keys.len(), 5);
    let rates = [keys::rate_order("shared"), keys::rate_order("c")];
    assert!(rates.iter().all(|rate| keys.contains(rate)), "{keys:?}");
}
