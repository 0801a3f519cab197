//! What a carrier's answer makes of a part.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use journey::Charge;
use signalbox_proto::{
    carrier,
    pb::signalbox::carrier::v1::{self as pb, answer},
};
use tonic::Status;
use tonic_types::StatusExt as _;
use tracing::warn;

use super::{charge, client::is_broken, remote_id, words::Words};
use crate::{
    Rule, UNMAPPED,
    link::{REST_MAX, Verdict},
    maps::Maps,
    metrics,
    outcome::GrpcAnswer,
};

/// Refusals without a rule that one connection logs.
const UNMAPPED_LOGGED_MAX: usize = 32;

/// Reads answers of one connection.
pub(super) struct Reader {
    link: Arc<str>,
    words: Words,
    /// Refusals without a rule that were logged once.
    unmapped: BTreeSet<GrpcAnswer>,
}

impl Reader {
    pub(super) fn new(link: Arc<str>, words: Words) -> Self {
        Self {
            link,
            words,
            unmapped: BTreeSet::new(),
        }
    }

    /// The verdict of an answer to `attempt`; `None` = it says nothing.
    pub(super) fn verdict(&mut self, maps: &Maps, attempt: &str, result: Option<answer::Result>) -> Option<Verdict> {
        match result? {
            answer::Result::Taken(taken) => Some(Verdict::Taken {
                remote_id: match taken.remote_id.is_empty() {
                    true => attempt.to_owned(),
                    false => remote_id(&taken.remote_id),
                },
                charge: self.charge(&taken),
            }),
            answer::Result::Refused(refused) => Some(self.refused(maps, &refused)),
        }
    }

    /// What the carrier says that it charges; `None` = nothing. What cannot be read is counted, and the message is taken all the same.
    fn charge(&self, taken: &pb::Taken) -> Option<Box<Charge>> {
        let (charge, is_odd) = charge::read(taken);
        if is_odd {
            metrics::oddity(&self.link, "charge_invalid");
        }
        charge.map(Box::new)
    }

    fn refused(&mut self, maps: &Maps, refused: &pb::Refused) -> Verdict {
        let answer = GrpcAnswer::Refusal(u32::try_from(refused.refusal).unwrap_or(0));
        let (rule, name) = (maps.outcomes.grpc.rule(answer), maps.outcomes.grpc.name(answer));
        if rule == UNMAPPED {
            metrics::unmapped(&self.link, "status");
            if self.unmapped.len() < UNMAPPED_LOGGED_MAX && self.unmapped.insert(answer) {
                warn!(link = %self.link, refusal = name, "a refusal without a rule goes to the next carrier, add it to outcomes");
            }
        }
        Verdict::Refused {
            rule,
            detail: said(name, &self.words.fit(&refused.detail)),
            retry_after: carrier::retry_after(refused).map(|rest| rest.min(REST_MAX)),
        }
    }

    /// What the status of a call makes of its part: a refusal where the map knows the status, else nobody knows.
    pub(super) fn status(&self, maps: &Maps, status: &Status) -> Verdict {
        let number = u8::try_from(i32::from(status.code())).unwrap_or(u8::MAX);
        let answer = GrpcAnswer::Status(number);
        let known = maps.outcomes.grpc.known(answer).filter(|_| !is_broken(status));
        match known {
            Some(rule) => Verdict::Refused {
                rule: not_taken(rule),
                detail: said(maps.outcomes.grpc.name(answer), &self.words.fit(status.message())),
                retry_after: retry_after(status).map(|rest| rest.min(REST_MAX)),
            },
            None => Verdict::Unanswered,
        }
    }
}

/// A call that failed took nothing, whatever a map says of it.
fn not_taken(rule: Rule) -> Rule {
    match rule.action {
        crate::Action::Accept => UNMAPPED,
        _ => rule,
    }
}

/// How long a call that failed is to wait before it is made again (`google.rpc.RetryInfo`); `None` = that is not said.
fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// The name, and what the carrier says beside it.
fn said(name: String, detail: &str) -> String {
    match detail.is_empty() {
        true => name,
        false => format!("{name}: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Action;

    fn reader() -> Reader {
        Reader::new("atlas".into(), Words::default())
    }

    fn taken(remote_id: &str) -> Option<answer::Result> {
        Some(answer::Result::Taken(pb::Taken {
            remote_id: remote_id.to_owned(),
            ..pb::Taken::default()
        }))
    }

    #[test]
    fn what_was_taken_bears_the_carrier_s_id_or_the_attempt_s() {
        let maps = Maps::default();
        let id = |remote| match reader().verdict(&maps, "a.1", taken(remote)) {
            Some(Verdict::Taken { remote_id, .. }) => remote_id,
            other => panic!("{other:?}"),
        };
        assert_eq!(id("C-007"), "C-007");
        assert_eq!(id(""), "a.1");
        assert_eq!(id(&"x".repeat(100_000)).len(), 128, "an id becomes a key of the store");
    }

    /// Every number a carrier could write, also those that no version of the contract has.
    #[test]
    fn every_refusal_becomes_what_the_map_says() {
        let maps = Maps::default();
        for refusal in (-2..1_010).chain([i32::MIN, i32::MAX]) {
            let refused = pb::Refused {
                refusal,
                detail: "no 447700900123".to_owned(),
                ..pb::Refused::default()
            };
            let verdict = reader().verdict(&maps, "a.1", Some(answer::Result::Refused(refused)));
            let Some(Verdict::Refused { rule, detail, .. }) = verdict else {
                panic!("{verdict:?}");
            };
            let known = u32::try_from(refusal).unwrap_or(0);
            assert_eq!(rule, maps.outcomes.grpc.rule(GrpcAnswer::Refusal(known)));
            assert!(detail.ends_with(": no ************"), "{detail}");
        }
        assert_eq!(reader().verdict(&maps, "a.1", None), None);
    }

    #[test]
    fn how_long_the_carrier_is_to_be_left_alone_comes_with_its_refusal_within_a_minute() {
        let asked = |verdict: Option<Verdict>| match verdict {
            Some(Verdict::Refused { retry_after, .. }) => retry_after.map(|wait| wait.as_secs()),
            other => panic!("{other:?}"),
        };
        let (maps, mut reader) = (Maps::default(), reader());
        for (said, heard) in [(None, None), (Some(7), Some(7)), (Some(86_400), Some(60))] {
            let span = said.map(Duration::from_secs);
            let refused = pb::Refused {
                refusal: pb::Refusal::Throttled.into(),
                retry_after: span.map(carrier::span),
                ..pb::Refused::default()
            };
            let answered = reader.verdict(&maps, "a.1", Some(answer::Result::Refused(refused)));
            assert_eq!(asked(answered), heard, "in an answer");
            let mut details = tonic_types::ErrorDetails::new();
            if span.is_some() {
                details.set_retry_info(span);
            }
            let status = Status::with_error_details(tonic::Code::ResourceExhausted, "", details);
            assert_eq!(
                asked(Some(reader.status(&maps, &status))),
                heard,
                "in the status of a call"
            );
        }
    }

    #[test]
    fn a_failed_call_refuses_only_where_its_status_is_mapped() {
        let (mut maps, reader) = (Maps::default(), reader());
        let action = |maps: &Maps, number| match reader.status(maps, &Status::new(tonic::Code::from_i32(number), "")) {
            Verdict::Refused { rule, .. } => Some(rule.action.to_string()),
            Verdict::Unanswered => None,
            other => panic!("{other:?}"),
        };
        let refused: Vec<i32> = (0..17).filter(|number| action(&maps, *number).is_some()).collect();
        assert_eq!(refused, [0, 3, 5, 7, 8, 9, 11, 12, 16]);
        assert_eq!(
            action(&maps, 0).as_deref(),
            Some("next"),
            "a call that failed with OK took nothing"
        );
        assert_eq!(action(&maps, 14), None, "unavailable may have been taken");
        maps.outcomes.grpc.set("UNAVAILABLE".parse().unwrap(), Action::LinkDown);
        assert_eq!(
            action(&maps, 14).as_deref(),
            Some("link_down"),
            "unless the link knows better"
        );
    }
}
