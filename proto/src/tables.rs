//! The files of a table in one piece, as they are handed over and kept on the log: a protobuf message, compressed as gzip.

use std::io::{self, Read as _, Write as _};

use bytes::Bytes;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use prost::Message as _;

use crate::pb::signalbox::routing::v1 as pb;

/// Most octets of packed files: a table of several million prices.
pub const PACKED_OCTETS_MAX: usize = 32 * 1024 * 1024;
/// Most octets that packed files may come to. A few octets could come to anything otherwise.
pub const UNPACKED_OCTETS_MAX: usize = 512 * 1024 * 1024;
/// Octets of a piece, where they are handed over in pieces.
pub const PIECE_OCTETS_MAX: usize = 256 * 1024;

/// Why files cannot be packed or unpacked.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Too much to be published.
    #[error("the table has {octets} octets once packed, at most {PACKED_OCTETS_MAX} can be published")]
    Packed {
        /// How many.
        octets: usize,
    },
    /// They come to too much.
    #[error("the files of the table have over {UNPACKED_OCTETS_MAX} octets, the limit of one that is published")]
    Unpacked,
    /// They are not what [`pack`] makes.
    #[error("the packed files cannot be read: {0}")]
    Unreadable(String),
}

/// Packs files, given as path and content. Equal files give equal octets, by one version of the library that compresses.
///
/// # Errors
/// They are too large.
pub fn pack<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Bytes, PackError> {
    let (mut packed, mut octets) = (GzEncoder::new(Vec::new(), Compression::default()), 0);
    for (path, content) in files {
        octets += content.len();
        if octets > UNPACKED_OCTETS_MAX {
            return Err(PackError::Unpacked);
        }
        // A list may be encoded entry by entry, so that no more than one file is held twice.
        let files = pb::TableFiles {
            files: vec![pb::TableFile {
                path: path.to_owned(),
                content: Bytes::copy_from_slice(content),
            }],
        };
        packed.write_all(&files.encode_to_vec()).expect("memory takes all");
    }
    let packed = packed.finish().expect("memory takes all");
    match packed.len() {
        octets if octets > PACKED_OCTETS_MAX => Err(PackError::Packed { octets }),
        _ => Ok(packed.into()),
    }
}

/// The files in `packed`, as path and content. Any path may stand there: whoever writes files judges it first.
///
/// # Errors
/// They are too large, or not what [`pack`] makes.
pub fn unpack(packed: &[u8]) -> Result<Vec<(String, Bytes)>, PackError> {
    // Paths and lengths stand beside what the files hold.
    unpack_within(UNPACKED_OCTETS_MAX + UNPACKED_OCTETS_MAX / 64, packed)
}

fn unpack_within(limit: usize, packed: &[u8]) -> Result<Vec<(String, Bytes)>, PackError> {
    let unreadable = |error: io::Error| PackError::Unreadable(error.to_string());
    let mut octets = Vec::new();
    let mut reader = GzDecoder::new(packed).take(limit as u64 + 1);
    reader.read_to_end(&mut octets).map_err(unreadable)?;
    if octets.len() > limit {
        return Err(PackError::Unpacked);
    }
    let files = pb::TableFiles::decode(Bytes::from(octets));
    let files = files.map_err(|error| PackError::Unreadable(error.to_string()))?;
    Ok(files.files.into_iter().map(|file| (file.path, file.content)).collect())
}

#[cfg(test)]
mod tests;
