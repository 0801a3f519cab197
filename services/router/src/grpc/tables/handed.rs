//! A publication as it comes over the wire: a head, and the packed files in pieces.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use service::time;
use signalbox_proto::{
    pb::signalbox::routing::v1::{self as pb, publish_table_request::Part},
    tables::{PACKED_OCTETS_MAX, PIECE_OCTETS_MAX},
};
use tonic::{Status, Streaming};

use crate::{
    grpc::error::Refusal,
    tables::{Base, Note},
};

/// Longest time for handing over a table: others wait for their turn meanwhile.
const HANDED_WITHIN: Duration = Duration::from_secs(60);
/// The span in which a version may have to be confirmed.
const CONFIRM_MIN: Duration = Duration::from_secs(10);
const CONFIRM_MAX: Duration = Duration::from_secs(24 * 3_600);
/// Longest name of whoever publishes, in characters.
pub(super) const WHO_CHARS_MAX: usize = 100;
/// Longest reason, in characters.
pub(super) const NOTE_CHARS_MAX: usize = 500;

/// What was handed over.
#[derive(Debug)]
pub(super) struct Handed {
    pub(super) packed: Bytes,
    pub(super) base: Base,
    pub(super) confirm_within: Option<Duration>,
    pub(super) note: Note,
    pub(super) check_only: bool,
}

/// Reads all parts.
///
/// # Errors
/// A field that may not be so, too much, or not within [`HANDED_WITHIN`].
pub(super) async fn read(parts: Streaming<pb::PublishTableRequest>) -> Result<Handed, Refusal> {
    let late = || Refusal::wrong("packed", format!("was not handed over within {HANDED_WITHIN:?}"));
    time::timeout(HANDED_WITHIN, all(parts))
        .await
        .unwrap_or_else(|| Err(late()))
}

async fn all(mut parts: Streaming<pb::PublishTableRequest>) -> Result<Handed, Refusal> {
    let Some(Part::Head(head)) = next(&mut parts).await? else {
        return Err(Refusal::wrong(
            "head",
            "is missing: the first message has it".to_owned(),
        ));
    };
    let mut packed = BytesMut::new();
    while let Some(part) = next(&mut parts).await? {
        let Part::Packed(piece) = part else {
            return Err(Refusal::wrong("head", "comes twice".to_owned()));
        };
        if piece.len() > PIECE_OCTETS_MAX {
            let what = format!("has a piece of {} octets, allowed are {PIECE_OCTETS_MAX}", piece.len());
            return Err(Refusal::wrong("packed", what));
        }
        if packed.len() + piece.len() > PACKED_OCTETS_MAX {
            let what = format!("has over {PACKED_OCTETS_MAX} octets, the most that can be published");
            return Err(Refusal::wrong("packed", what));
        }
        packed.extend_from_slice(&piece);
    }
    Ok(Handed {
        packed: packed.freeze(),
        base: base(head.base),
        confirm_within: head.confirm_within.map(within).transpose()?,
        note: Note {
            who: text("who", head.who, WHO_CHARS_MAX)?,
            note: text("note", head.note, NOTE_CHARS_MAX)?,
        },
        check_only: head.check_only,
    })
}

/// The next part; `None` = there is none, or one that only a later version knows.
async fn next(parts: &mut Streaming<pb::PublishTableRequest>) -> Result<Option<Part>, Refusal> {
    let cut = |status: Status| Refusal::wrong("packed", format!("was not handed over whole: {}", status.message()));
    match parts.message().await.map_err(cut)? {
        None => Ok(None),
        Some(pb::PublishTableRequest { part: Some(part) }) => Ok(Some(part)),
        Some(pb::PublishTableRequest { part: None }) => {
            Err(Refusal::wrong("part", "is none that is known here".to_owned()))
        }
    }
}

/// The version that a caller stands on.
pub(super) const fn base(number: Option<u64>) -> Base {
    match number {
        Some(number) => Base::Number(number),
        None => Base::Any,
    }
}

fn within(span: prost_types::Duration) -> Result<Duration, Refusal> {
    let wrong = || {
        let what = format!(
            "is not between {} s and {} h",
            CONFIRM_MIN.as_secs(),
            CONFIRM_MAX.as_secs() / 3_600
        );
        Refusal::wrong("confirm_within", what)
    };
    let span = Duration::try_from(span).map_err(|_| wrong())?;
    (CONFIRM_MIN..=CONFIRM_MAX)
        .contains(&span)
        .then_some(span)
        .ok_or_else(wrong)
}

/// A text of one line that people wrote.
///
/// # Errors
/// It is too long, or has characters that could move a terminal's cursor.
pub(super) fn text(field: &str, text: String, chars_max: usize) -> Result<String, Refusal> {
    let count = text.chars().count();
    if count > chars_max {
        return Err(Refusal::wrong(
            field,
            format!("has {count} characters, at most {chars_max} are kept"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::wrong(
            field,
            "has control characters: it is one line of text".to_owned(),
        ));
    }
    Ok(text)
}
