//! The files of a published version, read from the log.

use std::{collections::BTreeMap, time::Duration};

use bus::{ConsumeError, Position};
use bytes::{Bytes, BytesMut};
use service::time;
use signalbox_proto::{
    record::{TablePublication, TableWord, chunk_checksum, table_word_from_bytes},
    tables::{PackError, unpack},
    topics,
};
use table::files::Files;

use super::{InForce, Tables};

/// Longest wait for the log.
const FETCH_LIMIT: Duration = Duration::from_secs(30);
/// Records taken at once: chunks are large.
const RECORDS_MAX: usize = 32;

/// Why the files of a version cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The log does not give them just now.
    #[error("the log does not give the files of version {number}: {reason}")]
    Away {
        /// The version.
        number: u64,
        /// What the log says.
        reason: String,
    },
    /// They are not there any more.
    #[error("the files of version {0} are no longer kept")]
    Gone(u64),
    /// They are not those of a table, or not of this version.
    #[error("the files of version {number} cannot be used: {reason}")]
    Unusable {
        /// The version.
        number: u64,
        /// What is wrong.
        reason: String,
    },
}

impl Tables {
    /// The packed files of `version`.
    ///
    /// # Errors
    /// The log is away, or does not keep them.
    pub async fn fetch(&self, version: &InForce) -> Result<Bytes, FetchError> {
        self.fetch_packed(&version.publication).await
    }

    pub(crate) async fn fetch_packed(&self, publication: &TablePublication) -> Result<Bytes, FetchError> {
        let number = publication.number;
        let away = |reason| FetchError::Away { number, reason };
        match time::timeout(FETCH_LIMIT, self.chunks(publication)).await {
            Some(Ok(chunks)) => join(publication, &chunks).ok_or(FetchError::Gone(number)),
            Some(Err(error)) => Err(away(error.to_string())),
            None => Err(away(format!("no answer within {FETCH_LIMIT:?}"))),
        }
    }

    /// The chunks of a publication that the log still has, by place.
    async fn chunks(&self, publication: &TablePublication) -> Result<BTreeMap<u32, Bytes>, ConsumeError> {
        let since = self.ledger().stored_since(publication.upload);
        let from = since.map_or(Position::Start, |since| Position::Since(since.0));
        let mut reader = self.bus().read(&topics::tables(), from).await?;
        let mut chunks = BTreeMap::new();
        while chunks.len() < publication.checksums.len() {
            let records = reader.poll(RECORDS_MAX).await?;
            if records.is_empty() {
                break;
            }
            for record in records {
                if let Ok(TableWord::Chunk(chunk)) = table_word_from_bytes(&record.value)
                    && chunk.upload == publication.upload
                {
                    chunks.insert(chunk.place, chunk.octets);
                }
            }
        }
        Ok(chunks)
    }
}

/// The chunks in one piece; `None` = one of them is not there, or another.
fn join(publication: &TablePublication, chunks: &BTreeMap<u32, Bytes>) -> Option<Bytes> {
    let mut packed = BytesMut::with_capacity(usize::try_from(publication.packed_octets).ok()?);
    for (place, checksum) in (0..).zip(&publication.checksums) {
        let octets = chunks
            .get(&place)
            .filter(|octets| chunk_checksum(octets) == *checksum)?;
        packed.extend_from_slice(octets);
    }
    Some(packed.freeze())
}

impl InForce {
    /// The files in `packed`, which are those of this version. Takes as long as unpacking does.
    ///
    /// # Errors
    /// They are not.
    pub fn unpack(&self, packed: &[u8]) -> Result<Files, FetchError> {
        let number = self.number;
        let unusable = |reason| FetchError::Unusable { number, reason };
        let files = files(packed).map_err(unusable)?;
        match files.version() {
            found if found == self.version => Ok(files),
            found => Err(unusable(format!(
                "they make {found}, and {} was published",
                self.version
            ))),
        }
    }
}

/// The files of a table in `packed`.
///
/// # Errors
/// They are too large, or not those of a table.
pub fn files(packed: &[u8]) -> Result<Files, String> {
    let files = unpack(packed).map_err(|error: PackError| error.to_string())?;
    Files::gather(files.into_iter().map(|(path, content)| (path, content.to_vec())))
}
