//! Between the wire and our words, both ways.

use std::time::Duration;

use signalbox_proto::pb::signalbox::hlr::v1 as pb;
use sms::Msisdn;
use source::Secret;
use table::{Micros, Network};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};
use web::{plain, quoted};

use crate::{Failure, RETRY_AFTER_MAX, Reach, Reply, TTL_MAX};

/// Why a number was not found out, whether the call failed or the number alone.
pub(super) struct Trouble<'a> {
    pub(super) code: Code,
    pub(super) message: &'a str,
    pub(super) retry_after: Option<Duration>,
}

impl<'a> Trouble<'a> {
    /// The failure of a whole call.
    pub(super) fn of_call(status: &'a Status) -> Self {
        Self {
            code: status.code(),
            message: status.message(),
            retry_after: status.get_details_retry_info().and_then(|info| info.retry_delay),
        }
    }

    /// The failure of one number of a frame.
    pub(super) fn of_number(problem: &'a pb::Problem) -> Self {
        Self {
            code: Code::from_i32(problem.code),
            message: &problem.message,
            retry_after: problem.retry_after.and_then(span),
        }
    }

    /// What it comes to.
    pub(super) fn result(&self, secrets: &[Secret]) -> Result<Reply, Failure> {
        let why = format!("{:?}: {}", self.code, plain(self.message, secrets));
        Err(match self.code {
            Code::NotFound => return Ok(Reply::default()),
            // What it calls an argument is the number.
            Code::Aborted | Code::InvalidArgument | Code::OutOfRange => Failure::Undecided(why),
            Code::ResourceExhausted => Failure::Busy {
                why,
                retry_after: self.retry_after.map(|pause| pause.min(RETRY_AFTER_MAX)),
            },
            Code::FailedPrecondition | Code::PermissionDenied | Code::Unauthenticated | Code::Unimplemented => {
                Failure::Refused(why)
            }
            Code::DataLoss => Failure::Garbled(why),
            _ => Failure::Away(why),
        })
    }
}

/// What `info` says of `number`.
pub(super) fn reply(info: &pb::NumberInfo, number: &Msisdn, secrets: &[Secret]) -> Result<Reply, Failure> {
    if info.number.strip_prefix('+').unwrap_or(&info.number) != number.digits() {
        return Err(Failure::Garbled("it answered for another number".to_owned()));
    }
    let garbled =
        |what: &str, text: &str, why: &str| Failure::Garbled(format!("its {what} is {}: {why}", quoted(text, secrets)));
    let network = info.network.as_ref().map(|network| {
        let named = Network::parse(&network.mcc, &network.mnc);
        named.map_err(|error| {
            garbled(
                "network",
                &format!("{} {}", network.mcc, network.mnc),
                &error.to_string(),
            )
        })
    });
    let reach = match info.reach() {
        pb::Reach::Unspecified => Reach::Unknown,
        pb::Reach::Connected => Reach::Connected,
        pb::Reach::Absent => Reach::Absent,
        pb::Reach::Dead => Reach::Dead,
    };
    let cost = match &*info.cost {
        "" => None,
        text => Some(Micros::parse(text).map_err(|_| garbled("cost", text, "it is no amount"))?),
    };
    let ttl = info.ttl.and_then(span);
    Ok(Reply {
        network: network.transpose()?.filter(|_| reach != Reach::Dead),
        ported: info.ported,
        reach,
        roaming: info.roaming,
        ttl: ttl
            .filter(|ttl| *ttl >= Duration::from_secs(1))
            .map(|ttl| ttl.min(TTL_MAX)),
        cost,
    })
}

/// A span of zero and more; `None` = anything else. Takes the largest and least numbers too.
fn span(span: prost_types::Duration) -> Option<Duration> {
    let nanos = u32::try_from(span.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(span.seconds).ok()?, nanos))
}

/// What goes over the wire of `reply` about `number`.
pub(super) fn info(reply: &Reply, number: &Msisdn) -> pb::NumberInfo {
    let reach = match reply.reach {
        Reach::Unknown => pb::Reach::Unspecified,
        Reach::Connected => pb::Reach::Connected,
        Reach::Absent => pb::Reach::Absent,
        Reach::Dead => pb::Reach::Dead,
    };
    pb::NumberInfo {
        number: number.digits().to_owned(),
        network: reply.network.map(|network| pb::Network {
            mcc: network.mcc().to_string(),
            mnc: network.mnc(),
        }),
        ported: reply.ported,
        reach: reach.into(),
        roaming: reply.roaming,
        // Longer than the wire can say is for ever.
        ttl: reply.ttl.and_then(|ttl| ttl.try_into().ok()),
        cost: reply.cost.map(|cost| cost.to_string()).unwrap_or_default(),
    }
}

/// The code of a failure, and when to come back.
pub(super) fn code(failure: &Failure) -> (Code, Option<Duration>) {
    match failure {
        Failure::Away(_) => (Code::Unavailable, None),
        Failure::Busy { retry_after, .. } => (Code::ResourceExhausted, *retry_after),
        Failure::Refused(_) => (Code::FailedPrecondition, None),
        Failure::Garbled(_) => (Code::DataLoss, None),
        Failure::Undecided(_) => (Code::Aborted, None),
    }
}

/// The failure of a whole call.
pub(super) fn status(failure: &Failure) -> Status {
    let (code, retry_after) = code(failure);
    let mut details = ErrorDetails::new();
    if retry_after.is_some() {
        details.set_retry_info(retry_after);
    }
    Status::with_error_details(code, failure.to_string(), details)
}

/// The failure of one number of a frame.
pub(super) fn problem(failure: &Failure) -> pb::Problem {
    let (code, retry_after) = code(failure);
    pb::Problem {
        code: code.into(),
        message: failure.to_string(),
        retry_after: retry_after.and_then(|delay| delay.try_into().ok()),
    }
}

#[cfg(test)]
mod tests {
    //! Spans that nobody should add to a clock.

    use super::*;

    #[test]
    fn spans_are_bounded() {
        let number = Msisdn::new("447700900123").unwrap();
        let ttl = |seconds, nanos| {
            let info = pb::NumberInfo {
                number: "447700900123".to_owned(),
                ttl: Some(prost_types::Duration { seconds, nanos }),
                ..pb::NumberInfo::default()
            };
            reply(&info, &number, &[]).unwrap().ttl
        };
        assert_eq!(ttl(i64::MAX, 0), Some(TTL_MAX));
        assert_eq!(ttl(60, 0), Some(Duration::from_secs(60)));
        assert_eq!([ttl(0, 5), ttl(-60, 0), ttl(i64::MIN, i32::MIN)], [None; 3]);
        let problem = pb::Problem {
            code: Code::ResourceExhausted.into(),
            message: String::new(),
            retry_after: Some(prost_types::Duration {
                seconds: i64::MAX,
                nanos: 0,
            }),
        };
        let failure = Trouble::of_number(&problem).result(&[]).unwrap_err();
        let Failure::Busy { retry_after, .. } = failure else {
            panic!("{failure}")
        };
        assert_eq!(retry_after, Some(RETRY_AFTER_MAX));
    }
}
