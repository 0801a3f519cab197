//! A machine's clock that is set while orders are in flight, and a store that answers late.

use super::{rig::held, *};

const HOUR_MS: i64 = 3_600_000;

#[tokio::test(start_paused = true)]
async fn a_clock_set_back_doubles_nothing_and_lengthens_no_lease() {
    let world = world_with(&[order(1), order(2)]).await;
    let mut dead = Rig::up_with(&world, |settings| settings.window = 1).await;
    let first = dead.job().await;
    world.deps.clock.set_machine(-HOUR_MS);
    dead.answer(&first, taken("a1"));
    let second = dead.job().await;
    assert_eq!(second.ready.order.message.id, order(2).message.id);
    assert_eq!(dead.said().await, ["1 accepted a1"]);
    drop(dead);
    let mut rig = Rig::up(&world, 2).await;
    rig.assert_silent(7).await;
    assert_eq!(rig.said().await, ["1 accepted a1", "2 unknown"]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_set_forward_sends_nothing_on_a_lapsed_lease_and_goes_on() {
    let world = world_with(&[]).await;
    let mut rig = Rig::up(&world, 1).await;
    world.deps.clock.set_machine(10_000);
    world.publish(&[order(1)]).await;
    let job = rig.job().await;
    assert!(held(&world, 3).await.is_held(world.deps.clock.now()));
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

/// The store takes a claim, and says so only after the lease lapsed and was renewed: another run has answered for us.
#[tokio::test(start_paused = true)]
async fn a_claim_confirmed_after_the_lease_lapsed_sends_nothing_though_it_was_renewed() {
    let world = World::new(&["atlas"]).await;
    let lease = held(&world, 1).await;
    let began = world.deps.clock.now();
    assert!(lease.has_held(began, began));
    time::sleep(Duration::from_secs(6)).await;
    lease.renew(&*world.deps.store, &world.deps.clock).await.unwrap();
    let now = world.deps.clock.now();
    assert!(
        lease.is_held(now) && !lease.has_held(began, now),
        "it was taken for dead in between"
    );
    assert!(lease.has_held(now, now));
    time::sleep(Duration::from_secs(1)).await;
    lease.renew(&*world.deps.store, &world.deps.clock).await.unwrap();
    assert!(lease.has_held(now, world.deps.clock.now()), "renewed in time");
}
