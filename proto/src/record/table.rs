//! Published routing tables: chunks of their files, publications, confirmations, and what routers serve.

use bytes::Bytes;
use sms::{RecordKey, UnixMs};

use super::{
    carrier::key_of,
    invalid::{Invalid, need},
    seal::{self, Kind},
};
use crate::pb::signalbox::bus::v1::{self as pb, table_word::Word};

/// Most octets of one chunk: far below what a record may have on any log.
pub const CHUNK_OCTETS_MAX: usize = 256 * 1024;
const _: () = assert!(CHUNK_OCTETS_MAX * 2 <= bus::RECORD_OCTETS_MAX);

/// One record of the tables topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableWord {
    /// A part of a version's files.
    Chunk(TableChunk),
    /// A version is published.
    Publication(TablePublication),
    /// A version is confirmed.
    Confirmation(TableConfirmation),
    /// What a router serves.
    Serving(TableServing),
}

/// A part of the packed files of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChunk {
    /// The upload that it is of.
    pub upload: u64,
    /// Its place, from 0.
    pub place: u32,
    /// Its octets, at most [`CHUNK_OCTETS_MAX`] of them.
    pub octets: Bytes,
}

/// A version that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TablePublication {
    /// Its number, from 1.
    pub number: u64,
    /// Content hash of the table.
    pub version: String,
    /// The upload that holds its files.
    pub upload: u64,
    /// CRC-32 of each chunk of that upload, in order.
    pub checksums: Vec<u32>,
    /// Octets of all chunks together.
    pub packed_octets: u64,
    /// When it was published.
    pub at: UnixMs,
    /// Until when it must be confirmed; `None` = it need not be.
    pub confirm_by: Option<UnixMs>,
    /// The version whose files it publishes again; `None` = it has its own.
    pub again: Option<u64>,
    /// Who published it, as they call themselves.
    pub who: String,
    /// Why.
    pub note: String,
}

/// A version was confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableConfirmation {
    /// Number of the version.
    pub number: u64,
    /// When it was said.
    pub at: UnixMs,
    /// Who said so, as they call themselves.
    pub who: String,
}

/// What one router serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableServing {
    /// The router.
    pub router: String,
    /// Number of the version; `None` = it knows it as none that was published.
    pub number: Option<u64>,
    /// Content hash of the table.
    pub version: String,
    /// When this was said.
    pub said_at: UnixMs,
    /// Why it does not serve the version in force; empty = it does, or is about to.
    pub fault: String,
}

impl TableChunk {
    /// Key of its record.
    pub fn key(upload: u64, place: u32) -> RecordKey {
        key_of(&upload.to_be_bytes(), &place.to_be_bytes())
    }
}

impl TableServing {
    /// Key of the words of `router`.
    pub fn key(router: &str) -> RecordKey {
        key_of(b"/serving", router.as_bytes())
    }
}

/// CRC-32 of the octets of a chunk, as a publication says it.
pub fn chunk_checksum(octets: &[u8]) -> u32 {
    crc32fast::hash(octets)
}

/// Octets of a record of the tables topic.
pub fn table_word_to_bytes(word: &TableWord) -> Bytes {
    let word = match word {
        TableWord::Chunk(chunk) => Word::Chunk(pb::TableChunk {
            upload: chunk.upload,
            place: chunk.place,
            octets: chunk.octets.clone(),
        }),
        TableWord::Publication(publication) => Word::Publication(publication_to_pb(publication)),
        TableWord::Confirmation(confirmation) => Word::Confirmation(pb::TableConfirmation {
            number: confirmation.number,
            at: confirmation.at.0,
            who: confirmation.who.clone(),
        }),
        TableWord::Serving(serving) => Word::Serving(pb::TableServing {
            router: serving.router.clone(),
            number: serving.number.unwrap_or_default(),
            version: serving.version.clone(),
            said_at: serving.said_at.0,
            fault: serving.fault.clone(),
        }),
    };
    seal::seal(Kind::Table, &pb::TableWord { word: Some(word) })
}

/// What a record of the tables topic says.
///
/// # Errors
/// The field that is missing or not understood; a word that a later version has is one that is missing.
pub fn table_word_from_bytes(octets: &Bytes) -> Result<TableWord, Invalid> {
    let word: pb::TableWord = seal::open(Kind::Table, octets)?;
    Ok(match need("word", word.word)? {
        Word::Chunk(chunk) => TableWord::Chunk(TableChunk {
            upload: chunk.upload,
            place: chunk.place,
            octets: chunk.octets,
        }),
        Word::Publication(publication) => TableWord::Publication(publication_from_pb(publication)?),
        Word::Confirmation(confirmation) => TableWord::Confirmation(TableConfirmation {
            number: need("number", above_zero(confirmation.number))?,
            at: UnixMs(confirmation.at),
            who: confirmation.who,
        }),
        Word::Serving(serving) => TableWord::Serving(TableServing {
            router: serving.router,
            number: above_zero(serving.number),
            version: serving.version,
            said_at: UnixMs(serving.said_at),
            fault: serving.fault,
        }),
    })
}

fn publication_to_pb(publication: &TablePublication) -> pb::TablePublication {
    pb::TablePublication {
        number: publication.number,
        version: publication.version.clone(),
        upload: publication.upload,
        checksums: publication.checksums.clone(),
        packed_octets: publication.packed_octets,
        at: publication.at.0,
        confirm_by: publication.confirm_by.map(|by| by.0),
        again: publication.again.unwrap_or_default(),
        who: publication.who.clone(),
        note: publication.note.clone(),
    }
}

fn publication_from_pb(publication: pb::TablePublication) -> Result<TablePublication, Invalid> {
    Ok(TablePublication {
        number: need("number", above_zero(publication.number))?,
        version: publication.version,
        upload: publication.upload,
        checksums: publication.checksums,
        packed_octets: publication.packed_octets,
        at: UnixMs(publication.at),
        confirm_by: publication.confirm_by.map(UnixMs),
        again: above_zero(publication.again),
        who: publication.who,
        note: publication.note,
    })
}

fn above_zero(number: u64) -> Option<u64> {
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests;
