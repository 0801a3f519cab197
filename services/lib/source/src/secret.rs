//! Secrets: written in the file, or named by an environment variable or a file.

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

/// Longest secret, in octets.
pub const SECRET_OCTETS_MAX: u64 = 65_536;

/// A secret value. Debug and Display mask it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Where a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// Written in the file itself.
    Plain(Secret),
    /// `{ env = "NAME" }`.
    Env(String),
    /// `{ file = "PATH" }`, relative to the directory of the file that names it.
    File(PathBuf),
}

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set or not UTF-8.
    #[error("environment variable {0} is not set")]
    Env(String),
    /// The file cannot be read.
    #[error("{}: {error}", path.display())]
    File {
        /// The file, resolved.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Too long.
    #[error("{} has {octets} octets, a secret may have {SECRET_OCTETS_MAX}", path.display())]
    Length {
        /// The file, resolved.
        path: PathBuf,
        /// Its length.
        octets: u64,
    },
}

impl Secret {
    /// Takes `value` as a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: for the wire, never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl SecretSource {
    /// Fetches the secret. A relative file is looked up under `base`; one line end at its end is dropped.
    ///
    /// # Errors
    /// The variable or file is not there, or too long.
    pub fn read(&self, base: &Path) -> Result<Secret, SecretError> {
        match self {
            Self::Plain(secret) => Ok(secret.clone()),
            Self::Env(name) => env::var(name).map(Secret).map_err(|_| SecretError::Env(name.clone())),
            Self::File(path) => read_file(base.join(path)),
        }
    }
}

fn read_file(path: PathBuf) -> Result<Secret, SecretError> {
    match fs::metadata(&path).map(|meta| meta.len()) {
        Ok(octets) if octets > SECRET_OCTETS_MAX => return Err(SecretError::Length { path, octets }),
        Ok(_) => {}
        Err(error) => return Err(SecretError::File { path, error }),
    }
    let mut value = fs::read_to_string(&path).map_err(|error| SecretError::File { path, error })?;
    let kept = value.trim_end_matches('\n').trim_end_matches('\r').len();
    value.truncate(kept);
    Ok(Secret(value))
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
