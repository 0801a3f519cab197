//! Inbound messages through the store onto the log: once each, by one process or several, whatever dies.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use service::{Stop, time};
use sms::{Charset, Reference};

use super::*;
use crate::fixture::{World, carrier};

/// A message from `from` to 70001 that says `text` and stands alone.
fn alone(from: &str, text: &str) -> InboundPart {
    InboundPart {
        from: from.into(),
        to: "70001".into(),
        charset: Charset::Gsm7,
        data_coding: 0,
        header: Bytes::new(),
        octets: Bytes::copy_from_slice(text.as_bytes()),
        place: None,
        name: String::new(),
    }
}

/// Part `part` of `total` of the message with reference 9, that says `text`.
fn part(part: u8, total: u8, text: &str) -> InboundPart {
    let place = sms::Concatenation {
        reference: Reference::Short(9),
        total,
        part,
    };
    InboundPart {
        place: Some(place),
        ..alone("447700900001", text)
    }
}

async fn take(inbound: &Inbound, parts: &[InboundPart]) -> Vec<bool> {
    inbound.take(&carrier("atlas").into(), parts, RULES_DEFAULT).await
}

/// What is on the log: the texts, with the numbers of missing parts.
async fn texts(world: &World) -> Vec<(String, Vec<u8>)> {
    let read = |value: &Bytes| {
        let inbound = record::inbound_from_bytes(value).unwrap();
        (inbound.text.unwrap(), inbound.missing)
    };
    world.values(&topics::inbound()).await.iter().map(read).collect()
}

async fn ids(world: &World) -> Vec<sms::MessageId> {
    let values = world.values(&topics::inbound()).await;
    values
        .iter()
        .map(|value| record::inbound_from_bytes(value).unwrap().id)
        .collect()
}

fn whole(text: &str) -> (String, Vec<u8>) {
    (text.to_owned(), Vec::new())
}

#[tokio::test(start_paused = true)]
async fn a_message_sent_again_in_time_is_one_and_later_is_another() {
    let world = World::new(&["atlas"]).await;
    let (here, there) = (Inbound::new(world.deps.clone()), Inbound::new(world.process().deps));
    let stop = alone("447700900001", "STOP");
    assert_eq!(take(&here, &[stop.clone(), stop.clone()]).await, [true, true]);
    time::sleep(REPEATS_DEFAULT - Duration::from_secs(1)).await;
    assert_eq!(
        take(&there, std::slice::from_ref(&stop)).await,
        [true],
        "over another bind"
    );
    assert_eq!(texts(&world).await, [whole("STOP")]);
    let others = [alone("447700900002", "STOP"), alone("447700900001", "STOP!")];
    assert_eq!(take(&there, &others).await, [true, true], "others are others");
    time::sleep(Duration::from_secs(2)).await;
    assert_eq!(take(&there, &[stop]).await, [true]);
    assert_eq!(
        texts(&world).await,
        [whole("STOP"), whole("STOP"), whole("STOP!"), whole("STOP")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_message_the_carrier_names_is_one_for_a_day() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    let named = |name: &str| InboundPart {
        name: name.into(),
        ..alone("447700900001", "1")
    };
    take(&inbound, &[named("a"), named("b")]).await;
    time::sleep(Duration::from_secs(23 * 3_600)).await;
    assert_eq!(take(&inbound, &[named("a")]).await, [true]);
    assert_eq!(texts(&world).await, [whole("1"), whole("1")]);
}

#[tokio::test(start_paused = true)]
async fn parts_that_come_by_two_processes_doubled_and_out_of_order_are_one_message() {
    let world = World::new(&["atlas"]).await;
    let (here, there) = (Inbound::new(world.deps.clone()), Inbound::new(world.process().deps));
    assert_eq!(take(&here, &[part(3, 3, "three")]).await, [true]);
    assert_eq!(
        take(&there, &[part(1, 3, "one "), part(3, 3, "three")]).await,
        [true, true]
    );
    assert_eq!(texts(&world).await, []);
    assert_eq!(
        take(&here, &[part(2, 3, "two "), part(2, 3, "two ")]).await,
        [true, true]
    );
    assert_eq!(take(&there, &[part(1, 3, "one ")]).await, [true]);
    assert_eq!(texts(&world).await, [whole("one two three")]);
}

#[tokio::test(start_paused = true)]
async fn what_came_over_a_shared_link_names_all_of_its_carriers() {
    let world = World::new(&["atlas", "cirrus"]).await;
    let carriers = Carriers::new([carrier("cirrus"), carrier("atlas")]).unwrap();
    let (here, there) = (Inbound::new(world.deps.clone()), Inbound::new(world.process().deps));
    let whole = [alone("447700900002", "x")];
    assert_eq!(here.take(&carriers, &whole, RULES_DEFAULT).await, [true]);
    // Who completes it has the carriers from the link, and who finds it in the store from what is kept there.
    assert_eq!(here.take(&carriers, &[part(1, 2, "a")], RULES_DEFAULT).await, [true]);
    assert_eq!(there.take(&carriers, &[part(2, 2, "b")], RULES_DEFAULT).await, [true]);
    let values = world.values(&topics::inbound()).await;
    let read = |value: &Bytes| record::inbound_from_bytes(value).unwrap().carriers;
    assert_eq!(
        values.iter().map(read).collect::<Vec<_>>(),
        [carriers.clone(), carriers]
    );
}

/// Both fold their part into the same state at once; one of them is told of the other's and folds again.
#[tokio::test(start_paused = true)]
async fn parts_that_come_at_one_moment_to_two_processes_are_one_message() {
    let world = World::new(&["atlas"]).await;
    let (here, there) = (Inbound::new(world.deps.clone()), Inbound::new(world.process().deps));
    let (odd, even) = ([part(1, 4, "a"), part(3, 4, "c")], [part(2, 4, "b"), part(4, 4, "d")]);
    let (first, second) = futures::join!(take(&here, &odd), take(&there, &even));
    assert_eq!((first, second), (vec![true; 2], vec![true; 2]));
    assert_eq!(texts(&world).await, [whole("abcd")]);
}

#[tokio::test(start_paused = true)]
async fn parts_of_a_dead_process_are_published_in_time_as_incomplete() {
    let world = World::new(&["atlas"]).await;
    {
        let dead = Inbound::new(world.process().deps);
        assert_eq!(take(&dead, &[part(2, 4, "b"), part(4, 4, "d")]).await, [true, true]);
    }
    let (stop, stopped) = Stop::new();
    let mut tasks = service::Tasks::new();
    for process in [world.deps.clone(), world.process().deps] {
        tasks.spawn(Inbound::new(process).keep(stopped.clone()));
    }
    time::sleep(PARTS_WITHIN_DEFAULT - Duration::from_secs(1)).await;
    assert_eq!(texts(&world).await, []);
    time::sleep(Duration::from_secs(5)).await;
    assert_eq!(
        texts(&world).await,
        [("bd".to_owned(), vec![1, 3])],
        "once, though two look"
    );
    stop.request();
    tasks.join_all().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_answered_before_it_is_safe_and_what_was_not_is_one_message_all_the_same() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    world.store_away.store(true, Ordering::Relaxed);
    assert_eq!(take(&inbound, &[alone("447700900001", "a")]).await, [false]);
    world.store_away.store(false, Ordering::Relaxed);
    world.bus_away.store(true, Ordering::Relaxed);
    assert_eq!(take(&inbound, &[alone("447700900001", "a")]).await, [false]);
    assert_eq!(
        take(&inbound, &[part(1, 2, "x"), part(2, 2, "y")]).await,
        [false, false]
    );
    world.bus_away.store(false, Ordering::Relaxed);
    time::sleep(GATHER_SETTLES).await;
    assert_eq!(take(&inbound, &[alone("447700900001", "a")]).await, [true]);
    inbound.look().await.unwrap();
    assert_eq!(take(&inbound, &[part(2, 2, "y"), part(1, 2, "x")]).await, [true, true]);
    assert_eq!(texts(&world).await, [whole("a"), whole("xy")]);
}

/// The process dies between the log and its note that the message is there: it is published again under the same id.
#[tokio::test(start_paused = true)]
async fn what_was_published_and_not_noted_keeps_its_id() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    take(&inbound, &[part(1, 2, "x")]).await;
    let now = world.deps.clock.now();
    let key = keys::inbound(&carrier("atlas"), name::of(&part(1, 2, "x"), false));
    let found = world
        .deps
        .store
        .get(vec![key.clone()])
        .await
        .unwrap()
        .remove(0)
        .unwrap();
    let (closing, message) = read(&found.value).unwrap().close(now).unwrap();
    let op = write(&key, Some(found.version), &closing);
    let (_, commit) = world.deps.store.apply(vec![op]).await.unwrap();
    assert!(inbound.publish([&*message].into_iter(), commit).await.unwrap());
    inbound.look().await.unwrap();
    assert_eq!(ids(&world).await.len(), 1, "whoever is at it is left alone");
    time::sleep(GATHER_SETTLES + Duration::from_secs(1)).await;
    inbound.look().await.unwrap();
    inbound.look().await.unwrap();
    assert_eq!(ids(&world).await, [message.id, message.id]);
}

#[tokio::test(start_paused = true)]
async fn a_reference_used_again_begins_another_message() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    let parts = [part(1, 2, "old"), part(1, 2, "new "), part(2, 2, "one")];
    assert_eq!(take(&inbound, &parts).await, [true, true, true]);
    assert_eq!(texts(&world).await, [("old".to_owned(), vec![2]), whole("new one")]);
}

#[tokio::test(start_paused = true)]
async fn a_part_too_large_to_be_kept_is_published_by_itself() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    let large = "x".repeat(PART_OCTETS_MAX + 1);
    assert_eq!(take(&inbound, &[part(2, 3, &large)]).await, [true]);
    assert_eq!(texts(&world).await, [(large, vec![1, 3])]);
}

#[tokio::test(start_paused = true)]
async fn a_message_of_255_parts_is_joined() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    let text = |number: u8| format!("{number:03}").repeat(50);
    let mut parts: Vec<InboundPart> = (1..=u8::MAX)
        .map(|number| part(number, u8::MAX, &text(number)))
        .collect();
    parts.reverse();
    for parts in parts.chunks(20) {
        assert!(take(&inbound, parts).await.into_iter().all(|is_safe| is_safe));
    }
    let joined: String = (1..=u8::MAX).map(text).collect();
    assert_eq!(texts(&world).await, [whole(&joined)]);
}

#[tokio::test(start_paused = true)]
async fn senders_that_announce_parts_which_never_come_take_no_more_room_than_the_limit() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    let waiting_max = 1_000;
    let senders = waiting_max + 10;
    let parts: Vec<InboundPart> = (0..senders)
        .map(|sender| InboundPart {
            from: format!("4477{sender:08}"),
            ..part(1, 255, "x")
        })
        .collect();
    for parts in parts.chunks(500) {
        assert!(
            inbound
                .take(
                    &carrier("atlas").into(),
                    parts,
                    InboundRules {
                        waiting_max,
                        ..RULES_DEFAULT
                    }
                )
                .await
                .into_iter()
                .all(|is_safe| is_safe),
            "none is asked for again"
        );
        time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(inbound.open.lock().unwrap().len(), waiting_max);
    let published = texts(&world).await;
    assert_eq!(
        (published.len(), published[0].1.len()),
        (10, 254),
        "the oldest made room"
    );
}

#[tokio::test(start_paused = true)]
async fn an_empty_text_is_a_message_and_octets_are_kept_as_they_are() {
    let world = World::new(&["atlas"]).await;
    let inbound = Inbound::new(world.deps.clone());
    let octets = InboundPart {
        charset: Charset::Octets,
        octets: Bytes::from_static(&[0, 0x80, 0xFF]),
        ..alone("447700900001", "")
    };
    assert_eq!(take(&inbound, &[alone("447700900001", ""), octets]).await, [true, true]);
    let values = world.values(&topics::inbound()).await;
    let read: Vec<_> = values
        .iter()
        .map(|value| record::inbound_from_bytes(value).unwrap())
        .collect();
    assert_eq!((read[0].text.as_deref(), read[0].octets.len()), (Some(""), 0));
    assert_eq!(
        (read[1].text.as_deref(), &read[1].octets[..]),
        (None, &[0, 0x80, 0xFF][..])
    );
}
