//! One look-up, step by step, as it goes over the wire.

use std::time::Duration;

use lookup::{Answer, Confidence, Found, Reach, Reply, Step, Trace};
use prost_types::Timestamp;
use signalbox_proto::pb::signalbox::routing::v1 as pb;
use sms::{Msisdn, UnixMs};

use super::error::Refusal;

/// Longest wait for an answer, in milliseconds.
const BUDGET_MS_MAX: u32 = 30_000;

/// The number asked about, and the wait for it if one is named.
pub(super) fn read(request: &pb::LookUpRequest) -> Result<(Msisdn, Option<Duration>), Refusal> {
    let digits = request.number.strip_prefix('+').unwrap_or(&request.number);
    let number = Msisdn::new(digits).map_err(|error| Refusal::wrong("number", error.to_string()))?;
    let budget = match request.budget_ms {
        None => None,
        Some(budget @ 1..=BUDGET_MS_MAX) => Some(Duration::from_millis(u64::from(budget))),
        Some(budget) => {
            let what = format!("is {budget}, allowed are 1 to {BUDGET_MS_MAX}");
            return Err(Refusal::wrong("budget_ms", what));
        }
    };
    Ok((number, budget))
}

/// `trace` as it goes over the wire.
pub fn looked_up(trace: &Trace) -> pb::LookUpResponse {
    pb::LookUpResponse {
        steps: trace.steps.iter().map(step).collect(),
        answer: Some(answer(&trace.answer)),
        took_us: micros(trace.took),
    }
}

fn step(step: &Step) -> pb::LookUpStep {
    let (result, detail, said) = match &step.found {
        Found::Answer(said) => ("answer", String::new(), Some(answer(said))),
        Found::Stale(said) => ("stale", String::new(), Some(answer(said))),
        Found::Reply(said) => ("answer", String::new(), Some(reply(said, step))),
        Found::Nothing => ("nothing", String::new(), None),
        Found::Absent => ("absent", String::new(), None),
        Found::Failed(why) => ("failed", why.clone(), None),
        Found::Skipped(why) => ("skipped", why.as_str().to_owned(), None),
        Found::Joined => ("joined", String::new(), None),
        Found::Late => ("late", String::new(), None),
    };
    pb::LookUpStep {
        source: step.source.as_str().to_owned(),
        provider: step.provider.clone(),
        result: result.to_owned(),
        detail,
        answer: said,
        took_us: micros(step.took),
    }
}

/// `answer` as it goes over the wire.
pub(super) fn answer(answer: &Answer) -> pb::NumberAnswer {
    let is_sure = answer.confidence == Confidence::High;
    pb::NumberAnswer {
        network: answer.network.map(|network| network.to_string()).unwrap_or_default(),
        ported: answer.ported,
        reach: answer.reach.as_str().to_owned(),
        roaming: answer.roaming,
        source: answer.source.as_str().to_owned(),
        provider: answer.provider.clone(),
        cost: answer.cost.to_string(),
        asked_at: Some(timestamp(answer.asked_at)),
        expires_at: (answer.expires_at > answer.asked_at).then(|| timestamp(answer.expires_at)),
        sure: is_sure,
    }
}

fn reply(reply: &Reply, step: &Step) -> pb::NumberAnswer {
    pb::NumberAnswer {
        network: reply.network.map(|network| network.to_string()).unwrap_or_default(),
        ported: reply.ported,
        reach: reply.reach.as_str().to_owned(),
        roaming: reply.roaming,
        source: step.source.as_str().to_owned(),
        provider: step.provider.clone(),
        cost: reply.cost.map(|cost| cost.to_string()).unwrap_or_default(),
        asked_at: None,
        expires_at: None,
        sure: reply.network.is_some() || reply.reach == Reach::Dead,
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn timestamp(at: UnixMs) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(at.0 / 1_000).unwrap_or(i64::MAX),
        nanos: i32::try_from(at.0 % 1_000 * 1_000_000).expect("below a thousand million"),
    }
}
