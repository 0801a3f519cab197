//! The calls: checked, bounded, and worked on away from the loops that route.

use std::sync::Arc;

use ::lookup::Answer;
use prost::Message as _;
use service::{Stop, Tasks, resume_panic};
use signalbox_proto::pb::signalbox::routing::v1::{self as pb, routing_service_server::RoutingService};
use sms::Msisdn;
use table::{Action, Asked, Decision, Explanation, Lookup, Network, Query, Table};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

use super::{
    answer::{self, Forms},
    counted,
    error::Refusal,
    lookup,
    query::{self, Kind},
};
use crate::{desk::Desk, lookups::LookUps, told::Told};

/// Queries of one call.
pub const QUERIES_MAX: usize = 100;
/// Calls in flight, of all callers together: one is worked on, the others wait for it. More are refused.
pub const CALLS_MAX: usize = 16;
/// Longest request, in octets.
pub const REQUEST_OCTETS_MAX: usize = 1024 * 1024;
/// Longest response, in octets.
pub const RESPONSE_OCTETS_MAX: usize = 8 * 1024 * 1024;
// A text and its query's other fields stay below five kilobytes.
const _: () = assert!(QUERIES_MAX * 5_000 <= REQUEST_OCTETS_MAX, "a full request fits");
const _: () = assert!(
    CALLS_MAX * REQUEST_OCTETS_MAX <= 16 * 1024 * 1024,
    "what waits stays small"
);

/// Answers questions from what the router knows.
#[derive(Clone)]
pub(super) struct Questions {
    desk: Arc<Desk>,
    /// A place for each call in flight.
    calls: Arc<Semaphore>,
    /// The one turn to work, so that questions take one core at most.
    turn: Arc<Semaphore>,
    stop: Stop,
}

/// What one call is answered from: a table, a look at the carriers, and the queries.
struct Work {
    desk: Arc<Desk>,
    asked: Vec<Asked>,
    _call: OwnedSemaphorePermit,
    _turn: OwnedSemaphorePermit,
}

impl Questions {
    pub(super) fn new(desk: Arc<Desk>, stop: Stop) -> Self {
        Self {
            desk,
            calls: Arc::new(Semaphore::new(CALLS_MAX)),
            turn: Arc::new(Semaphore::new(1)),
            stop,
        }
    }

    /// Looks one number up. Others wait for their turn meanwhile, as they would for providers.
    async fn trace(&self, request: &pb::LookUpRequest) -> Result<pb::LookUpResponse, Refusal> {
        if self.stop.is_requested() {
            return Err(Refusal::Draining);
        }
        let _call = Arc::clone(&self.calls).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let (number, budget) = lookup::read(request)?;
        let lookups = self.desk.config.lookups.as_ref().ok_or(Refusal::NoLookUps)?;
        let trace = lookups.chain.trace(&number, budget.unwrap_or(lookups.budget)).await;
        Ok(lookup::looked_up(&trace))
    }

    /// Answers each of `queries` by `one` and puts the answers together, on a thread of its own.
    async fn ask<A: Send + 'static, T: Send + 'static>(
        &self,
        kind: Kind,
        queries: Vec<pb::Query>,
        one: impl Fn(&Table, &Query<'_>, Option<&Answer>) -> (A, usize) + Send + 'static,
        put: impl FnOnce(&Table, Vec<A>) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        if self.stop.is_requested() {
            return Err(Refusal::Draining);
        }
        let call = Arc::clone(&self.calls).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let asked = query::resolve(kind, queries, self.desk.now())?;
        let turn = Arc::clone(&self.turn)
            .acquire_owned()
            .await
            .expect("it is never closed");
        let work = Work {
            desk: Arc::clone(&self.desk),
            asked,
            _call: call,
            _turn: turn,
        };
        let mut tasks = Tasks::new();
        tasks.spawn_blocking(move || work.answer(one, put));
        match tasks.join_next().await.expect("one task was started") {
            Ok(answers) => answers,
            Err(error) => {
                resume_panic(error);
                // Only a runtime that shuts down cancels it.
                Err(Refusal::Draining)
            }
        }
    }
}

impl Work {
    /// The answers, unless they come to more octets than one response may have. `one` says the octets of each.
    fn answer<A, T>(
        self,
        one: impl Fn(&Table, &Query<'_>, Option<&Answer>) -> (A, usize),
        put: impl FnOnce(&Table, Vec<A>) -> T,
    ) -> Result<T, Refusal> {
        let table = self.desk.table.snapshot();
        let carriers = self.desk.carriers.snapshot(self.desk.now());
        let lenient = carriers.lenient();
        let figures = self.desk.figures.summary();
        let mut decision = Decision::new();
        let (mut answers, mut octets) = (Vec::with_capacity(self.asked.len()), 0);
        for asked in &self.asked {
            let mut query = Query {
                standings: Some(&carriers),
                figures: Some(&*figures),
                ..asked.query()
            };
            table.decide(&query, &mut decision);
            let known = self.known(&query, &decision);
            if let Some(answer) = &known {
                let told = Told::of(answer);
                (query.network, query.ported) = (told.served, query.ported.or(told.ported));
                table.decide(&query, &mut decision);
            }
            if decision.action == Action::Wait && decision.held_back.circuit_open > 0 {
                // As a message would: who is not surely down is asked all the same where nobody else is left.
                query.standings = Some(&lenient);
            }
            let (answer, length) = one(&table, &query, known.as_ref());
            octets += length + ENTRY_OCTETS;
            if octets > RESPONSE_OCTETS_MAX - HEAD_OCTETS {
                return Err(Refusal::Long);
            }
            answers.push(answer);
        }
        Ok(put(&table, answers))
    }

    /// What is known of the recipient, where the route asks and the query does not say: what a message would be told at once.
    fn known(&self, query: &Query<'_>, decision: &Decision<'_>) -> Option<Answer> {
        let lookups = self.desk.config.lookups.as_ref()?;
        let asks = decision.terms.lookup != Lookup::Never && decision.action != Action::Reject;
        if !asks || query.network.is_some() || decision.to.is_some() {
            return None;
        }
        let digits = query.to.strip_prefix('+').unwrap_or(query.to);
        lookups.chain.known(&Msisdn::new(digits).ok()?)
    }
}

/// Says whether a look-up would be worth its price, by what this router has learnt.
fn weigh(lookups: Option<&LookUps>, explanation: &mut Explanation, query: &Query<'_>) {
    let Some((lookups, report)) = lookups.zip(explanation.lookup.as_mut()) else {
        return;
    };
    let digits = query.to.strip_prefix('+').unwrap_or(query.to);
    let Ok(number) = Msisdn::new(digits) else { return };
    let network = explanation.network.as_ref();
    let planned = network.and_then(|network| Network::parse(&network.mcc, &network.mnc).ok());
    let verdict = lookups.weigh(&number, planned, report.stake, query.roll);
    report.verdict = Some(verdict.report());
}

/// Octets that a list entry has beside its own: tag and length.
const ENTRY_OCTETS: usize = 6;
/// Octets that a response has beside its entries, and more.
const HEAD_OCTETS: usize = 1_024;

#[tonic::async_trait]
impl RoutingService for Questions {
    async fn explain(&self, request: Request<pb::ExplainRequest>) -> Result<Response<pb::ExplainResponse>, Status> {
        let request = request.into_inner();
        let forms = Forms {
            json: request.with_json,
            tree: request.with_tree,
        };
        let lookups = self.desk.config.lookups.clone();
        let one = move |table: &Table, query: &Query<'_>, known: Option<&Answer>| {
            let mut explanation = table.explain(query);
            weigh(lookups.as_ref(), &mut explanation, query);
            let explanation = answer::explanation(explanation, query, forms, known);
            let length = explanation.encoded_len();
            (explanation, length)
        };
        let put = |_: &Table, explanations| pb::ExplainResponse { explanations };
        counted("explain", self.ask(Kind::Explain, request.queries, one, put).await)
    }

    async fn quote(&self, request: Request<pb::QuoteRequest>) -> Result<Response<pb::QuoteResponse>, Status> {
        let one = |table: &Table, query: &Query<'_>, _: Option<&Answer>| {
            let quote = answer::quote(table.quote(query), query);
            let length = quote.encoded_len();
            (quote, length)
        };
        let put = |table: &Table, quotes| pb::QuoteResponse {
            quotes,
            table_version: table.version().to_owned(),
            currency: table.currency().to_owned(),
        };
        let queries = request.into_inner().queries;
        counted("quote", self.ask(Kind::Quote, queries, one, put).await)
    }

    async fn look_up(&self, request: Request<pb::LookUpRequest>) -> Result<Response<pb::LookUpResponse>, Status> {
        counted("look_up", self.trace(&request.into_inner()).await)
    }
}

#[cfg(test)]
mod tests;
