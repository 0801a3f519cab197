//! The bound on calls in flight.

use std::sync::Arc;

use bus::MemoryBus;
use service::{Clock, Deps, Dice};
use store::MemoryStore;
use table::{LiveTable, files::Files};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::*;
use crate::Config;

fn questions(stop: Stop) -> Questions {
    let clock = Clock::starting_at(sms::UnixMs(0));
    let deps = Deps {
        bus: Arc::new(MemoryBus::new(clock.as_millis_fn())),
        store: Arc::new(MemoryStore::new(clock.as_millis_fn())),
        clock,
        dice: Dice::seeded(1),
        tracer: service::Tracer::default(),
    };
    let mut files = Files::default();
    files.insert("table.toml", "currency = \"EUR\"");
    files.insert("carriers.toml", "[[carrier]]\nname = \"a\"\ncurrency = \"EUR\"\n");
    files.insert("policies.toml", "");
    files.insert("numbering.csv", "prefix,mcc,mnc,country,operator\n");
    files.insert("rates/a.csv", "mcc,mnc,prefix,price,from,until\n208,,,0.04,,\n");
    let (table, _) = table::build(&files).expect("a sound table");
    let table = Arc::new(LiveTable::new(table));
    let desk = Desk::new(Config::default(), deps, table, stop.clone());
    Questions::new(Arc::new(desk), stop)
}

fn request() -> Request<pb::QuoteRequest> {
    Request::new(pb::QuoteRequest {
        queries: vec![pb::Query {
            to: "33612345678".to_owned(),
            ..pb::Query::default()
        }],
    })
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_told_when_to_come_back() {
    let (_handle, stop) = Stop::new();
    let questions = questions(stop);
    let all = questions
        .calls
        .clone()
        .try_acquire_many_owned(CALLS_MAX as u32)
        .unwrap();
    let status = questions.quote(request()).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert!(status.get_error_details().retry_info().is_some());
    drop(all);
    questions.quote(request()).await.unwrap();
    assert_eq!(questions.calls.available_permits(), CALLS_MAX);
}

#[tokio::test]
async fn a_router_that_goes_away_says_so() {
    let (handle, stop) = Stop::new();
    let questions = questions(stop);
    handle.request();
    let status = questions.quote(request()).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
}
