//! How records lie on disk: those of one publish in one partition together, so that a record costs a copy and no tree node.
//!
//! `instant u64 | count u32 | record*`, a record being `key u64 | headers u16 | value length u32 | value | header*`, a header
//! `name length u16 | name | value length u32 | value`; least significant octet first. Positions follow on from the chunk's.

use bytes::{Buf, BufMut, Bytes};

use crate::{Record, Stored};

/// Octets of a record beside its value and headers.
const RECORD_OCTETS: usize = 8 + 2 + 4;
const HEADER_OCTETS: usize = 2 + 4;
const CHUNK_OCTETS: usize = 8 + 4;

/// Writes `records` down, all stored at `instant_ms`.
pub(super) fn encode(instant_ms: u64, records: &[Record]) -> Bytes {
    let octets = records.iter().map(octets_of).sum::<usize>();
    let mut chunk = Vec::with_capacity(CHUNK_OCTETS + octets);
    chunk.put_u64_le(instant_ms);
    chunk.put_u32_le(records.len() as u32);
    for record in records {
        chunk.put_u64_le(record.key);
        chunk.put_u16_le(record.headers.len() as u16);
        chunk.put_u32_le(record.value.len() as u32);
        chunk.put_slice(&record.value);
        for (name, value) in &record.headers {
            chunk.put_u16_le(name.len() as u16);
            chunk.put_slice(name.as_bytes());
            chunk.put_u32_le(value.len() as u32);
            chunk.put_slice(value);
        }
    }
    chunk.into()
}

/// Reads a chunk back; the values share its memory. `None` if it is none of ours.
pub(super) fn decode(mut chunk: Bytes) -> Option<Vec<Stored>> {
    let instant_ms = chunk.try_get_u64_le().ok()?;
    let count = chunk.try_get_u32_le().ok()? as usize;
    let mut records = Vec::with_capacity(count.min(crate::PUBLISH_RECORDS_MAX));
    for _ in 0..count {
        records.push(decode_record(&mut chunk, instant_ms)?);
    }
    Some(records)
}

/// When the records of a chunk were stored.
pub(super) fn instant_ms(mut chunk: &[u8]) -> Option<u64> {
    chunk.try_get_u64_le().ok()
}

/// Records of a chunk.
pub(super) fn count(mut chunk: &[u8]) -> Option<u64> {
    chunk.try_get_u64_le().ok()?;
    chunk.try_get_u32_le().ok().map(u64::from)
}

fn decode_record(chunk: &mut Bytes, stored_at_ms: u64) -> Option<Stored> {
    let key = chunk.try_get_u64_le().ok()?;
    let header_count = chunk.try_get_u16_le().ok()?;
    let octets = chunk.try_get_u32_le().ok()?;
    let value = take(chunk, octets as usize)?;
    let mut headers = Vec::with_capacity(usize::from(header_count));
    for _ in 0..header_count {
        let octets = chunk.try_get_u16_le().ok()?;
        let name = std::str::from_utf8(&take(chunk, usize::from(octets))?).ok()?.to_owned();
        let octets = chunk.try_get_u32_le().ok()?;
        headers.push((name, take(chunk, octets as usize)?));
    }
    Some(Stored {
        key,
        value,
        stored_at_ms,
        headers,
    })
}

fn take(chunk: &mut Bytes, octets: usize) -> Option<Bytes> {
    (chunk.len() >= octets).then(|| chunk.split_to(octets))
}

fn octets_of(record: &Record) -> usize {
    let headers = record
        .headers
        .iter()
        .map(|(name, value)| HEADER_OCTETS + name.len() + value.len())
        .sum::<usize>();
    RECORD_OCTETS + record.value.len() + headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let mut plain = Record::new(7, "value");
        let headers = vec![("traceparent", Bytes::from_static(b"00-ab")), ("empty", Bytes::new())];
        let rich = Record {
            headers,
            ..Record::new(u64::MAX, "")
        };
        let records = decode(encode(42, &[plain.clone(), rich])).unwrap();
        plain.headers.clear();
        assert_eq!(
            records[0],
            Stored {
                key: 7,
                value: "value".into(),
                stored_at_ms: 42,
                headers: vec![]
            }
        );
        assert_eq!(records[1].key, u64::MAX);
        assert_eq!(
            records[1].headers[0],
            ("traceparent".to_owned(), Bytes::from_static(b"00-ab"))
        );
        assert_eq!(records[1].headers[1], ("empty".to_owned(), Bytes::new()));
    }

    #[test]
    fn a_chunk_cut_anywhere_is_refused() {
        let record = Record {
            headers: vec![("name", Bytes::from_static(b"x"))],
            ..Record::new(1, "value")
        };
        let chunk = encode(42, &[record]);
        for octets in 0..chunk.len() {
            assert_eq!(decode(chunk.slice(..octets)), None, "{octets} octets");
        }
    }
}
