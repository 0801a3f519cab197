//! Queries as they come over the wire, checked by the table's own rules.

use prost_types::Timestamp;
use signalbox_proto::pb::signalbox::{
    routing::v1 as pb,
    sms::v1::{Encoding, MessageClass},
};
use sms::{Class, UnixMs};
use table::{Asked, Request, RequestError};

use super::{
    QUERIES_MAX,
    error::{Refusal, Violation},
};

/// Last second of the year 9999, the last that RFC 3339 can write.
const SECONDS_MAX: i64 = 253_402_300_799;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of a recipient.
    Explain,
    /// Of a recipient, or of a network alone.
    Quote,
}

/// Checks every query; `now` stands for an absent instant.
///
/// # Errors
/// How many there are, or one violation of each bad query.
pub(super) fn resolve(kind: Kind, queries: Vec<pb::Query>, now: UnixMs) -> Result<Vec<Asked>, Refusal> {
    if !(1..=QUERIES_MAX).contains(&queries.len()) {
        return Err(Refusal::Count(queries.len()));
    }
    let (mut asked, mut violations) = (Vec::with_capacity(queries.len()), Vec::new());
    for (index, query) in queries.into_iter().enumerate() {
        match one(kind, query, now) {
            Ok(query) => asked.push(query),
            Err((field, what)) => violations.push(Violation {
                field: format!("queries[{index}].{field}"),
                what,
            }),
        }
    }
    if violations.is_empty() {
        Ok(asked)
    } else {
        Err(Refusal::Invalid(violations))
    }
}

type Wrong = (&'static str, String);

fn one(kind: Kind, query: pb::Query, now: UnixMs) -> Result<Asked, Wrong> {
    let at = query.at.map_or(Ok(now), instant)?;
    let request = Request {
        class: Some(class(&query)?.as_str().to_owned()),
        encoding: encoding(&query)?.map(str::to_owned),
        to: query.to,
        from: Some(query.from),
        account: Some(query.account),
        text: query.text,
        segments: query.segments.map(u64::from),
        at: None,
        network: Some(query.network).filter(|network| !network.is_empty()),
        ported: query.ported,
        roll: Some(query.roll),
    };
    let asked = match kind {
        Kind::Explain => request.resolve(at),
        Kind::Quote => request.resolve_quote(at),
    };
    asked.map_err(|error| (error.field(), what(&error)))
}

/// The error without the name of its field, which stands before it.
fn what(error: &RequestError) -> String {
    let text = error.to_string();
    let rest = text.strip_prefix(error.field());
    let rest = rest.and_then(|rest| rest.trim_start_matches(':').strip_prefix(' '));
    rest.map(str::to_owned).unwrap_or(text)
}

fn class(query: &pb::Query) -> Result<Class, Wrong> {
    match MessageClass::try_from(query.class) {
        Ok(MessageClass::Unspecified | MessageClass::Transactional) => Ok(Class::Transactional),
        Ok(MessageClass::Otp) => Ok(Class::Otp),
        Ok(MessageClass::Promotional) => Ok(Class::Promotional),
        Err(_) => Err(("class", format!("is {}, known are 0 to 3", query.class))),
    }
}

fn encoding(query: &pb::Query) -> Result<Option<&'static str>, Wrong> {
    match Encoding::try_from(query.encoding) {
        Ok(Encoding::Unspecified) => Ok(None),
        Ok(Encoding::Gsm7) => Ok(Some("gsm7")),
        Ok(Encoding::Ucs2) => Ok(Some("ucs2")),
        Ok(Encoding::Binary) => Ok(Some("binary")),
        Err(_) => Err(("encoding", format!("is {}, known are 0 to 3", query.encoding))),
    }
}

/// What is finer than a millisecond is rounded up, as the table does.
pub(super) fn instant(at: Timestamp) -> Result<UnixMs, Wrong> {
    let seconds = u64::try_from(at.seconds).ok().filter(|_| at.seconds <= SECONDS_MAX);
    let nanos = u64::try_from(at.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    match (seconds, nanos) {
        (Some(seconds), Some(nanos)) => Ok(UnixMs(seconds * 1_000 + nanos.div_ceil(1_000_000))),
        (None, _) => Err((
            "at",
            format!("has {} seconds, allowed are 0 to {SECONDS_MAX}", at.seconds),
        )),
        (_, None) => Err(("at", format!("has {} nanos, allowed are 0 to 999999999", at.nanos))),
    }
}
