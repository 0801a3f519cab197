//! Two connectors on one account, over stores in memory and under virtual time.

use std::{sync::atomic::Ordering, time::Duration};

use sms::Lane;

use super::*;
use crate::fixture::World;

struct Member {
    account: Account,
    bucket: Bucket,
    sent: u32,
}

impl Member {
    fn new(world: &World, run: u64) -> Self {
        let world = world.process();
        let incarnation = Incarnation::new(run);
        Self {
            account: Account::new(
                "atlas",
                100,
                (&incarnation, "a link"),
                world.deps.store,
                world.deps.clock,
            ),
            bucket: Bucket::leased(time::now()),
            sent: 0,
        }
    }

    /// Sends whatever it may.
    fn step(&mut self) {
        let now = time::now();
        self.bucket.fill(now);
        while self.bucket.is_open(Lane::Bulk) {
            self.bucket.take(1, Lane::Bulk);
            self.sent += 1;
        }
        self.account.advance(&mut self.bucket, true, now);
        if let Some(leased) = self.account.answered().now_or_never() {
            self.account.on_answered(leased, &mut self.bucket);
        }
    }
}

/// What each sent within `seconds`.
async fn sent(members: &mut [Member], seconds: u64) -> Vec<u32> {
    members.iter_mut().for_each(|member| member.sent = 0);
    for _ in 0..seconds * 1_000 {
        members.iter_mut().for_each(Member::step);
        time::sleep(Duration::from_millis(1)).await;
    }
    members.iter().map(|member| member.sent).collect()
}

#[tokio::test(start_paused = true)]
async fn two_connectors_share_the_rate_of_their_account() {
    let world = World::new(&["atlas"]).await;
    let mut members = [Member::new(&world, 1), Member::new(&world, 2)];
    let sent = sent(&mut members, 10).await;
    assert!(sent.iter().all(|sent| (450..=510).contains(sent)), "{sent:?}");
    assert!(sent.iter().sum::<u32>() <= 1_012, "{sent:?}");
}

#[tokio::test(start_paused = true)]
async fn a_throttle_that_one_of_them_meets_slows_both() {
    let world = World::new(&["atlas"]).await;
    let mut members = [Member::new(&world, 1), Member::new(&world, 2)];
    sent(&mut members, 2).await;
    members[0].account.feel(Feeling::Throttled);
    let after = sent(&mut members, 1).await;
    assert!(after.iter().all(|sent| (20..=35).contains(sent)), "{after:?}");
    sent(&mut members, 20).await;
    let later = sent(&mut members, 1).await;
    assert!(
        later.iter().all(|sent| (45..=55).contains(sent)),
        "as before: {later:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn without_the_store_each_has_an_equal_share_of_what_the_account_bore_last() {
    let world = World::new(&["atlas"]).await;
    let mut members = [Member::new(&world, 1), Member::new(&world, 2)];
    members.iter_mut().for_each(|member| member.account.set_sharers(2));
    sent(&mut members, 1).await;
    members[0].account.feel(Feeling::Throttled);
    sent(&mut members, 1).await;
    world.store_away.store(true, Ordering::Relaxed);
    let away = sent(&mut members, 2).await;
    assert!(
        away.iter().all(|sent| (50..=70).contains(sent)),
        "a quarter of the rate: {away:?}"
    );
    world.store_away.store(false, Ordering::Relaxed);
    sent(&mut members, 20).await;
    let back = sent(&mut members, 10).await;
    assert!((950..=1_012).contains(&back.iter().sum::<u32>()), "{back:?}");
}

#[tokio::test(start_paused = true)]
async fn one_who_sends_nothing_asks_for_nothing() {
    let world = World::new(&["atlas"]).await;
    let mut idle = Member::new(&world, 1);
    idle.account.advance(&mut idle.bucket, false, time::now());
    assert!(idle.account.asking.is_none());
    assert!(
        idle.bucket.is_open(Lane::Bulk),
        "its first part need not wait for a lease"
    );
    idle.bucket.take(1, Lane::Bulk);
    idle.account.advance(&mut idle.bucket, false, time::now());
    assert!(idle.account.asking.is_some());
}
