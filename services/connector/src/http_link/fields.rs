//! The fields of a call, whichever way they are written.

use std::borrow::Cow;

use serde_json::Value;
use web::{Call, Method, header::CONTENT_TYPE, text_at};

use super::hook::{Field, Format, Only};

/// Receipts or messages of one call.
pub(super) const ENTRIES_MAX: usize = 1_000;
/// Fields of one form.
const FIELDS_MAX: usize = 200;

/// What one call says, in one piece or many.
#[derive(Debug)]
pub(super) enum Said {
    Json(Value),
    Form(Vec<(String, String)>),
}

/// One receipt or message of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry<'a> {
    Json(&'a Value),
    Form(&'a [(String, String)]),
}

impl Said {
    /// What `call` says; `None` = it is not written so.
    pub(super) fn read(call: &Call, format: Format) -> Option<Self> {
        let format = match format {
            Format::Any if call.method == Method::GET => Format::Query,
            Format::Any => match content_type(call) {
                Some("application/x-www-form-urlencoded") => Format::Form,
                _ => Format::Json,
            },
            other => other,
        };
        match format {
            Format::Json | Format::Any => serde_json::from_slice(&call.body).ok().map(Self::Json),
            Format::Form => form(&call.body).map(Self::Form),
            Format::Query => form(call.query.as_bytes()).map(Self::Form),
        }
    }

    /// Each of its entries, those that `only` means; `None` = they are not where they should be, or too many.
    pub(super) fn entries(&self, each: Option<&str>, only: &Only) -> Option<Vec<Entry<'_>>> {
        let all = match self {
            Self::Form(fields) => vec![Entry::Form(fields)],
            Self::Json(value) => {
                let list = match each {
                    Some(pointer) => value.pointer(pointer)?,
                    None => value,
                };
                match list {
                    Value::Array(items) => items.iter().map(Entry::Json).collect(),
                    Value::Object(_) => vec![Entry::Json(list)],
                    _ => return None,
                }
            }
        };
        let is_meant = |entry: &Entry<'_>| {
            only.words.is_empty()
                || entry
                    .text(&only.field)
                    .is_some_and(|word| only.words.iter().any(|known| *known == word))
        };
        (all.len() <= ENTRIES_MAX).then(|| all.into_iter().filter(is_meant).collect())
    }
}

impl Entry<'_> {
    /// What stands at `field`; `None` = nothing.
    pub(super) fn text(&self, field: &Field) -> Option<Cow<'_, str>> {
        match (self, field) {
            (Self::Json(value), Field::Pointer(pointer)) => text_at(value, pointer).map(Cow::Owned),
            (Self::Json(value), Field::Name(name)) => text_at(value.get(name)?, "").map(Cow::Owned),
            (Self::Form(fields), Field::Name(name)) => {
                let found = fields.iter().find(|(known, _)| known == name);
                found
                    .map(|(_, value)| value.as_str())
                    .filter(|value| !value.is_empty())
                    .map(Cow::Borrowed)
            }
            (Self::Form(_), Field::Pointer(_)) | (_, Field::None) => None,
        }
    }

    /// The same where white space counts, and nothing is something.
    pub(super) fn whole_text(&self, field: &Field) -> Option<Cow<'_, str>> {
        let found = match (self, field) {
            (Self::Json(value), Field::Pointer(pointer)) => value.pointer(pointer)?.as_str()?,
            (Self::Json(value), Field::Name(name)) => value.get(name)?.as_str()?,
            (Self::Form(fields), Field::Name(name)) => &fields.iter().find(|(known, _)| known == name)?.1,
            (Self::Form(_), Field::Pointer(_)) | (_, Field::None) => return None,
        };
        Some(Cow::Borrowed(found))
    }
}

fn content_type(call: &Call) -> Option<&str> {
    let written = call.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(written.split(';').next().unwrap_or_default().trim())
}

/// Names and values in their order; `None` = too many.
pub(super) fn form(octets: &[u8]) -> Option<Vec<(String, String)>> {
    let fields: Vec<_> = form_urlencoded::parse(octets)
        .into_owned()
        .take(FIELDS_MAX + 1)
        .collect();
    (fields.len() <= FIELDS_MAX).then_some(fields)
}
