//! What is refused, and what the caller is told.

use prost_types::Timestamp;
use signalbox_proto::pb::signalbox::routing::v1 as pb;
use tonic::Code;

use crate::rig::{Rig, query, reason, table, violations};

fn asking(queries: Vec<pb::Query>) -> pb::ExplainRequest {
    pb::ExplainRequest {
        queries,
        with_json: true,
        with_tree: true,
    }
}

#[tokio::test]
async fn every_bad_query_is_named_with_its_field() {
    let rig = Rig::start(table(&["a"])).await;
    let good = || query("33612345678");
    let moment = |seconds, nanos| pb::Query {
        at: Some(Timestamp { seconds, nanos }),
        ..good()
    };
    let queries = vec![
        good(),
        query("+33x"),
        pb::Query { class: 9, ..good() },
        pb::Query { encoding: -1, ..good() },
        pb::Query {
            segments: Some(256),
            ..good()
        },
        pb::Query {
            segments: Some(1),
            text: Some(String::new()),
            ..good()
        },
        pb::Query {
            text: Some("x".repeat(4_001)),
            ..good()
        },
        pb::Query {
            account: "x".repeat(257),
            ..good()
        },
        pb::Query {
            network: "2080".to_owned(),
            ..good()
        },
        moment(-1, 0),
        moment(253_402_300_800, 0),
        moment(0, 1_000_000_000),
    ];
    let status = rig.client().await.explain(asking(queries)).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::InvalidArgument, "INVALID_FIELD")
    );
    let wanted = [
        (
            "queries[1].to",
            "number contains 'x', allowed are digits after an optional leading +",
        ),
        ("queries[2].class", "is 9, known are 0 to 3"),
        ("queries[3].encoding", "is -1, known are 0 to 3"),
        ("queries[4].segments", "is 256, allowed are 1 to 255"),
        (
            "queries[5].text",
            "stands beside segments, which follows from the text: give one of them",
        ),
        ("queries[6].text", "has 4001 octets, the limit is 4000"),
        ("queries[7].account", "has 257 octets, the limit is 256"),
        ("queries[8].network", ""),
        ("queries[9].at", "has -1 seconds, allowed are 0 to 253402300799"),
        (
            "queries[10].at",
            "has 253402300800 seconds, allowed are 0 to 253402300799",
        ),
        ("queries[11].at", "has 1000000000 nanos, allowed are 0 to 999999999"),
    ];
    let found = violations(&status);
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
    for ((field, what), (wanted_field, wanted_what)) in found.iter().zip(wanted) {
        assert_eq!(field, wanted_field);
        assert!(wanted_what.is_empty() || what == wanted_what, "{field}: {what}");
    }
}

#[tokio::test]
async fn a_quote_needs_a_number_or_a_network() {
    let rig = Rig::start(table(&["a"])).await;
    let queries = vec![pb::Query::default()];
    let status = rig
        .client()
        .await
        .quote(pb::QuoteRequest { queries })
        .await
        .unwrap_err();
    assert_eq!(violations(&status)[0].0, "queries[0].to");
}

#[tokio::test]
async fn one_to_a_hundred_queries_are_answered() {
    let rig = Rig::start(table(&["a"])).await;
    let mut client = rig.client().await;
    let all = |count| asking(vec![query("33612345678"); count]);
    for count in [0, router::QUERIES_MAX + 1] {
        let status = client.explain(all(count)).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::InvalidArgument, "QUERY_COUNT")
        );
        let what = format!("has {count} entries, allowed are 1 to 100");
        assert_eq!(violations(&status), [("queries".to_owned(), what)]);
    }
    let answers = client
        .explain(all(router::QUERIES_MAX))
        .await
        .unwrap()
        .into_inner()
        .explanations;
    assert_eq!(answers.len(), router::QUERIES_MAX);
}

#[tokio::test]
async fn an_answer_too_long_for_one_response_is_refused_and_half_of_it_is_not() {
    let names: Vec<String> = (0..600).map(|index| format!("carrier-{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rig = Rig::start(table(&names)).await;
    let mut client = rig.client().await;
    let all = |count| asking(vec![query("33612345678"); count]);
    let status = client.explain(all(100)).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::ResourceExhausted, "RESPONSE_SIZE")
    );
    client.explain(all(40)).await.unwrap();
}

#[tokio::test]
async fn a_request_over_the_limit_is_refused_before_it_is_read() {
    let rig = Rig::start(table(&["a"])).await;
    let long = pb::Query {
        text: Some("x".repeat(router::REQUEST_OCTETS_MAX)),
        ..query("33612345678")
    };
    let status = rig.client().await.explain(asking(vec![long])).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
}
