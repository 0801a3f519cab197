//! Networks and countries as compact values.

use std::{fmt, str::FromStr};

/// A mobile network: MCC, and MNC where it is known. `01` and `1` and `001` are different MNCs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    mcc: Mcc,
    /// 0 = none, 100 + value for two digits, 1000 + value for three.
    mnc: u16,
}

/// Values that the MNC of a network is kept as, those that stand for none among them.
const MNCS: usize = 2_000;

/// A mobile country code, three digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mcc(u16);

/// A country by its two letters (ISO 3166-1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

/// Why text names no network or country.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// No MCC.
    #[error("an MCC has three digits")]
    Mcc,
    /// No MNC.
    #[error("an MNC has two or three digits, and 01 is not 1")]
    Mnc,
    /// No MCC and MNC together.
    #[error("MCC and MNC are written together in 5 or 6 digits, such as 20801")]
    Together,
    /// No country.
    #[error("a country has two capital letters, such as FR")]
    Country,
}

impl Mcc {
    /// Reads three digits.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        number(text, 3..=3).map(Self).ok_or(NetworkError::Mcc)
    }

    /// How many there are.
    pub(crate) const COUNT: usize = 1_000;

    /// As a number, 0 to 999.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Network {
    /// Reads an MCC and an MNC; an empty MNC is one that is not known.
    ///
    /// # Errors
    /// Which of the two is malformed.
    pub fn parse(mcc: &str, mnc: &str) -> Result<Self, NetworkError> {
        let mcc = Mcc::parse(mcc)?;
        if mnc.is_empty() {
            return Ok(Self { mcc, mnc: 0 });
        }
        let value = number(mnc, 2..=3).ok_or(NetworkError::Mnc)?;
        Ok(Self {
            mcc,
            mnc: value + if mnc.len() == 2 { 100 } else { 1_000 },
        })
    }

    /// Reads MCC and MNC written together: `20801`.
    ///
    /// # Errors
    /// Not 5 or 6 digits.
    pub fn parse_together(text: &str) -> Result<Self, NetworkError> {
        match text.len() {
            5 | 6 if text.is_ascii() => Self::parse(&text[..3], &text[3..]).map_err(|_| NetworkError::Together),
            _ => Err(NetworkError::Together),
        }
    }

    /// Every network that `mcc` may have, the least usual first.
    pub(crate) fn all(mcc: Mcc) -> impl Iterator<Item = Self> {
        let mncs = (1_000..2_000).rev().chain((100..200).rev());
        mncs.map(move |mnc| Self { mcc, mnc })
    }

    /// The networks of `mcc` of which no MNC is known.
    pub(crate) const fn of_mcc(mcc: Mcc) -> Self {
        Self { mcc, mnc: 0 }
    }

    /// The country code.
    pub const fn mcc(self) -> Mcc {
        self.mcc
    }

    /// A number of its own below [`Network::INDEX_MAX`].
    pub const fn index(self) -> usize {
        self.mcc.index() * MNCS + self.mnc as usize
    }

    /// Above every [`Network::index`].
    pub const INDEX_MAX: usize = Mcc::COUNT * MNCS;

    /// The network with `index`; `None` = none has it.
    pub const fn of_index(index: usize) -> Option<Self> {
        let (mcc, mnc) = (index / MNCS, index % MNCS);
        match mnc {
            0 | 100..=199 | 1_000..MNCS if mcc < Mcc::COUNT => Some(Self {
                mcc: Mcc(mcc as u16),
                mnc: mnc as u16,
            }),
            _ => None,
        }
    }

    /// Digits of the MNC: 2 or 3, 0 where it is not known.
    pub(crate) const fn mnc_len(self) -> usize {
        match self.mnc {
            0 => 0,
            100..=199 => 2,
            _ => 3,
        }
    }

    /// Whether the MNC is known.
    pub const fn has_mnc(self) -> bool {
        self.mnc != 0
    }

    /// The MNC as written; empty if not known.
    pub fn mnc(self) -> String {
        match self.mnc {
            0 => String::new(),
            two @ 100..=199 => format!("{:02}", two - 100),
            three => format!("{:03}", three - 1_000),
        }
    }
}

impl Country {
    /// Reads two capital letters.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        match text.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Ok(Self([*a, *b])),
            _ => Err(NetworkError::Country),
        }
    }

    /// Its place among all pairs of letters, 0 to 675.
    pub(crate) const fn index(self) -> usize {
        (self.0[0] - b'A') as usize * 26 + (self.0[1] - b'A') as usize
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("parse() took ASCII letters only")
    }
}

fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u16> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit());
    is_number.then(|| text.parse().expect("up to three digits fit"))
}

impl fmt::Display for Mcc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

/// MCC and MNC together, or an MCC alone: what [`Network`] is displayed as.
impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        if text.len() == 3 {
            Self::parse(text, "")
        } else {
            Self::parse_together(text)
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.mcc, self.mnc())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Mcc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mcc({self})")
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({self})")
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Country({self})")
    }
}
