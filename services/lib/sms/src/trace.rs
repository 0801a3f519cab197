//! A place in a trace, as W3C Trace Context (level 1) writes it in `traceparent`.

use std::{
    fmt,
    num::{NonZeroU64, NonZeroU128},
};

/// One span of one trace. It names nobody: both ids are random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace, which all that one message leads to has in common.
    pub trace: NonZeroU128,
    /// The span in it.
    pub span: NonZeroU64,
}

/// Octets of the version that is spoken here, from its digits to those of its flags.
const OCTETS: usize = 55;
/// The flag that says that the spans of a trace are recorded.
const SAMPLED: u8 = 1;

impl TraceContext {
    /// Reads a `traceparent`, and whether the spans of its trace are recorded. `None` = it is none: a caller that writes nonsense
    /// is treated like one that writes nothing. A later version may say more behind what this one knows.
    pub fn parse(traceparent: &[u8]) -> Option<(Self, bool)> {
        let (known, more) = traceparent.split_at_checked(OCTETS)?;
        let [version, trace, span, flags] = fields(known)?;
        let version = hex(version).filter(|version| *version < 0xFF)?;
        if !more.is_empty() && (version == 0 || more[0] != b'-') {
            return None;
        }
        let context = Self {
            trace: NonZeroU128::new(hex(trace)?)?,
            span: NonZeroU64::new(u64::try_from(hex(span)?).ok()?)?,
        };
        Some((context, hex(flags)? & u128::from(SAMPLED) != 0))
    }

    /// The ids as octets, most significant first: 16 of the trace, 8 of the span.
    pub fn to_octets(self) -> [u8; 24] {
        let mut octets = [0; 24];
        octets[..16].copy_from_slice(&self.trace.get().to_be_bytes());
        octets[16..].copy_from_slice(&self.span.get().to_be_bytes());
        octets
    }

    /// The same read back; `None` = they are none.
    pub fn from_octets(octets: &[u8]) -> Option<Self> {
        let (trace, span) = octets.split_at_checked(16)?;
        Some(Self {
            trace: NonZeroU128::new(u128::from_be_bytes(trace.try_into().ok()?))?,
            span: NonZeroU64::new(u64::from_be_bytes(span.try_into().ok()?))?,
        })
    }
}

/// As a `traceparent` of a trace whose spans are recorded: of others nothing is said here.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{SAMPLED:02x}", self.trace, self.span)
    }
}

/// The four fields, if each is as long as it must be.
fn fields(octets: &[u8]) -> Option<[&[u8]; 4]> {
    let mut fields = octets.split(|octet| *octet == b'-');
    let mut field = |length| fields.next().filter(|field| field.len() == length);
    Some([field(2)?, field(32)?, field(16)?, field(2)?])
}

/// A number of up to 32 digits, small letters only.
fn hex(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u128::from(digit))
    })
}

#[cfg(test)]
mod tests;
