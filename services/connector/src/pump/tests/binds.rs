//! A link of several connections, of which some are lost.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_a_lost_bind_did_not_write_is_sent_again_at_once() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.answer(&job, Verdict::Displaced);
    let again = rig.job().await;
    assert_eq!(again.tag, job.tag);
    rig.answer(&again, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

#[tokio::test(start_paused = true)]
async fn no_more_is_sent_than_the_binds_that_are_left_have_room_for() {
    let world = world_with(&(1..=10).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::down(&world, 1, |_| {}).await;
    rig.tell(Event::Room { binds: 1, slots: 3 });
    rig.tell(Event::Up);
    settle().await;
    let mut jobs = Vec::new();
    while jobs.len() < 3 {
        jobs.extend(rig.jobs().await);
    }
    rig.assert_silent(5).await;
    rig.tell(Event::Room { binds: 2, slots: 6 });
    while jobs.len() < 6 {
        jobs.extend(rig.jobs().await);
    }
    rig.assert_silent(5).await;
    assert_eq!(jobs.len(), 6);
}
