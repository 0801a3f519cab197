//! The ids carriers give to messages, made comparable: a response and its receipts often write one id in two ways.

/// How a carrier writes an id in one place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IdFormat {
    /// As an opaque string; only case and leading zeros are evened out.
    #[default]
    Opaque,
    /// As a hexadecimal number.
    Hex,
    /// As a decimal number.
    Dec,
    /// As a string of which every octet counts: case and leading zeros part one id from another.
    Exact,
}

/// How a carrier writes its ids in both places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct IdFormats {
    /// In `submit_sm_resp`.
    pub response: IdFormat,
    /// In receipts.
    pub receipt: IdFormat,
}

/// Longest id that may be a number; longer ones, and UUIDs, are opaque.
const NUMBER_DIGITS_MAX: usize = 20;
/// Longest id that is kept, in octets: twice what the specification allows (3.4 §4.4.2), since carriers exceed it. A body
/// may hold 64 KiB of one, which no store takes as a key.
pub const ID_OCTETS_MAX: usize = 128;

impl IdFormats {
    /// The key under which the id of a response is kept; empty = none, or one beyond [`ID_OCTETS_MAX`].
    pub fn of_response(self, id: &str) -> String {
        self.key(self.response, id)
    }

    /// The key under which the id of a receipt is looked for; equal to the response's where both mean one message.
    pub fn of_receipt(self, id: &str) -> String {
        self.key(self.receipt, id)
    }

    /// Numbers are converted only where one side is known to be decimal and the other hexadecimal.
    fn key(self, written: IdFormat, id: &str) -> String {
        if id.trim().len() > ID_OCTETS_MAX {
            return String::new();
        }
        let other = if written == self.response {
            self.receipt
        } else {
            self.response
        };
        let id = id.trim();
        let radix = match (written, other) {
            (IdFormat::Exact, _) | (_, IdFormat::Exact) => return id.to_owned(),
            (IdFormat::Dec, IdFormat::Hex) => 10,
            _ => return canonical_id(id),
        };
        let number = Some(id)
            .filter(|id| id.len() <= NUMBER_DIGITS_MAX)
            .and_then(|id| u128::from_str_radix(id, radix).ok());
        number.map_or_else(|| canonical_id(id), |number| format!("{number:x}"))
    }
}

/// An id in lower case without leading zeros, if it is all hexadecimal digits and at most 20 long; a UUID in lower case; else
/// as it is, but for spaces around it. An id of zeros alone keeps one.
pub fn canonical_id(id: &str) -> String {
    let id = id.trim();
    let is_number =
        !id.is_empty() && id.len() <= NUMBER_DIGITS_MAX && id.bytes().all(|octet| octet.is_ascii_hexdigit());
    if is_uuid(id) {
        return id.to_ascii_lowercase();
    }
    if !is_number {
        return id.to_owned();
    }
    let trimmed = id.trim_start_matches('0');
    if trimmed.is_empty() {
        "0".to_owned()
    } else {
        trimmed.to_ascii_lowercase()
    }
}

/// Whether the id is a UUID, with hyphens or without.
fn is_uuid(id: &str) -> bool {
    let is_hyphen = |at| id.len() == 36 && matches!(at, 8 | 13 | 18 | 23);
    let is_right = |(at, octet): (usize, u8)| {
        if is_hyphen(at) {
            octet == b'-'
        } else {
            octet.is_ascii_hexdigit()
        }
    };
    matches!(id.len(), 32 | 36) && id.bytes().enumerate().all(is_right)
}

#[cfg(test)]
mod tests;
