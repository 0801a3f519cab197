//! Random carriers, random deaths of the router, random repeats and tables: every message ends exactly once.

use std::time::Duration;

use journey::{CODE_DEADLINE, Order, Outcome};
use sms::{Class, Message, ReceiptFault, ReceiptState, UnixMs};

use super::world::{World, cause, link_down, next, table};

/// What a carrier will say, and when.
struct Later {
    at: UnixMs,
    order: Order,
    outcome: Option<Outcome>,
    receipt: Option<(ReceiptState, ReceiptFault)>,
}

/// Plays 40 worlds of 12 messages; a failure names its seed.
#[tokio::test(start_paused = true)]
async fn every_message_ends_exactly_once_in_any_world() {
    let only = std::env::var("SIM_SEED").ok().map(|seed| seed.parse().unwrap());
    for seed in only.map_or(1..41, |seed: u64| seed..seed + 1) {
        let silence = if seed % 2 == 0 { ", receipt_within = \"8s\"" } else { "" };
        let mut world = World::slow("a b c", silence, seed).await;
        play(&mut world, seed).await;
    }
}

async fn play(world: &mut World, seed: u64) {
    let mut messages: Vec<Message> = Vec::new();
    let mut later: Vec<Later> = Vec::new();
    for second in 0..760_u64 {
        if second < 12 {
            let class = Class::ALL[world.deps.dice.below(3) as usize];
            let ttl = 5 + world.deps.dice.below(40);
            let message = world.message(class, ttl);
            world.accept(&message).await;
            messages.push(message);
        }
        if second < 80 {
            disturb(world, &messages).await;
        }
        for carrier in ["a", "b", "c"] {
            while let Some(order) = world.order(carrier).await {
                later.extend(say(world, order));
            }
        }
        let now = world.deps.clock.now();
        for due in later.extract_if(.., |later| later.at <= now).collect::<Vec<_>>() {
            if let Some(outcome) = due.outcome {
                world.answer(&due.order, outcome).await;
            }
            if let Some((state, fault)) = due.receipt {
                world.receipt(&due.order, state, fault).await;
            }
        }
        world.pass(1_000).await;
    }
    for message in &messages {
        let ended = world.ended(message).await;
        assert!(ended.is_some(), "seed {seed}: {message:?} has not ended");
    }
}

/// Kills the router, repeats an input, or replaces the table.
async fn disturb(world: &mut World, messages: &[Message]) {
    match world.deps.dice.below(8) {
        0 | 3 => {
            world.pass(world.deps.dice.below(40)).await;
            world.crash().await;
        }
        1 => {
            let message = &messages[world.deps.dice.below(messages.len() as u64) as usize];
            world.accept(message).await;
        }
        2 => {
            let defaults = [
                ", max_price = \"0.01\"",
                ", attempts = 2",
                ", attempts = 5, receipt_within = \"5s\"",
            ];
            let carriers = ["a b c", "c a", "b c a"];
            let (one, two) = (world.deps.dice.below(3) as usize, world.deps.dice.below(3) as usize);
            world.table.replace(table(carriers[one], defaults[two]));
        }
        _ => {}
    }
}

/// What becomes of an order.
fn say(world: &World, order: Order) -> Vec<Later> {
    let dice = &world.deps.dice;
    let now = world.deps.clock.now();
    let mut at = now;
    let mut said = Vec::new();
    let taken = || Outcome::Accepted {
        remote_ids: vec![format!("{}-{}", order.message.id, order.number.0)],
    };
    let outcomes = match dice.below(12) {
        _ if now >= order.terms.deadline => vec![next(CODE_DEADLINE)],
        0 => vec![next("refused")],
        1 => vec![Outcome::Fail {
            cause: cause("bad_number"),
        }],
        2 => vec![link_down()],
        3 => vec![Outcome::Hold {
            retry_after: Duration::from_secs(2 + dice.below(8)),
            cause: cause("throttled"),
        }],
        4 => vec![Outcome::Unknown { since: now }],
        5 => vec![Outcome::Unknown { since: now }, taken()],
        6 => vec![taken(), taken()],
        _ => vec![taken()],
    };
    let may_be_sent = outcomes
        .iter()
        .any(|outcome| matches!(outcome.as_str(), "accepted" | "unknown"));
    for outcome in outcomes {
        at = at + Duration::from_millis(dice.below(4_000));
        said.push(Later {
            at,
            order: order.clone(),
            outcome: Some(outcome),
            receipt: None,
        });
    }
    let receipt = match dice.below(10) {
        0 => Some((ReceiptState::Undeliverable, ReceiptFault::Route)),
        1 => Some((ReceiptState::Undeliverable, ReceiptFault::Handset)),
        2 => Some((ReceiptState::Unknown, ReceiptFault::Handset)),
        3 => None,
        _ => Some((ReceiptState::Delivered, ReceiptFault::Handset)),
    };
    if may_be_sent && receipt.is_some() {
        // Some receipts overtake the answer.
        let at = now + Duration::from_millis(dice.below(15_000));
        said.push(Later {
            at,
            order,
            outcome: None,
            receipt,
        });
    }
    said
}
