//! Why octets could not be understood.

use std::fmt::Display;

/// Octets that are no such record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
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
