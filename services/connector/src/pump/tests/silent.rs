//! Parts that a carrier never answers, on a link that it has throttled.

use super::*;

/// Half of ten slots are left by the throttle, and parts without an answer are as many: they are given up after 30 s.
#[tokio::test(start_paused = true)]
async fn parts_that_are_never_answered_do_not_stop_a_throttled_link() {
    let world = world_with(&(1..=9).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    assert_eq!(jobs.len(), 9);
    rig.answer(&jobs[0], refused("hold 1 then next"));
    jobs[1..4].iter().for_each(|job| rig.answer(job, taken("id")));
    settle().await;
    assert_eq!(rig.vitals.window(), (5, 5), "half of the slots, and all of them taken");
    world.publish(&[order(10)]).await;
    let began = time::now();
    let mut sent = Vec::new();
    while sent.len() < 2 {
        for job in rig.jobs().await {
            sent.push(job.ready.order.message.id.0.as_u128());
            rig.answer(&job, taken("id"));
        }
    }
    let took = began.elapsed();
    assert_eq!(sent, [1, 10], "what was held, and what came since");
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// The most that may be unanswered is the carrier's word, whatever is overdue.
#[tokio::test(start_paused = true)]
async fn no_more_than_the_window_is_ever_unanswered() {
    let world = world_with(&(1..=30).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up(&world, 1).await;
    assert_eq!(rig.jobs().await.len(), 9);
    rig.assert_silent(29).await;
}
