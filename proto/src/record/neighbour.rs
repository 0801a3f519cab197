//! What the neighbouring versions of this one write, for tests of a fleet that is upgraded one process at a time: the one after
//! it adds fields that nobody knows yet, to every message within a record; the one before it lacks fields that came last.

use std::{collections::BTreeMap, sync::LazyLock};

use bytes::{Buf as _, Bytes};
use prost::{
    Message as _,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field},
};
use prost_types::{FileDescriptorSet, field_descriptor_proto::Type};

use super::seal;
use crate::DESCRIPTORS;

/// A version beside this one.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbour {
    /// The one before: it knows nothing of [`LATE_FIELDS`].
    Older,
    /// The one after: it has fields of its own everywhere.
    Newer,
}

/// Fields that came last, by message and name, and may be absent: what that means stands beside each in the `.proto` file.
const LATE_FIELDS: [(&str, &str); 11] = [
    ("Accepted", "trace"),
    ("Answer", "charge"),
    ("Congestion", "account"),
    ("Correlation", "trace"),
    ("Dead", "fault"),
    ("Delayed", "put_at"),
    ("Gathering", "others"),
    ("Inbound", "others"),
    ("MatchedReceipt", "segments"),
    ("Receipt", "vendor"),
    ("Taken", "charge"),
];

/// Fields that no version of this one has: a number, and octets.
const UNKNOWN: [u32; 2] = [1_998, 1_999];

/// Where messages of records are.
const PACKAGE: &str = ".signalbox.bus.v1.";

/// The fields of each message by number: its name, and the message that it holds, if it holds one.
type Schema = BTreeMap<String, BTreeMap<u32, (String, Option<String>)>>;

static SCHEMA: LazyLock<Schema> = LazyLock::new(schema);

impl Neighbour {
    /// `octets` as it would have written them, or as it reads them. What has no seal, as values of the store that are no records, stays
    /// as it is.
    ///
    /// # Panics
    /// Behind the seal is no record.
    pub fn version_of(self, octets: &Bytes) -> Bytes {
        let Some((kind, body)) = seal::sealed(octets) else {
            return octets.clone();
        };
        let name = format!("{PACKAGE}{}", kind.message());
        seal::seal_octets(kind, &self.edit(&name, body))
    }

    fn edit(self, message: &str, mut rest: Bytes) -> Vec<u8> {
        let mut edited = Vec::with_capacity(rest.len());
        let fields = &SCHEMA[message];
        while rest.has_remaining() {
            let whole = rest.clone();
            let (number, wire) = decode_key(&mut rest).expect("records are protobuf");
            let (name, held) = fields
                .get(&number)
                .map_or(("", None), |(name, held)| (name.as_str(), held.as_deref()));
            if let (WireType::LengthDelimited, Some(held)) = (wire, held) {
                let length = decode_varint(&mut rest).expect("records are protobuf") as usize;
                let inner = self.edit(held, rest.split_to(length));
                if !self.lacks(message, name) {
                    encode_key(number, wire, &mut edited);
                    encode_varint(inner.len() as u64, &mut edited);
                    edited.extend(inner);
                }
                continue;
            }
            skip_field(wire, number, &mut rest, DecodeContext::default()).expect("records are protobuf");
            if !self.lacks(message, name) {
                edited.extend_from_slice(&whole[..whole.len() - rest.len()]);
            }
        }
        if self == Self::Newer {
            add_unknown(&mut edited);
        }
        edited
    }

    fn lacks(self, message: &str, field: &str) -> bool {
        let message = message.strip_prefix(PACKAGE).unwrap_or(message);
        self == Self::Older && LATE_FIELDS.contains(&(message, field))
    }
}

fn add_unknown(octets: &mut Vec<u8>) {
    let [number, text] = UNKNOWN;
    encode_key(number, WireType::Varint, octets);
    encode_varint(300, octets);
    encode_key(text, WireType::LengthDelimited, octets);
    encode_varint(3, octets);
    octets.extend_from_slice(b"new");
}

fn schema() -> Schema {
    let files = FileDescriptorSet::decode(DESCRIPTORS).expect("the build wrote them");
    let mut schema = Schema::new();
    for file in files.file {
        for message in &file.message_type {
            let fields = message.field.iter().map(|field| {
                let held = (field.r#type() == Type::Message).then(|| field.type_name().to_owned());
                (field.number() as u32, (field.name().to_owned(), held))
            });
            schema.insert(format!(".{}.{}", file.package(), message.name()), fields.collect());
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that was renamed or removed would be lacking nowhere.
    #[test]
    fn late_fields_are_fields() {
        for (message, field) in LATE_FIELDS {
            let fields = &SCHEMA[&format!("{PACKAGE}{message}")];
            assert!(
                fields.values().any(|(name, _)| name == field),
                "{message} has no {field}"
            );
        }
        let numbers = SCHEMA.values().flat_map(|fields| fields.keys());
        assert!(
            !numbers.into_iter().any(|number| UNKNOWN.contains(number)),
            "a field has such a number"
        );
    }
}
