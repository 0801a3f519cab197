//! Operations and what becomes of them.

use bytes::Bytes;

/// A key: a short path such as `state/<message id>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub Bytes);

/// A place in the due index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// Partition whose owner looks at it.
    pub partition: u32,
    /// Second since the epoch in which it is due.
    pub second: u64,
}

/// An entry of the due index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueEntry {
    /// Key of the value that is due.
    pub key: Key,
    /// Second in which it was due.
    pub second: u64,
}

/// A value and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// The value.
    pub value: Bytes,
    /// Differs after every write of this key; never 0.
    pub version: u64,
}

/// A span of time in which a store lost nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// Its name, drawn anew for each.
    pub word: String,
    /// When it began, in milliseconds since the epoch of the clock. What is older stands on the rebuilt store.
    pub began_at_ms: u64,
}

/// One operation. `expires_at_ms` is in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Takes the key for `owner` if nobody else holds it.
    Claim {
        /// The key.
        key: Key,
        /// Who claims; compared octet by octet.
        owner: Bytes,
        /// When the claim lapses.
        expires_at_ms: u64,
    },
    /// Writes whatever is there.
    Put {
        /// The key.
        key: Key,
        /// The value.
        value: Bytes,
        /// When it lapses.
        expires_at_ms: u64,
    },
    /// Writes if the version is `expected` (`None` = only if absent), and moves the due entry.
    Swap {
        /// The key.
        key: Key,
        /// Version that must be there.
        expected: Option<u64>,
        /// The new value; `None` removes it and its due entry.
        value: Option<Bytes>,
        /// When it lapses.
        expires_at_ms: u64,
        /// Its place in the due index; `None` = none.
        due: Option<Due>,
    },
    /// Removes the key and its due entry, if there.
    Remove {
        /// The key.
        key: Key,
    },
}

/// What became of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The claim is ours now.
    Claimed,
    /// The claim was ours already.
    Reclaimed,
    /// Somebody else holds the claim.
    Held {
        /// Who.
        owner: Bytes,
    },
    /// Written; the new version.
    Written(u64),
    /// Another version is there; `None` = absent. Nothing was written.
    Conflict(Option<Versioned>),
    /// Removed, or there was nothing.
    Removed,
}

impl Key {
    /// The key made of `kind`, a slash and `id`.
    pub fn new(kind: &str, id: impl AsRef<[u8]>) -> Self {
        let id = id.as_ref();
        let mut key = Vec::with_capacity(kind.len() + 1 + id.len());
        key.extend_from_slice(kind.as_bytes());
        key.push(b'/');
        key.extend_from_slice(id);
        Self(key.into())
    }
}

impl Epoch {
    /// The epoch called `word`: its beginning in hexadecimal milliseconds, a hyphen, and whatever makes it unlike others.
    /// A word that says no beginning began at 0.
    pub fn of_word(word: String) -> Self {
        let began = word
            .split('-')
            .next()
            .and_then(|began| u64::from_str_radix(began, 16).ok());
        let began_at_ms = began.unwrap_or(0);
        Self { word, began_at_ms }
    }
}
