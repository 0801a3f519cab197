//! What waits for a carrier that goes is delivered by another.

use crate::passwords::{self, carrier, delivered, destinations, received, submit};

/// Atlas takes ten a second, so that most wait for it when it is killed in the middle of them.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_that_wait_for_a_killed_carrier_are_delivered_by_the_next() {
    let (atlas, borealis) = (carrier("atlas").await, carrier("borealis").await);
    let mut router = passwords::router(&["atlas", "borealis"]);
    passwords::link(&router, &[("atlas", &atlas, 10), ("borealis", &borealis, 1_000)]);
    let mut client = passwords::start(&mut router).await;
    let ids = submit(&mut client, 300).await;
    received(&atlas, 5).await;
    atlas.kill();
    delivered(&mut client, ids).await;
    let by_borealis = destinations(&borealis).len();
    assert!(by_borealis >= 200, "{by_borealis}");
}

/// Its link and its name in the table are gone when the router comes back: nobody speaks of it any more, and the caretaker
/// hands its queue back.
#[tokio::test(flavor = "multi_thread")]
async fn passwords_that_wait_for_a_carrier_taken_out_are_delivered_by_another() {
    let (atlas, borealis) = (carrier("atlas").await, carrier("borealis").await);
    let mut router = passwords::router(&["atlas"]);
    passwords::link(&router, &[("atlas", &atlas, 1)]);
    let mut client = passwords::start(&mut router).await;
    let ids = submit(&mut client, 200).await;
    received(&atlas, 1).await;
    router.kill();
    passwords::route(&router, &["borealis"]);
    passwords::link(&router, &[("borealis", &borealis, 1_000)]);
    let mut client = passwords::start(&mut router).await;
    delivered(&mut client, ids).await;
    assert!(
        destinations(&borealis).len() >= 150,
        "{}",
        destinations(&borealis).len()
    );
}
