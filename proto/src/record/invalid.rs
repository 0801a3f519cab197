//! Why octets could not be understood.

use std::fmt::Display;

/// Octets that are no such record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Written by a version that this one cannot follow; it can be read once the upgrade is finished.
    #[error("written in format {format}, this version reads up to {known}: finish the upgrade, then replay")]
    Newer {
        /// The format it is written in.
        format: u32,
        /// The newest format that is read here.
        known: u32,
    },
    /// The octets end before the record begins.
    #[error("octets end within the seal, after {octets}")]
    Truncated {
        /// How many octets there are.
        octets: usize,
    },
    /// The octets are not those that were written, or stand where another kind of record belongs.
    #[error("record {0}")]
    Damaged(String),
    /// Not this kind of record at all.
    #[error("octets are not protobuf of this record: {0}")]
    Octets(String),
    /// A field that must be there is not.
    #[error("field {0} is missing")]
    Missing(&'static str),
    /// A field holds what it may not.
    #[error("field {field}: {reason}")]
    Field {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why a record is put aside, in one word: what is counted, and what dead records are looked up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A later version wrote them.
    Newer,
    /// They end too early.
    Truncated,
    /// They are not those that were written.
    Checksum,
    /// They were written so, and say what cannot be.
    Invalid,
    /// They can be read, and nobody waits for what they say: a receipt of no message.
    Orphan,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] = [
        Self::Newer,
        Self::Truncated,
        Self::Checksum,
        Self::Invalid,
        Self::Orphan,
    ];

    /// The word in metrics, logs and dead records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newer => "newer",
            Self::Truncated => "truncated",
            Self::Checksum => "checksum",
            Self::Invalid => "invalid",
            Self::Orphan => "orphan",
        }
    }
}

impl Invalid {
    /// The kind of fault.
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Newer { .. } => Fault::Newer,
            Self::Truncated { .. } => Fault::Truncated,
            Self::Damaged(_) => Fault::Checksum,
            Self::Octets(_) | Self::Missing(_) | Self::Field { .. } => Fault::Invalid,
        }
    }
}

impl From<prost::DecodeError> for Invalid {
    fn from(error: prost::DecodeError) -> Self {
        Self::Octets(error.to_string())
    }
}

/// Turns any complaint into one about `field`.
pub(super) fn field<T, E: Display>(field: &'static str, read: Result<T, E>) -> Result<T, Invalid> {
    read.map_err(|error| Invalid::Field {
        field,
        reason: error.to_string(),
    })
}

/// The value, or a complaint that `field` is missing.
pub(super) fn need<T>(field: &'static str, value: Option<T>) -> Result<T, Invalid> {
    value.ok_or(Invalid::Missing(field))
}

/// A number that fits an octet.
pub(super) fn octet(name: &'static str, value: u32) -> Result<u8, Invalid> {
    field(
        name,
        u8::try_from(value).map_err(|_| format!("{value} is over the limit 255")),
    )
}
