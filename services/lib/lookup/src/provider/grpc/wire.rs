//! Between the wire and our words, both ways.

use std::time::Duration;

use signalbox_proto::pb::signalbox::hlr::v1 as pb;
use sms::Msisdn;
use source::Secret;
use table::{Micros, Network};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::{
    Failure, Reach, Reply,
    provider::plain::{plain, quoted},
};

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
            retry_after: problem.retry_after.and_then(|delay| delay.try_into().ok()),
        }
    }

    /// What it comes to.
    pub(super) fn result(&self, secrets: &[Secret]) -> Result<Reply, Failure> {
        let why = format!("{:?}: {}", self.code, plain(self.message, secrets));
        Err(match self.code {
            Code::NotFound => return Ok(Reply::default()),
            Code::Aborted => Failure::Undecided(why),
            Code::ResourceExhausted => Failure::Busy {
                why,
                retry_after: self.retry_after,
            },
            Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::Unimplemented => Failure::Refused(why),
            Code::OutOfRange | Code::DataLoss => Failure::Garbled(why),
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
    let ttl = info.ttl.and_then(|ttl| Duration::try_from(ttl).ok());
    Ok(Reply {
        network: network.transpose()?.filter(|_| reach != Reach::Dead),
        ported: info.ported,
        reach,
        roaming: info.roaming,
        ttl: ttl.filter(|ttl| *ttl >= Duration::from_secs(1)),
        cost,
    })
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
