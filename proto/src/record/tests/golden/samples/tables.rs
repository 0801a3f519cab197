//! Words about tables.

use super::*;

pub(super) fn tables() -> Vec<Sample> {
    let chunk = TableChunk {
        upload: 0x0123_4567_89AB_CDEF,
        place: 1,
        octets: Bytes::from_static(&[1, 2, 3]),
    };
    let publication = TablePublication {
        number: 7,
        version: "0123456789abcdef".to_owned(),
        upload: 0x0123_4567_89AB_CDEF,
        checksums: vec![1, u32::MAX],
        packed_octets: 262_147,
        at: UnixMs(1_767_225_600_000),
        confirm_by: Some(UnixMs(1_767_225_900_000)),
        again: Some(5),
        who: "ann".to_owned(),
        note: "atlas is cheaper".to_owned(),
    };
    let settled = TablePublication {
        confirm_by: None,
        again: None,
        who: String::new(),
        note: String::new(),
        ..publication.clone()
    };
    let confirmation = TableConfirmation {
        number: 7,
        at: UnixMs(1_767_225_700_000),
        who: "ann".to_owned(),
    };
    let serving = TableServing {
        router: "router-0".to_owned(),
        number: Some(7),
        version: "0123456789abcdef".to_owned(),
        said_at: UnixMs(1_767_225_601_000),
        fault: "policies.toml:3: error[T002]: unknown key".to_owned(),
    };
    let unpublished = TableServing {
        number: None,
        fault: String::new(),
        ..serving.clone()
    };
    let sample = |name, word| Sample::new(name, word, table_word_to_bytes, table_word_from_bytes);
    vec![
        sample("table.chunk", TableWord::Chunk(chunk)),
        sample("table.publication", TableWord::Publication(publication)),
        sample("table.publication.settled", TableWord::Publication(settled)),
        sample("table.confirmation", TableWord::Confirmation(confirmation)),
        sample("table.serving", TableWord::Serving(serving)),
        sample("table.serving.unpublished", TableWord::Serving(unpublished)),
    ]
}
