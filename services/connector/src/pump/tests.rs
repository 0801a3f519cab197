//! The pump with a scripted link, on log and store in memory, under virtual time.

mod binds;
mod clocks;
mod conduct;
mod gathering;
mod groups;
mod holds;
mod lost;
mod receipts;
mod rig;
mod silent;

use std::{sync::atomic::Ordering, time::Duration};

use bytes::Bytes;
use journey::OrderNumber;
use service::time;
use signalbox_proto::{keys, record, topics};
use store::Op;

use super::*;
use crate::{
    Incarnation,
    fixture::{World, carrier, long_order, order},
    link::Verdict,
};
use rig::{Rig, refused, settle, taken, world_with};

#[tokio::test(start_paused = true)]
async fn an_order_is_claimed_sent_reported_and_acked() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    let claim = keys::claim(order(1).message.id, OrderNumber(1));
    let claimed = world.deps.store.get(vec![claim]).await.unwrap();
    assert!(claimed[0].is_some(), "claimed before it reached the link");
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
    drop(rig);
    Rig::up(&world, 2).await.assert_silent(120).await;
    assert_eq!(world.said().await.len(), 1, "acked, so it does not come again");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_comes_twice_is_sent_once() {
    let world = world_with(&[order(1), order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
    world.publish(&[order(1)]).await;
    rig.assert_silent(10).await;
    assert_eq!(rig.said().await, ["1 accepted a1"], "also after it was answered");
}

#[tokio::test(start_paused = true)]
async fn what_a_dead_run_claimed_is_unknown_once_its_lease_has_lapsed() {
    let world = world_with(&[order(1)]).await;
    let mut dead = Rig::up(&world, 1).await;
    dead.job().await;
    drop(dead);
    let mut rig = Rig::up(&world, 2).await;
    rig.assert_silent(3).await;
    assert_eq!(rig.said().await, [""; 0], "its owner may still live");
    rig.assert_silent(4).await;
    assert_eq!(rig.said().await, ["1 unknown"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_living_run_claimed_is_left_to_it() {
    let world = world_with(&[order(1)]).await;
    let mut first = Rig::up(&world, 1).await;
    let job = first.job().await;
    world.publish(&[order(1)]).await;
    let mut second = Rig::up(&world, 2).await;
    second.assert_silent(20).await;
    assert_eq!(second.said().await, [""; 0]);
    first.answer(&job, taken("a1"));
    second.assert_silent(100).await;
    assert_eq!(second.said().await, ["1 accepted a1"]);
}

#[tokio::test(start_paused = true)]
async fn an_order_claimed_by_a_router_is_handed_back_and_one_of_another_carrier_is_dropped() {
    let world = World::new(&["atlas"]).await;
    let claims = [(1, keys::ROUTER_OWNER), (2, b"cirrus/0f".as_slice())].map(|(id, owner)| Op::Claim {
        key: keys::claim(order(id).message.id, OrderNumber(1)),
        owner: Bytes::from_static(owner),
        expires_at_ms: u64::MAX,
    });
    world.deps.store.apply(claims.into()).await.unwrap().1.await.unwrap();
    world.publish(&[order(1), order(2), order(3)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    assert_eq!(job.ready.order.message.id, order(3).message.id);
    rig.answer(&job, taken("a3"));
    assert_eq!(rig.said().await, ["1 link_down taken_back", "3 accepted a3"]);
}

/// Whether it lives or not: what it has to say may never get out, and it never sends anything.
#[tokio::test(start_paused = true)]
async fn what_a_caretaker_claimed_is_handed_back_by_whoever_finds_it() {
    let world = World::new(&["atlas"]).await;
    let caretaker = crate::lease::Lease::new(Incarnation::of_caretaker(1));
    crate::epochs::begin(&caretaker, &world.deps.store, &world.deps.clock)
        .await
        .unwrap();
    let _keeper = rig::kept(&world, &caretaker);
    let dead = Incarnation::of_caretaker(2);
    let claims = [(1, caretaker.incarnation()), (2, &dead)].map(|(id, run)| crate::claims::claim(&order(id), run, 0));
    world.deps.store.apply(claims.into()).await.unwrap().1.await.unwrap();
    world.publish(&[order(1), order(2)]).await;
    let mut rig = Rig::up(&world, 1).await;
    rig.assert_silent(1).await;
    assert_eq!(rig.said().await, ["1 link_down no_link", "2 link_down no_link"]);
}

/// Two routers with different tables may both publish an order under one number, for two carriers of this link.
#[tokio::test(start_paused = true)]
async fn an_order_of_another_carrier_on_the_link_takes_no_other_order_along() {
    for carriers in [["atlas", "borealis"], ["borealis", "atlas"]] {
        let world = World::new(&carriers).await;
        let dead = Op::Claim {
            key: keys::claim(order(1).message.id, OrderNumber(1)),
            owner: Bytes::from_static(b"borealis/0f/1"),
            expires_at_ms: u64::MAX,
        };
        world.deps.store.apply(vec![dead]).await.unwrap().1.await.unwrap();
        for name in carriers {
            let mut twin = order(1);
            twin.carrier = carrier(name);
            world.publish(&[twin]).await;
        }
        let mut rig = Rig::up_with(&world, |settings| settings.carriers = carriers.map(carrier).to_vec()).await;
        rig.assert_silent(7).await;
        assert_eq!(
            rig.said().await,
            ["1 unknown"],
            "what the dead run claimed, and only that"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_order_past_its_deadline_is_claimed_and_answered_next() {
    let mut late = order(1);
    late.terms.deadline = crate::fixture::START;
    let world = world_with(&[late]).await;
    let mut rig = Rig::up(&world, 1).await;
    rig.assert_silent(1).await;
    assert_eq!(rig.said().await, ["1 next deadline"]);
    let claim = keys::claim(order(1).message.id, OrderNumber(1));
    assert!(world.deps.store.get(vec![claim]).await.unwrap()[0].is_some());
}

#[tokio::test(start_paused = true)]
async fn a_held_order_is_sent_again_under_its_claim() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.answer(&job, refused("hold"));
    let began = time::now();
    let job = rig.job().await;
    assert_eq!(time::now().duration_since(began).as_millis(), 250);
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_lasts_two_seconds_is_the_router_s() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let began = time::now();
    while rig.said().await.is_empty() {
        let job = rig.job().await;
        rig.answer(&job, refused("hold"));
    }
    assert!(time::now().duration_since(began) <= Duration::from_millis(2_100));
    assert_eq!(rig.said().await, ["1 hold word"]);
}

#[tokio::test(start_paused = true)]
async fn a_bounded_hold_goes_to_the_next_carrier() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    for _ in 0..2 {
        let job = rig.job().await;
        rig.answer(&job, refused("hold 1 then next"));
    }
    assert_eq!(rig.said().await, ["1 next word"]);
}

#[tokio::test(start_paused = true)]
async fn a_password_does_not_wait_for_answers_to_a_campaign() {
    let of = |id: u128, class| {
        let mut order = order(id);
        order.message.class = class;
        order
    };
    let campaign: Vec<_> = (1..=30).map(|id| of(id, sms::Class::Promotional)).collect();
    let world = world_with(&campaign).await;
    let mut rig = Rig::up(&world, 1).await;
    assert_eq!(rig.jobs().await.len(), 9, "the window is full for campaigns");
    world
        .publish(&[of(31, sms::Class::Otp), of(32, sms::Class::Transactional)])
        .await;
    let jobs = rig.jobs().await;
    let ids: Vec<_> = jobs.iter().map(|job| job.ready.order.message.id.0.as_u128()).collect();
    assert_eq!(ids, [31]);
}

#[tokio::test(start_paused = true)]
async fn throttling_halves_what_is_on_its_way() {
    let world = world_with(&(1..=30).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    assert_eq!(jobs.len(), 9, "a slot of ten is left to urgent orders");
    rig.answer(&jobs[0], refused("hold"));
    jobs[1..].iter().for_each(|job| rig.answer(job, taken("id")));
    let mut on_its_way = 0;
    while let Some(Some(Command::Submit(jobs))) =
        time::timeout(Duration::from_millis(50), rig.plug.commands.recv()).await
    {
        on_its_way += jobs.len();
    }
    assert!((5..=7).contains(&on_its_way), "{on_its_way}");
}

#[tokio::test(start_paused = true)]
async fn a_link_away_for_a_second_answers_link_down_and_a_shorter_gap_is_waited_out() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::down(&world, 1, |_| {}).await;
    time::sleep(Duration::from_millis(900)).await;
    assert_eq!(rig.said().await, [""; 0]);
    rig.tell(Event::Up);
    let job = rig.job().await;
    rig.answer(&job, taken("a1"));
    rig.tell(Event::Down { reason: "test".into() });
    settle().await;
    world.publish(&[order(2)]).await;
    rig.assert_silent(2).await;
    assert_eq!(rig.said().await, ["1 accepted a1", "2 link_down no_link"]);
}

#[tokio::test(start_paused = true)]
async fn a_lost_link_leaves_unknown_what_was_written_and_link_down_what_was_not() {
    let world = world_with(&[order(1), order(2)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    rig.answer(&jobs[0], Verdict::Unanswered);
    rig.answer(&jobs[1], Verdict::Unsent { code: "no_link" });
    rig.tell(Event::Down { reason: "test".into() });
    assert_eq!(rig.said().await, ["1 unknown", "2 link_down no_link"]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_time_out_is_a_further_outcome() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.answer(&job, Verdict::Unanswered);
    assert_eq!(rig.said().await, ["1 unknown"]);
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 unknown", "1 accepted a1"]);
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await.len(), 2, "a repeat is none");
}

#[tokio::test(start_paused = true)]
async fn all_segments_go_over_one_link_and_their_ids_are_in_order() {
    let world = world_with(&[long_order(1, 3)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    assert_eq!(jobs.iter().map(|job| job.tag.part).collect::<Vec<_>>(), [0, 1, 2]);
    for (job, id) in jobs.iter().zip(["a", "b", "c"]).rev() {
        rig.answer(job, taken(id));
    }
    assert_eq!(rig.said().await, ["1 accepted a,b,c"]);
}

#[tokio::test(start_paused = true)]
async fn a_window_of_one_sends_the_segments_one_by_one() {
    let world = world_with(&[long_order(1, 3)]).await;
    let mut rig = Rig::up_with(&world, |settings| settings.window = 1).await;
    for id in ["a", "b", "c"] {
        let job = rig.job().await;
        rig.answer(&job, taken(id));
    }
    assert_eq!(rig.said().await, ["1 accepted a,b,c"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_held_message_only_the_missing_segments_are_sent_again() {
    let world = world_with(&[long_order(1, 3)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    rig.answer(&jobs[0], taken("a"));
    rig.answer(&jobs[1], refused("hold"));
    rig.answer(&jobs[2], taken("c"));
    let job = rig.job().await;
    assert_eq!(job.tag.part, 1);
    rig.answer(&job, taken("b"));
    assert_eq!(rig.said().await, ["1 accepted a,b,c"]);
}

#[tokio::test(start_paused = true)]
async fn a_segment_refused_after_another_was_taken_makes_the_message_unknown() {
    let world = world_with(&[long_order(1, 2)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    rig.answer(&jobs[0], taken("a"));
    rig.answer(&jobs[1], refused("fail"));
    assert_eq!(rig.said().await, ["1 unknown"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_acked_before_what_comes_before_it_is_answered() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    rig.job().await;
    world.publish(&[order(2)]).await;
    let second = rig.job().await;
    rig.answer(&second, taken("a2"));
    assert_eq!(rig.said().await, ["2 accepted a2"]);
    drop(rig);
    Rig::up(&world, 2).await.assert_silent(10).await;
    let said = world.said().await;
    assert_eq!(
        said,
        ["2 accepted a2", "1 unknown", "2 unknown"],
        "both came again, and neither was sent again"
    );
}

#[tokio::test(start_paused = true)]
async fn the_rate_is_kept() {
    let world = world_with(&(1..=40).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up_with(&world, |settings| settings.rate = Some(10)).await;
    let began = time::now();
    let mut sent = 0;
    while sent < 40 {
        for job in rig.jobs().await {
            sent += 1;
            rig.answer(&job, taken("id"));
        }
    }
    let seconds = time::now().duration_since(began).as_secs_f64();
    assert!((3.8..4.2).contains(&seconds), "{seconds}");
}

#[tokio::test(start_paused = true)]
async fn a_password_goes_before_a_campaign_that_waited_longer() {
    let world = World::new(&["atlas"]).await;
    let of = |id, class| {
        let mut order = order(id);
        order.message.class = class;
        order
    };
    world
        .publish(&[
            of(1, sms::Class::Promotional),
            of(2, sms::Class::Promotional),
            of(3, sms::Class::Otp),
        ])
        .await;
    let mut rig = Rig::down(&world, 1, |settings| settings.window = 1).await;
    settle().await;
    rig.tell(Event::Up);
    let job = rig.job().await;
    assert_eq!(job.ready.order.message.id, order(3).message.id);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_loses_an_answer_costs_no_order() {
    let world = world_with(&[]).await;
    let mut rig = Rig::up(&world, 1).await;
    settle().await;
    world.store_away.store(true, Ordering::Relaxed);
    world.publish(&[order(1)]).await;
    rig.assert_silent(2).await;
    world.store_away.store(false, Ordering::Relaxed);
    let job = rig.job().await;
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

/// The claim of the repeat is tried until the store is back, and what it finds then is the claim of the first.
#[tokio::test(start_paused = true)]
async fn an_answered_order_that_comes_again_while_the_store_is_away_is_no_retry() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"]);
    world.store_away.store(true, Ordering::Relaxed);
    world.publish(&[order(1)]).await;
    rig.assert_silent(2).await;
    world.store_away.store(false, Ordering::Relaxed);
    rig.assert_silent(10).await;
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_once_the_lease_may_have_lapsed() {
    let world = World::new(&["atlas"]).await;
    let mut rig = Rig::up(&world, 1).await;
    settle().await;
    world.store_away.store(true, Ordering::Relaxed);
    world.publish(&[order(1)]).await;
    rig.assert_silent(6).await;
    world.publish(&[order(2)]).await;
    world.store_away.store(false, Ordering::Relaxed);
    let job = rig.job().await;
    assert_eq!(
        job.ready.order.message.id,
        order(2).message.id,
        "claimed under the renewed lease"
    );
    assert_eq!(rig.said().await, ["1 link_down lease_lapsed"]);
}

#[tokio::test(start_paused = true)]
async fn outcomes_wait_for_a_log_that_is_away_and_nothing_is_acked_meanwhile() {
    let world = world_with(&[order(1)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let job = rig.job().await;
    world.bus_away.store(true, Ordering::Relaxed);
    rig.answer(&job, taken("a1"));
    rig.assert_silent(10).await;
    assert_eq!(rig.said().await, [""; 0]);
    world.bus_away.store(false, Ordering::Relaxed);
    rig.assert_silent(3).await;
    assert_eq!(rig.said().await, ["1 accepted a1"]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_no_order_is_put_on_dead_with_its_octets() {
    let world = World::new(&["atlas"]).await;
    let topic = topics::dispatch(&carrier("atlas"), sms::Lane::Normal);
    let garbage = bus::Record::new(1, Bytes::from_static(b"\xFFgarbage"));
    world
        .deps
        .bus
        .publish(&topic, vec![garbage])
        .await
        .unwrap()
        .await
        .unwrap();
    let mut rig = Rig::up(&world, 1).await;
    world.publish(&[order(1)]).await;
    let job = rig.job().await;
    rig.answer(&job, taken("a1"));
    assert_eq!(rig.said().await, ["1 accepted a1"], "the next one is served");
    let dead = world.values(&topics::dead()).await;
    let dead = record::dead_from_bytes(&dead[0]).unwrap();
    assert_eq!(
        (&*dead.octets, dead.topic.as_str()),
        (&b"\xFFgarbage"[..], "signalbox.dispatch.atlas.normal")
    );
}

#[tokio::test(start_paused = true)]
async fn a_stop_claims_nothing_more_and_waits_for_what_is_in_flight() {
    let world = world_with(&(1..=15).map(order).collect::<Vec<_>>()).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    rig.stop.request();
    rig.assert_silent(5).await;
    jobs.iter().for_each(|job| rig.answer(job, taken("id")));
    let close = time::timeout(Duration::from_secs(1), rig.plug.commands.recv()).await;
    assert!(matches!(close, Some(Some(Command::Close))), "{close:?}");
    let Rig { mut pump, plug, .. } = rig;
    drop(plug);
    assert_eq!(pump.join_next().await.unwrap().unwrap(), Abandoned { orders: 0 });
    assert_eq!(world.said().await.len(), 9);
    let mut next = Rig::up(&world, 2).await;
    // The tenth of the first fetch, then what is fetched after it.
    let again = next.jobs().await.len() + next.jobs().await.len();
    assert_eq!(again, 6, "the rest comes again");
}

#[tokio::test(start_paused = true)]
async fn a_drain_past_its_limit_says_how_much_was_left() {
    let world = world_with(&[order(1), order(2)]).await;
    let mut rig = Rig::up(&world, 1).await;
    let jobs = rig.jobs().await;
    rig.answer(&jobs[0], taken("id"));
    rig.stop.request();
    let Rig { mut pump, .. } = rig;
    assert_eq!(pump.join_next().await.unwrap().unwrap(), Abandoned { orders: 1 });
}
