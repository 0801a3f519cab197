//! Carriers that cannot be reached, refuse who we are, or want to be left alone.

use tokio::net::TcpListener;

use super::{carrier::with_header, *};

impl Rig {
    /// Waits until the link says that it is down, and why.
    async fn down(&mut self) -> String {
        loop {
            if let Event::Down { reason } = self.event().await {
                return reason;
            }
        }
    }

    async fn up(&mut self) {
        while !matches!(self.event().await, Event::Up) {}
    }
}

/// An address at which nobody listens now.
async fn nowhere() -> std::net::SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_carrier_that_cannot_be_reached_is_down_until_it_can_and_nothing_was_sent() {
    let address = nowhere().await;
    let mut rig = Rig::start(&link(LINK, address)).await;
    assert_eq!(rig.one().await, "1 unsent no_link");
    rig.submit(vec![job(2), job(3)]);
    assert!(rig.down().await.contains("refused"));
    let carrier = Carrier::on(TcpListener::bind(address).await.unwrap(), |_| {
        json("200 OK", r#"{"id":"m-1"}"#)
    });
    rig.up().await;
    assert!(carrier.requests().is_empty(), "knocking asks nothing");
    assert_eq!(rig.one().await, "1 taken m-1");
}

#[tokio::test]
async fn while_it_is_down_nothing_is_tried() {
    let text = LINK.replace(
        "reconnect_min = \"100ms\"\nreconnect_max = \"200ms\"",
        "reconnect_min = \"10m\"\nreconnect_max = \"10m\"",
    );
    let address = nowhere().await;
    let mut rig = Rig::start(&link(&text, address)).await;
    rig.submit(vec![job(1), job(2), job(3)]);
    rig.down().await;
    let carrier = Carrier::on(TcpListener::bind(address).await.unwrap(), |_| {
        json("200 OK", r#"{"id":"m-1"}"#)
    });
    assert_eq!(rig.one().await, "1 unsent no_link");
    assert!(carrier.requests().is_empty());
}

#[tokio::test]
async fn refused_credentials_cost_a_pause_and_not_an_account() {
    let carrier = Carrier::start(|_| json("401 Unauthorized", r#"{"why":"bad token-of-the-test"}"#)).await;
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    rig.submit(vec![job(1)]);
    let refused = "1 link_down as bind_refused (HTTP 401: a text that repeats a secret)";
    assert_eq!(rig.answers().await, [refused], "the answer comes before the news");
    let reason = rig.down().await;
    assert!(
        reason.contains("refuses our credentials") && !reason.contains("token-of-the-test"),
        "{reason}"
    );
    assert_eq!(rig.one().await, "1 unsent no_link");
    rig.up().await;
    assert_eq!(carrier.requests().len(), 1, "it was asked once in all that time");
    rig.submit(vec![job(2)]);
    rig.down().await;
    assert_eq!(carrier.requests().len(), 2);
}

#[tokio::test]
async fn a_link_may_take_a_status_for_something_else() {
    let carrier = Carrier::start(|_| json("403 Forbidden", "{}")).await;
    let text = format!("{LINK}outcomes = {{ 403 = \"next as not_permitted\" }}\n");
    let mut rig = Rig::start(&link(&text, carrier.address)).await;
    assert_eq!(rig.one().await, "1 next as not_permitted (HTTP 403)");
    assert_eq!(rig.one().await, "1 next as not_permitted (HTTP 403)");
}

#[tokio::test]
async fn a_carrier_that_wants_to_be_left_alone_is() {
    let answer = with_header("429 Too Many Requests", "retry-after: 3600\r\n", "{}");
    let carrier = Carrier::start(move |_| answer.clone()).await;
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    for _ in 0..3 {
        assert_eq!(rig.one().await, "1 hold as throttled (HTTP 429)");
    }
    assert_eq!(carrier.requests().len(), 1, "the others did not reach it");
}

#[tokio::test]
async fn without_a_wish_each_message_is_asked_for() {
    let carrier = Carrier::start(|_| json("429 Too Many Requests", "{}")).await;
    let mut rig = Rig::start(&link(LINK, carrier.address)).await;
    for _ in 0..3 {
        assert_eq!(rig.one().await, "1 hold as throttled (HTTP 429)");
    }
    assert_eq!(carrier.requests().len(), 3);
}
