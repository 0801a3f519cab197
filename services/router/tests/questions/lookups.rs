//! Look-ups over the wire: step by step, and what an explanation says once somebody knows.

use std::{sync::Arc, time::Duration};

use lookup::{
    BreakerConfig, Chain, ChainConfig, ChainDeps, Limits, Offer, Portability, ProviderConfig, ProviderKind, Rates,
    SimulatorConfig, Upstream,
};
use router::LookUps;
use service::Deps;
use signalbox_proto::pb::signalbox::{routing::v1 as pb, sms::v1::MessageClass};
use table::{LiveTable, Micros, Network};
use tonic::Code;

use crate::rig::{Rig, query, reason, table, violations};

/// Somebody who says of every French number that it moved to 208 10.
pub(crate) fn moved(deps: &Deps, table: &Arc<LiveTable>) -> LookUps {
    let network = |text: &str| Network::parse_together(text).unwrap();
    let simulator = SimulatorConfig {
        ported: 1.0,
        networks: [("33".to_owned(), vec![network("20801"), network("20810")])].into(),
        ..SimulatorConfig::default()
    };
    let provider = ProviderConfig {
        name: "clearing".to_owned(),
        price: Micros(1_000),
        is_authoritative: true,
        numbers_max: 1,
        rate: None,
        calls_max: 10,
        timeout: Duration::from_secs(2),
        breaker: BreakerConfig::default(),
        kind: ProviderKind::Simulator(Box::new(simulator)),
    };
    let upstream = Upstream {
        provider: provider.build(&deps.dice).unwrap(),
        limits: Limits::of(&provider),
    };
    let portability = Arc::new(Portability::new(Rates::default()));
    let wants = ChainDeps {
        store: Arc::clone(&deps.store),
        numbering: Arc::clone(table) as _,
        portability: Arc::clone(&portability),
        clock: deps.clock.clone(),
        dice: deps.dice.fork(),
    };
    let offer = Offer {
        price: provider.price,
        ends_dead: true,
    };
    let chain = Chain::new(ChainConfig::default(), vec![upstream], wants);
    LookUps::new(chain, portability, Some(offer))
}

fn number(number: &str) -> pb::LookUpRequest {
    pb::LookUpRequest {
        number: number.to_owned(),
        budget_ms: None,
    }
}

#[tokio::test]
async fn a_look_up_is_told_step_by_step_and_explanations_stand_on_it() {
    let rig = Rig::asking(table(&["a"])).await;
    let mut client = rig.client().await;
    let ask = pb::ExplainRequest {
        queries: vec![pb::Query {
            class: MessageClass::Otp.into(),
            ..query("+33612345678")
        }],
        with_tree: true,
        ..pb::ExplainRequest::default()
    };
    let before = client.explain(ask.clone()).await.unwrap().into_inner().explanations;
    assert_eq!(before[0].known, None);
    assert!(
        before[0].lookup.as_ref().unwrap().verdict.is_some(),
        "it has learnt shares"
    );

    let found = client.look_up(number("+33612345678")).await.unwrap().into_inner();
    let steps: Vec<_> = found.steps.iter().map(|step| (&*step.source, &*step.result)).collect();
    let wanted = [
        ("memory", "nothing"),
        ("ported", "nothing"),
        ("store", "absent"),
        ("provider", "answer"),
    ];
    assert_eq!(steps, wanted);
    let answer = found.answer.unwrap();
    assert_eq!(
        (&*answer.network, answer.ported, answer.sure),
        ("20810", Some(true), true)
    );
    assert_eq!((&*answer.provider, &*answer.cost), ("clearing", "0.001000"));

    let after = client.explain(ask).await.unwrap().into_inner().explanations;
    let known = after[0].known.as_ref().unwrap();
    assert_eq!(
        (&*known.network, &*known.source, &*known.cost),
        ("20810", "memory", "0.000000")
    );
    let network = after[0].network.as_ref().unwrap();
    assert_eq!((&*network.mnc, network.source()), ("10", pb::NetworkSource::Hlr));
    assert!(
        after[0].tree.contains("looked up: by clearing (memory)"),
        "{}",
        after[0].tree
    );
}

#[tokio::test]
async fn a_router_with_nobody_to_ask_says_so() {
    let rig = Rig::start(table(&["a"])).await;
    let status = rig.client().await.look_up(number("33612345678")).await.unwrap_err();
    assert_eq!(
        (status.code(), reason(&status).as_str()),
        (Code::FailedPrecondition, "NO_LOOKUPS")
    );
}

#[tokio::test]
async fn what_is_no_number_or_no_wait_is_named() {
    let rig = Rig::asking(table(&["a"])).await;
    let too_long = pb::LookUpRequest {
        budget_ms: Some(30_001),
        ..number("33612345678")
    };
    for (request, field) in [(number("33x"), "number"), (too_long, "budget_ms")] {
        let status = rig.client().await.look_up(request).await.unwrap_err();
        assert_eq!(violations(&status)[0].0, field);
    }
}
