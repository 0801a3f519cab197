//! How a call proves that it comes from the carrier: a keyed hash over what it says, or something only the carrier knows.
//! Every comparison takes as long whether it fails early or late.

use base64::{
    Engine as _,
    engine::{GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use ring::hmac;
use source::Secret;
use subtle::ConstantTimeEq;
use web::{Call, HeaderName, header::AUTHORIZATION};

use super::fields;

/// One thing that has to hold. Shows no secret in Debug.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A keyed hash stands in a header.
    Hash(Box<KeyedHash>),
    /// A header holds this.
    Header(HeaderName, Secret),
    /// `Authorization: Basic` with these: user, password.
    Basic(Secret, Secret),
}

/// How a call is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyedHash {
    pub(crate) hash: Hash,
    pub(crate) key: Secret,
    /// What is hashed, in this order.
    pub(crate) over: Vec<Over>,
    pub(crate) header: HeaderName,
    /// What stands before the hash there; empty = nothing.
    pub(crate) prefix: String,
    pub(crate) encoding: HashEncoding,
}

/// The hash beneath HMAC (RFC 2104).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// How a hash is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashEncoding {
    Base64,
    Hex,
}

/// A piece of what is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// The address as the carrier was told it, with the query it was called with.
    Url,
    /// The same without its query.
    BareUrl,
    /// The body as it came.
    Body,
    /// The fields of a form by their names, each name with its value behind it and nothing between.
    Form,
    /// What a header holds.
    Header(HeaderName),
    /// This text.
    Text(String),
}

impl Proof {
    /// Whether `call`, made to `url`, proves what it has to.
    pub(super) fn holds(&self, call: &Call, url: &str) -> bool {
        match self {
            Self::Hash(keyed) => keyed.holds(call, url).unwrap_or(false),
            Self::Header(name, secret) => {
                let held = call.headers.get(name).map(|value| value.as_bytes());
                held.is_some_and(|held| is_same(held, secret.reveal().as_bytes()))
            }
            Self::Basic(user, password) => {
                let wanted = format!("{}:{}", user.reveal(), password.reveal());
                basic(call).is_some_and(|held| is_same(&held, wanted.as_bytes()))
            }
        }
    }
}

impl KeyedHash {
    fn holds(&self, call: &Call, url: &str) -> Option<bool> {
        let written = call.headers.get(&self.header)?.to_str().ok()?.trim();
        let written = written.strip_prefix(&self.prefix)?;
        let told = match self.encoding {
            HashEncoding::Base64 => BASE64_STANDARD.decode(written).ok()?,
            HashEncoding::Hex => hex(written)?,
        };
        let key = hmac::Key::new(self.hash.algorithm(), self.key.reveal().as_bytes());
        let hashed = self.hashed(call, url)?;
        Some(hmac::verify(&key, &hashed, &told).is_ok())
    }

    /// What is hashed; `None` = a header is not there, or the body is no form.
    fn hashed(&self, call: &Call, url: &str) -> Option<Vec<u8>> {
        let bare = url.split('?').next().unwrap_or_default();
        let mut octets = Vec::with_capacity(call.body.len() + 256);
        for piece in &self.over {
            match piece {
                Over::Url if call.query.is_empty() => octets.extend_from_slice(bare.as_bytes()),
                Over::Url => octets.extend_from_slice(format!("{bare}?{}", call.query).as_bytes()),
                Over::BareUrl => octets.extend_from_slice(bare.as_bytes()),
                Over::Body => octets.extend_from_slice(&call.body),
                Over::Form => {
                    let mut fields = fields::form(&call.body)?;
                    fields.sort();
                    fields.iter().for_each(|(name, value)| {
                        octets.extend_from_slice(name.as_bytes());
                        octets.extend_from_slice(value.as_bytes());
                    });
                }
                Over::Header(name) => octets.extend_from_slice(call.headers.get(name)?.as_bytes()),
                Over::Text(text) => octets.extend_from_slice(text.as_bytes()),
            }
        }
        Some(octets)
    }
}

impl Hash {
    fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }
}

/// Whether both are the same; only their lengths are given away.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    bool::from(one.ct_eq(other))
}

/// `user:password` of a call.
fn basic(call: &Call) -> Option<Vec<u8>> {
    let written = call.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, both) = written.trim().split_once(' ')?;
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient);
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| engine.decode(both.trim()).ok())?
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests;
