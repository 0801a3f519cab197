//! What policies do to a message on its way: another recipient, another text, copies.

use journey::EndState;
use signalbox_proto::{record, topics};
use sms::{Class, Content, Lane, Message};
use table::Table;

use super::world::{World, next, table_with};

/// Copies passwords to an auditor and to the sender's own desk.
const COPIES: &str = "[[policy]]\nname = \"audit\"\nmatch = { class = \"otp\" }\n\
                      copy = { to = [\"+33639989901\", \"+33639989902\"] }\n";

fn acting(policies: &str) -> Table {
    table_with("a b", "", policies)
}

/// All messages accepted so far that are copies, by number.
async fn copies(world: &World) -> Vec<Message> {
    let values = world.values(&topics::accepted(Lane::Urgent)).await;
    let messages = values.iter().map(|value| record::accepted_from_bytes(value).unwrap());
    let mut copies: Vec<_> = messages.filter(|message| message.copy_of.is_some()).collect();
    copies.sort_by(|one, other| one.to.digits().cmp(other.to.digits()));
    copies
}

#[tokio::test(start_paused = true)]
async fn a_carrier_sees_the_recipient_and_the_text_that_a_policy_set() {
    let mut world = World::new("a b", "").await;
    let rewrite = "[[policy]]\nname = \"to-the-desk\"\n\
                   rewrite = { recipient = \"+33639989900\", text = \"déjà vu: Ω\" }\n";
    world.table.replace(acting(rewrite));
    let message = world.accepted().await;
    let order = world.order("a").await.unwrap();
    assert_eq!(order.message, message, "the message stays as asked");
    assert_eq!(order.to().digits(), "33639989900");
    let (content, encoding, segments) = order.content();
    assert_eq!(content, &Content::Text("déjà vu: Ω".to_owned()));
    assert_eq!(
        (encoding, segments),
        (sms::count(content).encoding, sms::count(content).segments)
    );
    // Each attempt decides anew from the message as asked.
    world.table.replace(acting(""));
    world.answer(&order, next("refused")).await;
    let order = world.order("b").await.unwrap();
    assert_eq!((order.to(), order.content().0), (&message.to, &message.content));
}

#[tokio::test(start_paused = true)]
async fn a_message_is_copied_with_its_first_order_and_a_copy_is_not() {
    let mut world = World::new("a b", "").await;
    world.table.replace(acting(COPIES));
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    let order = world.order("a").await.unwrap();
    world.answer(&order, next("refused")).await;
    world.pass(200).await;
    let copies = copies(&world).await;
    let numbers: Vec<_> = copies.iter().map(|copy| copy.to.digits()).collect();
    assert_eq!(numbers, ["33639989901", "33639989902"]);
    assert!(copies.iter().all(|copy| copy.copy_of == Some(message.id)));
}

/// Delivers the message again, before and after its copies were taken by a carrier.
#[tokio::test(start_paused = true)]
async fn a_message_delivered_again_is_copied_once() {
    let mut world = World::new("a", "").await;
    world.table.replace(table_with("a", "", COPIES));
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    world.accept(&message).await;
    let mut sent = Vec::new();
    for _ in 0..12 {
        if let Some(order) = world.order("a").await {
            world.takes(&order, &format!("x{}", sent.len())).await;
            sent.push(order);
        }
    }
    world.accept(&message).await;
    for _ in 0..6 {
        assert_eq!(world.order("a").await, None, "claims know what was sent");
    }
    let mut numbers: Vec<_> = sent.iter().map(|order| order.to().digits().to_owned()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, ["33639980001", "33639989901", "33639989902"]);
}

#[tokio::test(start_paused = true)]
async fn what_becomes_of_a_copy_leaves_the_original_alone() {
    let mut world = World::new("a", "").await;
    world.table.replace(table_with("a", "", COPIES));
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    for _ in 0..3 {
        let order = world.order("a").await.unwrap();
        match order.message.copy_of {
            None => {
                world.takes(&order, "x").await;
                world.delivered(&order).await;
            }
            Some(_) => {
                let fail = journey::Outcome::Fail {
                    cause: super::world::cause("barred"),
                };
                world.answer(&order, fail).await;
            }
        }
    }
    assert_eq!(world.ended(&message).await.unwrap().state, EndState::Delivered);
    for copy in copies(&world).await {
        let ended = world.ended(&copy).await.unwrap();
        assert_eq!(
            (ended.state, ended.message.copy_of),
            (EndState::Failed, Some(message.id))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_without_a_route_is_not_copied() {
    let world = &mut World::new("a", "").await;
    let rejects = format!("{COPIES}[[policy]]\nname = \"no\"\nreject = \"not today\"\n");
    world.table.replace(table_with("a", "", &rejects));
    let message = world.message(Class::Otp, 60);
    world.accept(&message).await;
    assert_eq!(world.end(&message).await.unwrap().0, EndState::Rejected);
    assert_eq!(copies(world).await, []);
}
