//! Carriers that break the connection in every way there is, over real TCP.

use super::*;

/// What a link says of 30 messages to a carrier whose connections end after 10 of them.
async fn said_of_thirty(behaviour: Behaviour, enquire_link: Duration) -> Vec<String> {
    let config = CarrierConfig {
        behaviour,
        ..CarrierConfig::default()
    };
    let running = Running::start_with(config, |smpp| smpp.enquire_link = enquire_link).await;
    for ids in [1..=10, 11..=20, 21..=30] {
        let known = running.world.said().await.len();
        running.world.publish(&ids.map(order).collect::<Vec<_>>()).await;
        running.said(known + 10).await;
    }
    running.world.said().await
}

fn assert_each_ended_once(said: &[String]) {
    let mut messages: Vec<u32> = said
        .iter()
        .filter_map(|line| line.split(' ').next()?.parse().ok())
        .collect();
    messages.sort_unstable();
    assert_eq!(messages, (1..=30).collect::<Vec<_>>(), "{said:?}");
    // Handed back is what meets a link that takes a second to come back.
    let is_known = |line: &String| {
        ["accepted", "unknown", "link_down"]
            .iter()
            .any(|word| line.contains(word))
    };
    assert!(said.iter().all(is_known), "{said:?}");
}

#[tokio::test]
async fn a_connection_that_stands_and_says_nothing_is_given_up_and_made_anew() {
    let behaviour = Behaviour {
        half_open_after: Some(10),
        ..Behaviour::default()
    };
    let said = said_of_thirty(behaviour, Duration::from_millis(200)).await;
    assert_each_ended_once(&said);
    assert!(said.iter().any(|line| line.ends_with("unknown")), "{said:?}");
}

#[tokio::test]
async fn a_carrier_that_talks_nonsense_costs_the_connection_and_no_message() {
    let behaviour = Behaviour {
        garbage_after: Some(10),
        ..Behaviour::default()
    };
    assert_each_ended_once(&said_of_thirty(behaviour, Duration::from_secs(30)).await);
}

#[tokio::test]
async fn a_carrier_that_reads_slowly_gets_everything() {
    let behaviour = Behaviour {
        read_pause: Duration::from_millis(10),
        ..Behaviour::default()
    };
    let said = said_of_thirty(behaviour, Duration::from_secs(30)).await;
    assert_each_ended_once(&said);
    assert!(said.iter().all(|line| line.contains("accepted")), "{said:?}");
}
