//! The store forgets everything, and somebody rebuilds it.

use super::{
    rig::{held, kept},
    *,
};
use crate::epochs::Doubt;

/// Longer than clocks may differ that say since when a partition is ours.
const OURS: Duration = Duration::from_secs(10);

impl World {
    /// Forgets everything, and begins the next epoch `millis` later, with `claims` in it.
    async fn lose(&self, millis: u64, claims: Vec<Op>) {
        let before = self.deps.clock.now();
        self.store.lose();
        time::sleep(Duration::from_millis(millis)).await;
        let rebuild = self.store.rebuild().await.unwrap().unwrap();
        let mut ops = claims;
        ops.push(Op::Put {
            key: keys::doubt(),
            value: (before + Duration::from_millis(1)).0.to_string().into(),
            expires_at_ms: u64::MAX,
        });
        drop(rebuild.store().apply(ops).await.unwrap());
        self.store.adopt(&rebuild.finish().await.unwrap());
    }

    /// An order of a message that was accepted a moment ago.
    fn fresh(&self, id: u128) -> journey::Order {
        let mut order = order(id);
        order.message.accepted_at = self.deps.clock.now();
        order
    }

    async fn claim_of(&self, id: u128) -> Option<String> {
        let key = keys::claim(order(id).message.id, OrderNumber(1));
        let found = self.store.get(vec![key]).await.unwrap().remove(0);
        found.map(|found| String::from_utf8(found.value.to_vec()).unwrap())
    }
}

fn claim_by(owner: &str, id: u128) -> Op {
    Op::Claim {
        key: keys::claim(order(id).message.id, OrderNumber(1)),
        owner: Bytes::copy_from_slice(owner.as_bytes()),
        expires_at_ms: u64::MAX,
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_is_claimed_again_and_answered_once() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    let before = world.claim_of(1).await;
    world.lose(2_000, vec![]).await;
    assert_eq!(world.claim_of(1).await, None, "forgotten");
    time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.claim_of(1).await, before);
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

#[tokio::test(start_paused = true)]
async fn with_the_store_lost_nothing_is_sent_and_then_what_is_ours() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up_with(&world, |settings| settings.window = 1).await;
    time::sleep(OURS).await;
    world.publish(&[order(1), order(2)]).await;
    let first = rig.job().await;
    let back = world.lose(3_000, vec![]);
    let ((), ()) = futures::join!(back, async { rig.answer(&first, taken("a1")) });
    rig.assert_silent(4).await;
    assert_eq!(rig.said().await, ["1 accepted a1"], "what was sent is answered");
    let second = rig.job().await;
    assert_eq!(
        second.ready.order.message.id,
        order(2).message.id,
        "nobody else can have sent it"
    );
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_the_loss_is_sent_at_once() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    world.lose(500, vec![]).await;
    time::sleep(Duration::from_secs(2)).await;
    world.publish(&[world.fresh(1)]).await;
    let sent = time::timeout(Duration::from_secs(1), rig.job()).await;
    assert!(sent.is_some());
}

/// Another carrier was handed the same order before the loss, and puts its claim back four seconds after it.
#[tokio::test(start_paused = true)]
async fn an_order_of_a_message_from_before_the_loss_waits_for_the_claims_of_others() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    time::sleep(OURS).await;
    world.lose(500, vec![]).await;
    world.publish(&[order(1), order(2)]).await;
    rig.assert_silent(4).await;
    let put_back = vec![claim_by("borealis/run/1", 1)];
    world.store.apply(put_back).await.unwrap().1.await.unwrap();
    let sent = rig.job().await;
    assert_eq!(sent.ready.order.message.id, order(2).message.id);
    rig.assert_silent(4).await;
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_run_may_have_sent_is_unknown() {
    let world = world_with(&[order(1)]).await;
    let mut dead = Rig::up(&world, 1).await;
    dead.job().await;
    drop(dead);
    world.lose(500, vec![]).await;
    let mut rig = Rig::up(&world.process(), 2).await;
    rig.assert_silent(8).await;
    assert_eq!(rig.said().await, [""; 0], "its owner may live, and put its claim back");
    rig.assert_silent(4).await;
    assert_eq!(rig.said().await, ["1 unknown"]);
}

#[tokio::test(start_paused = true)]
async fn what_its_owner_claimed_again_is_left_to_it() {
    let world = world_with(&[order(1)]).await;
    let gone = Rig::up(&world, 1).await;
    drop(gone);
    let lease = Op::Put {
        key: keys::lease(Incarnation::new(9).as_str()),
        value: Bytes::new(),
        expires_at_ms: u64::MAX,
    };
    let owner = format!("atlas/{}/1", Incarnation::new(9).as_str());
    world.lose(500, vec![claim_by(&owner, 1), lease]).await;
    let mut rig = Rig::up(&world.process(), 2).await;
    rig.assert_silent(30).await;
    assert_eq!(rig.said().await, [""; 0]);
}

/// A copy of an answered order comes after a loss that the rebuilder noticed too early to read the answer.
#[tokio::test(start_paused = true)]
async fn a_copy_of_what_was_just_answered_is_not_sent() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    time::sleep(OURS).await;
    world.publish(&[order(1)]).await;
    let job = rig.job().await;
    rig.answer(&job, taken("a1"));
    settle().await;
    world.lose(10, vec![]).await;
    time::sleep(Duration::from_secs(2)).await;
    world.publish(&[order(1)]).await;
    rig.assert_silent(30).await;
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_what_the_log_says_was_answered_is_not_sent() {
    let world = World::new(&["atlas"]).await;
    let answered = String::from_utf8(keys::answered_owner(&carrier("atlas"))).unwrap();
    world.lose(10, vec![claim_by(&answered, 1)]).await;
    let mut rig = Rig::up(&world.process(), 1).await;
    world.publish(&[order(1)]).await;
    rig.assert_silent(30).await;
    assert_eq!(rig.said().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_a_router_took_meanwhile_is_given_back_unsent() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up_with(&world, |settings| settings.window = 1).await;
    time::sleep(OURS).await;
    world.publish(&[long_order(1, 2)]).await;
    let first_part = rig.job().await;
    let router = String::from_utf8(keys::ROUTER_OWNER.to_vec()).unwrap();
    world.lose(500, vec![claim_by(&router, 1)]).await;
    time::sleep(Duration::from_secs(3)).await;
    rig.answer(&first_part, taken("a1"));
    rig.assert_silent(30).await;
    assert_eq!(rig.said().await, ["1 unknown"], "a part was sent, and the rest is not");
}

#[tokio::test(start_paused = true)]
async fn a_restart_long_after_a_loss_waits_for_nothing() {
    let world = World::new(&["atlas"]).await;
    world.lose(500, vec![]).await;
    time::sleep(Duration::from_secs(60)).await;
    world.publish(&[world.fresh(1)]).await;
    let mut rig = Rig::up(&world.process(), 1).await;
    let sent = time::timeout(Duration::from_secs(1), rig.job()).await;
    assert!(sent.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_pump_that_joins_while_the_store_is_lost_goes_on_too() {
    let world = World::new(&["atlas"]).await;
    let lease = held(&world, 1).await;
    world.store.lose();
    let keeper = kept(&world, &lease);
    time::sleep(Duration::from_secs(2)).await;
    let mut rig = Rig::of_lease(&world, lease.clone(), keeper, |_| {});
    rig.tell(Event::Up);
    world.publish(&[order(1)]).await;
    rig.assert_silent(2).await;
    world.lose(500, vec![]).await;
    time::sleep(Duration::from_secs(2)).await;
    let (_, doubt) = lease.join();
    assert_ne!(doubt, Doubt::default(), "whoever joins later knows of the loss");
    world.publish(&[order(2)]).await;
    let job = rig.job().await;
    assert_eq!(job.ready.order.message.id, order(2).message.id);
}

/// The store had taken the claim before it was lost, another connector found it there, and put it back afterwards.
#[tokio::test(start_paused = true)]
async fn a_claim_that_was_lost_on_its_way_and_is_back_is_still_ours_to_send_on() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    time::sleep(OURS).await;
    world.publish(&[order(1)]).await;
    let first = rig.job().await;
    rig.answer(&first, taken("a1"));
    let claim = world.claim_of(1).await.unwrap();
    let (run, call) = claim.rsplit_once('/').unwrap();
    let next = format!("{run}/{}", call.parse::<u64>().unwrap() + 1);
    world.store.lose();
    world.publish(&[world.fresh(2)]).await;
    settle().await;
    world.lose(2_000, vec![claim_by(&next, 2)]).await;
    let second = rig.job().await;
    assert_eq!(second.ready.order.message.id, order(2).message.id);
    assert_eq!(world.claim_of(2).await, Some(next));
}
