//! A submission as it came over the wire, made into a draft. Every field that is wrong is named, not only the first.

use signalbox_proto::pb::signalbox::{
    ingest::v1::{ReceiptWish, Submission},
    sms::v1::{Binary, Content as PbContent, MessageClass, content::Body},
};
use sms::{Class, Content};

use crate::{Draft, Refusal, Violation, draft as check};

/// The draft that `submission` asks for, of at most `segments_max` segments.
pub(super) fn draft(submission: Submission, segments_max: u8) -> Result<Draft, Refusal> {
    let to = check::recipient(&submission.to);
    let from = check::sender(&submission.from);
    let content = content(submission.content);
    let size = content
        .as_ref()
        .map_or(Ok(Default::default()), |content| check::size(content, segments_max));
    let class = class(submission.class);
    let ttl = submission.ttl.map(|ttl| check::ttl(ttl.seconds, ttl.nanos)).transpose();
    let receipt = receipt(submission.receipt);
    let reference = check::reference(submission.reference);
    let idempotency_key = check::idempotency_key(submission.idempotency_key);
    match (to, from, content, size, class, ttl, receipt, reference, idempotency_key) {
        (
            Ok(to),
            Ok(from),
            Ok(content),
            Ok((encoding, segments)),
            Ok(class),
            Ok(ttl),
            Ok(receipt),
            Ok(reference),
            Ok(idempotency_key),
        ) => Ok(Draft {
            from,
            to,
            content,
            encoding,
            segments,
            class,
            ttl,
            receipt,
            reference,
            idempotency_key,
        }),
        (to, from, content, size, class, ttl, receipt, reference, idempotency_key) => {
            let refused = [
                to.err(),
                from.err(),
                content.err(),
                size.err(),
                class.err(),
                ttl.err(),
                receipt.err(),
                reference.err(),
                idempotency_key.err(),
            ];
            Err(Refusal::Invalid(refused.into_iter().flatten().collect()))
        }
    }
}

fn content(content: Option<PbContent>) -> Result<Content, Violation> {
    match content.and_then(|content| content.body) {
        Some(Body::Text(text)) => check::text(text),
        Some(Body::Binary(Binary { data, header })) => check::binary(data, header),
        None => Err(Violation::new("content", "missing: wanted is text or binary")),
    }
}

fn class(class: i32) -> Result<Class, Violation> {
    MessageClass::try_from(class).map(Class::from).map_err(|_| {
        Violation::new(
            "class",
            format!("{class}, allowed are 0 (transactional) and the classes 1 to 3"),
        )
    })
}

fn receipt(wish: i32) -> Result<bool, Violation> {
    match ReceiptWish::try_from(wish) {
        Ok(ReceiptWish::Unspecified | ReceiptWish::Final) => Ok(true),
        Ok(ReceiptWish::None) => Ok(false),
        Err(_) => Err(Violation::new("receipt", format!("{wish}, allowed are 0 to 2"))),
    }
}

#[cfg(test)]
mod tests;
