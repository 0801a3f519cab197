//! What is answered: the library's own words, for the table in force and the carriers as they stand.

use std::time::Duration;

use journey::LinkState;
use prost_types::Timestamp;
use signalbox_proto::pb::signalbox::{
    routing::v1 as pb,
    sms::v1::{Encoding, MessageClass},
};
use sms::UnixMs;
use table::{Asked, Request};

use crate::rig::{Rig, query, table};

/// 2026-11-21T12:00:00.500Z.
const AT: UnixMs = UnixMs(1_795_262_400_500);

fn at() -> Option<Timestamp> {
    Some(Timestamp {
        seconds: 1_795_262_400,
        nanos: 500_000_000,
    })
}

/// Queries of every kind, and the same as the command line has them.
fn queries() -> Vec<(pb::Query, Asked)> {
    let base = || pb::Query {
        at: at(),
        ..query("+33612345678")
    };
    let asked = || Request {
        to: "+33612345678".to_owned(),
        ..Request::default()
    };
    let all = [
        (base(), asked()),
        (
            pb::Query {
                from: "Me".to_owned(),
                account: "acme".to_owned(),
                class: MessageClass::Otp.into(),
                text: Some("a long text ".repeat(20)),
                roll: 7,
                ..base()
            },
            Request {
                from: Some("Me".to_owned()),
                account: Some("acme".to_owned()),
                class: Some("otp".to_owned()),
                text: Some("a long text ".repeat(20)),
                roll: Some(7),
                ..asked()
            },
        ),
        (
            pb::Query {
                class: MessageClass::Promotional.into(),
                ..base()
            },
            Request {
                class: Some("promotional".to_owned()),
                ..asked()
            },
        ),
        (
            pb::Query {
                segments: Some(3),
                encoding: Encoding::Ucs2.into(),
                network: "20810".to_owned(),
                ported: Some(true),
                ..base()
            },
            Request {
                segments: Some(3),
                encoding: Some("ucs2".to_owned()),
                network: Some("20810".to_owned()),
                ported: Some(true),
                ..asked()
            },
        ),
        (
            pb::Query {
                at: at(),
                ..query("33600000001")
            },
            Request {
                to: "33600000001".to_owned(),
                ..Request::default()
            },
        ),
        (
            pb::Query {
                at: at(),
                ..query("4915100000")
            },
            Request {
                to: "4915100000".to_owned(),
                ..Request::default()
            },
        ),
    ];
    all.map(|(query, request)| (query, request.resolve(AT).unwrap())).into()
}

async fn explain(rig: &Rig, queries: Vec<pb::Query>) -> Vec<pb::Explanation> {
    let request = pb::ExplainRequest {
        queries,
        with_json: true,
        with_tree: true,
    };
    rig.client()
        .await
        .explain(request)
        .await
        .unwrap()
        .into_inner()
        .explanations
}

#[tokio::test]
async fn an_explanation_is_the_librarys_octet_for_octet() {
    let rig = Rig::start(table(&["a", "b", "c"])).await;
    let (queries, asked): (Vec<_>, Vec<_>) = queries().into_iter().unzip();
    let answers = explain(&rig, queries).await;
    assert_eq!(answers.len(), asked.len());
    for (answer, asked) in answers.iter().zip(&asked) {
        let wanted = rig.table.snapshot().explain(&asked.query());
        assert_eq!(answer.json, serde_json::to_string(&wanted).unwrap());
        assert_eq!(answer.tree, wanted.to_string());
    }
}

#[tokio::test]
async fn its_fields_say_what_its_json_says() {
    let rig = Rig::start(table(&["a", "b", "c"])).await;
    let (queries, _): (Vec<_>, Vec<_>) = queries().into_iter().unzip();
    for answer in explain(&rig, queries).await {
        let json: serde_json::Value = serde_json::from_str(&answer.json).unwrap();
        assert_eq!(as_json(&answer), json);
    }
}

/// The typed fields of `answer`, put together as the JSON is.
fn as_json(answer: &pb::Explanation) -> serde_json::Value {
    let word = |name: &str, prefix: &str| name.strip_prefix(prefix).unwrap().to_lowercase();
    let network = answer.network.as_ref().map(|network| {
        serde_json::json!({
            "mcc": network.mcc, "mnc": network.mnc, "country": network.country, "operator": network.operator,
            "source": word(network.source().as_str_name(), "NETWORK_SOURCE_"), "ported": network.ported,
        })
    });
    let candidates = answer.candidates.iter().map(|one| {
        serde_json::json!({
            "carrier": one.carrier, "verdict": word(one.verdict().as_str_name(), "VERDICT_"), "rank": one.rank,
            "reason": one.reason, "price": one.price, "currency": one.currency, "cost": one.cost, "from": one.from,
        })
    });
    assert_eq!(answer.at, at());
    assert_eq!(answer.currency, "EUR");
    let rewritten = answer.rewritten.as_ref().unwrap();
    let mut json = serde_json::json!({
        "to": answer.to, "from": answer.from, "account": answer.account,
        "class": word(answer.class().as_str_name(), "MESSAGE_CLASS_"),
        "encoding": word(answer.encoding().as_str_name(), "ENCODING_"),
        "segments": answer.segments, "at": "2026-11-21T12:00:00.500Z", "table": answer.table_version,
        "network": network, "policies": answer.policies, "policy": answer.policy,
        "action": word(answer.action().as_str_name(), "ACTION_"), "reason": answer.reason,
        "rewritten": { "to": rewritten.to, "from": rewritten.from, "text": rewritten.text },
        "copies": answer.copies, "tags": answer.tags, "candidates": candidates.collect::<Vec<_>>(),
    });
    if let Some(stake) = &answer.lookup {
        assert_eq!(answer.class(), MessageClass::Otp);
        json["lookup"] = serde_json::json!({
            "basis": stake.basis, "networks": stake.networks, "can_change": stake.can_change,
            "saving_max": stake.saving_max, "saving_mean": stake.saving_mean, "submit": stake.submit,
        });
    }
    json
}

#[tokio::test]
async fn json_and_tree_come_only_when_asked_for() {
    let rig = Rig::start(table(&["a"])).await;
    let request = pb::ExplainRequest {
        queries: vec![query("33612345678")],
        ..pb::ExplainRequest::default()
    };
    let answers = rig
        .client()
        .await
        .explain(request)
        .await
        .unwrap()
        .into_inner()
        .explanations;
    assert_eq!((answers[0].json.as_str(), answers[0].tree.as_str()), ("", ""));
    assert_eq!(answers[0].candidates.len(), 1);
}

#[tokio::test]
async fn a_carrier_whose_link_went_down_shows() {
    let rig = Rig::start(table(&["a", "b"])).await;
    rig.take_down("a", "b").await;
    let answer = explain(&rig, vec![query("33612345678")]).await.remove(0);
    let shown: Vec<_> = answer
        .candidates
        .iter()
        .map(|one| (one.carrier.as_str(), one.verdict(), one.reason.as_deref()))
        .collect();
    let wanted = [
        ("b", pb::Verdict::Selected, None),
        ("a", pb::Verdict::Refused, Some("circuit_open")),
    ];
    assert_eq!(shown, wanted);
    let request = pb::QuoteRequest {
        queries: vec![query("33612345678")],
    };
    let quote = rig
        .client()
        .await
        .quote(request)
        .await
        .unwrap()
        .into_inner()
        .quotes
        .remove(0);
    let down = pb::Refused {
        carrier: "a".to_owned(),
        reason: "circuit_open".to_owned(),
    };
    assert_eq!(
        (quote.offer.unwrap().carrier.as_str(), &quote.refused[..]),
        ("b", &[down][..])
    );
}

#[tokio::test]
async fn a_carrier_that_is_not_surely_down_is_asked_where_nobody_else_is_left() {
    let rig = Rig::start(table(&["a", "b"])).await;
    rig.take_down("a", "b").await;
    rig.table.replace(table(&["a"]));
    let answer = explain(&rig, vec![query("33612345678")]).await.remove(0);
    assert_eq!(
        (answer.action(), answer.candidates[0].verdict()),
        (pb::Action::Route, pb::Verdict::Selected)
    );
}

#[tokio::test]
async fn what_connectors_said_before_the_start_is_known_to_the_first_question() {
    let rig = Rig::start_after(
        table(&["a", "b"]),
        &[("a", LinkState::Down, None), ("b", LinkState::Up, None)],
    )
    .await;
    let answer = explain(&rig, vec![query("33612345678")]).await.remove(0);
    assert_eq!(answer.candidates[0].carrier, "b");
    assert_eq!(answer.candidates[1].reason.as_deref(), Some("circuit_open"));
    rig.table.replace(table(&["a"]));
    let answer = explain(&rig, vec![query("33612345678")]).await.remove(0);
    assert_eq!(
        (answer.action(), answer.reason.as_deref()),
        (pb::Action::Wait, Some("circuit_open"))
    );
}

#[tokio::test]
async fn a_carrier_with_too_long_a_queue_is_saturated() {
    let wait = Some(Duration::from_secs(3));
    let rig = Rig::start_after(
        table(&["a", "b"]),
        &[("a", LinkState::Up, wait), ("b", LinkState::Up, None)],
    )
    .await;
    let of = |class: MessageClass| pb::Query {
        class: class.into(),
        ..query("33612345678")
    };
    let queries = vec![of(MessageClass::Otp), of(MessageClass::Transactional)];
    let answers = explain(&rig, queries).await;
    // A password waits two seconds at most, another message thirty.
    assert_eq!(answers[0].candidates[0].carrier, "b");
    assert_eq!(answers[0].candidates[1].reason.as_deref(), Some("saturated"));
    assert_eq!(answers[1].candidates[0].carrier, "a");
}

#[tokio::test]
async fn a_table_put_in_force_answers_the_next_question() {
    let rig = Rig::start(table(&["a"])).await;
    let before = explain(&rig, vec![query("33612345678")]).await.remove(0);
    rig.table.replace(table(&["b"]));
    let after = explain(&rig, vec![query("33612345678")]).await.remove(0);
    assert_ne!(before.table_version, after.table_version);
    assert_eq!(
        (
            before.candidates[0].carrier.as_str(),
            after.candidates[0].carrier.as_str()
        ),
        ("a", "b")
    );
}

#[tokio::test]
async fn a_quote_has_the_carrier_its_cost_and_what_is_left() {
    let rig = Rig::start(table(&["a", "b", "c"])).await;
    let queries = vec![
        pb::Query {
            account: "acme".to_owned(),
            segments: Some(2),
            ..query("33612345678")
        },
        pb::Query {
            network: "208".to_owned(),
            ..pb::Query::default()
        },
        query("4915100000"),
    ];
    let response = rig
        .client()
        .await
        .quote(pb::QuoteRequest { queries })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(response.table_version, rig.table.snapshot().version());
    assert_eq!(response.currency, "EUR");
    let [priced, network, nowhere] = &response.quotes[..] else {
        panic!("{response:?}")
    };
    let offer = pb::Offer {
        carrier: "a".to_owned(),
        price: "0.010000".to_owned(),
        currency: "EUR".to_owned(),
        cost: "0.020000".to_owned(),
        from: "ACME".to_owned(),
    };
    assert_eq!(
        (priced.action(), priced.offer.as_ref()),
        (pb::Action::Route, Some(&offer))
    );
    assert_eq!(priced.fallbacks, 1);
    assert_eq!(priced.sell_price.as_deref(), Some("0.050000"));
    assert_eq!(priced.margin.as_deref(), Some("0.080000"));
    assert_eq!((network.action(), network.margin.as_deref()), (pb::Action::Route, None));
    assert_eq!(network.network.as_ref().map(|found| found.mnc.as_str()), Some(""));
    assert_eq!(
        (nowhere.action(), nowhere.reason.as_deref()),
        (pb::Action::NoRoute, Some("no_route"))
    );
    let why: Vec<_> = nowhere.refused.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(why, ["no_rate"; 3]);
}
