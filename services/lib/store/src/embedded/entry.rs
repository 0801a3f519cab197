//! How a value lies on disk: `expires u64 | version u64 | has due u8 | partition u32 | second u64 | value`, most significant
//! octet first. The expiry comes first, where merges look for it.

use bytes::{Buf, BufMut, Bytes};

use crate::{Due, step::Entry};

/// Octets before the value.
const HEAD_OCTETS: usize = 8 + 8 + 1 + 4 + 8;

pub(super) fn encode(entry: &Entry) -> Bytes {
    let mut octets = Vec::with_capacity(HEAD_OCTETS + entry.value.len());
    let due = entry.due.unwrap_or(Due {
        partition: 0,
        second: 0,
    });
    octets.put_u64(entry.expires_at_ms);
    octets.put_u64(entry.version);
    octets.put_u8(u8::from(entry.due.is_some()));
    octets.put_u32(due.partition);
    octets.put_u64(due.second);
    octets.put_slice(&entry.value);
    octets.into()
}

/// Reads an entry back; its value shares the memory. `None` if it is none of ours.
pub(super) fn decode(mut octets: Bytes) -> Option<Entry> {
    if octets.len() < HEAD_OCTETS {
        tracing::error!("a value of the store cannot be read, it counts as absent");
        return None;
    }
    let (expires_at_ms, version, has_due) = (octets.get_u64(), octets.get_u64(), octets.get_u8() == 1);
    let due = Due {
        partition: octets.get_u32(),
        second: octets.get_u64(),
    };
    Some(Entry {
        value: octets,
        version,
        expires_at_ms,
        due: has_due.then_some(due),
    })
}

pub(super) fn number(octets: &[u8]) -> Option<u64> {
    octets.first_chunk().map(|octets| u64::from_be_bytes(*octets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let due = Due {
            partition: 7,
            second: 1_790_000_000,
        };
        for due in [None, Some(due)] {
            for value in ["", "value"] {
                let entry = Entry {
                    value: value.into(),
                    version: 42,
                    expires_at_ms: u64::MAX,
                    due,
                };
                assert_eq!(decode(encode(&entry)), Some(entry));
            }
        }
    }

    #[test]
    fn what_is_too_short_counts_as_absent() {
        assert_eq!(decode(Bytes::from_static(&[0; HEAD_OCTETS - 1])), None);
    }
}
