//! Money in millionths of a unit, and exchange rates. No floats.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

/// Places behind the point that money has.
pub(crate) const MONEY_PLACES: u32 = 6;
/// Largest price or limit, in units of its currency.
pub const PRICE_UNITS_MAX: i64 = 1_000_000;
/// Largest exchange rate.
pub const FX_MAX: i64 = 1_000_000;
/// Places behind the point that an exchange rate may have.
pub(crate) const FX_PLACES_MAX: usize = 9;

const MICROS: i64 = 1_000_000;
// 96 bits hold 28 digits: a product of price and rate is exact before it is rounded.
const _: () = assert!((PRICE_UNITS_MAX as i128) * 1_000_000 * (FX_MAX as i128) * 1_000_000_000 < 1 << 96);
// A converted price times 255 segments stays within 64 bits.
const _: () = assert!(PRICE_UNITS_MAX as i128 * 1_000_000 * FX_MAX as i128 <= i64::MAX as i128);
/// Largest price after conversion, in units of the table's currency.
pub const COST_UNITS_MAX: i64 = 1_000_000_000;
const _: () = assert!(COST_UNITS_MAX as i128 * 1_000_000 * 255 <= i64::MAX as i128);

/// An amount in millionths of a unit of some currency. Displayed with 6 places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub i64);

/// How many units of the table's currency one unit of another is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fx(Decimal);

/// Why text is no amount of money or no exchange rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not digits with an optional point.
    #[error("\"{0}\" is no decimal number, write it like 0.0415")]
    Format(String),
    /// Below zero.
    #[error("\"{0}\" is below zero")]
    Negative(String),
    /// With an exponent, whose slips are hard to see.
    #[error("\"{0}\" has an exponent, write all its digits")]
    Exponent(String),
    /// With a comma: a point in one country, nothing in another.
    #[error("\"{0}\" has a comma, write a point and no separator of thousands")]
    Comma(String),
    /// Too precise.
    #[error("\"{text}\" has {places} places behind the point, the limit is {limit}")]
    Places {
        /// As written.
        text: String,
        /// Places found.
        places: usize,
        /// Places allowed.
        limit: usize,
    },
    /// Too large.
    #[error("\"{text}\" is above the limit of {limit}")]
    Large {
        /// As written.
        text: String,
        /// Largest allowed.
        limit: i64,
    },
    /// An exchange rate of zero.
    #[error("an exchange rate is above zero")]
    Zero,
}

impl Micros {
    /// Reads an amount from zero: digits, and up to 6 more behind a point.
    ///
    /// # Errors
    /// Format, precision or size.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let (units, fraction) = split(text, MONEY_PLACES as usize)?;
        let large = || MoneyError::Large {
            text: short(text),
            limit: PRICE_UNITS_MAX,
        };
        let units: i64 = units
            .parse()
            .ok()
            .filter(|units| *units <= PRICE_UNITS_MAX)
            .ok_or_else(large)?;
        let micros = fraction
            .bytes()
            .fold(0, |micros, digit| micros * 10 + i64::from(digit - b'0'));
        let scale = 10_i64.pow(MONEY_PLACES - u32::try_from(fraction.len()).expect("split() bounds the places"));
        let amount = units * MICROS + micros * scale;
        if amount > PRICE_UNITS_MAX * MICROS {
            Err(large())
        } else {
            Ok(Self(amount))
        }
    }

    /// Reads an amount as [`Micros::parse`] does, or one below zero after a minus.
    ///
    /// # Errors
    /// Format, precision or size.
    pub fn parse_signed(text: &str) -> Result<Self, MoneyError> {
        match text.strip_prefix('-') {
            Some(amount) => Self::parse(amount).map(|amount| Self(-amount.0)),
            None => Self::parse(text),
        }
    }

    /// This much in the table's currency, rounded half-even to 6 places. `None` = above [`COST_UNITS_MAX`].
    pub fn convert(self, fx: Fx) -> Option<Self> {
        if fx.0 == Decimal::ONE {
            return Some(self);
        }
        let exact = Decimal::new(self.0, MONEY_PLACES).checked_mul(fx.0)?;
        let rounded = exact.round_dp_with_strategy(MONEY_PLACES, RoundingStrategy::MidpointNearestEven);
        let micros = i64::try_from((rounded * Decimal::from(MICROS)).trunc()).ok()?;
        (micros <= COST_UNITS_MAX * MICROS).then_some(Self(micros))
    }

    /// This much `count` times.
    pub const fn times(self, count: u8) -> Self {
        Self(self.0 * count as i64)
    }
}

impl Fx {
    /// The rate of the table's own currency.
    pub const ONE: Self = Self(Decimal::ONE);

    /// About this rate, for what is no money: comparing orders of magnitude.
    pub(crate) fn to_f64(self) -> f64 {
        use rust_decimal::prelude::ToPrimitive as _;
        self.0.to_f64().unwrap_or(1.0)
    }

    /// Reads a rate above zero with up to 9 places.
    ///
    /// # Errors
    /// Format, precision or size.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let (units, _) = split(text, FX_PLACES_MAX)?;
        let large = || MoneyError::Large {
            text: short(text),
            limit: FX_MAX,
        };
        units
            .parse::<i64>()
            .ok()
            .filter(|units| *units < FX_MAX)
            .ok_or_else(large)?;
        let rate: Decimal = text.parse().map_err(|_| MoneyError::Format(short(text)))?;
        if rate.is_zero() {
            Err(MoneyError::Zero)
        } else {
            Ok(Self(rate.normalize()))
        }
    }
}

fn split(text: &str, places_max: usize) -> Result<(&str, &str), MoneyError> {
    let (units, fraction) = match text.split_once('.') {
        Some((units, fraction)) if !fraction.is_empty() => (units, fraction),
        Some(_) => return Err(MoneyError::Format(short(text))),
        None => (text, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|octet| octet.is_ascii_digit());
    if units.is_empty() || !is_digits(units) || !is_digits(fraction) {
        return Err(malformed(text));
    }
    if fraction.len() > places_max {
        return Err(MoneyError::Places {
            text: short(text),
            places: fraction.len(),
            limit: places_max,
        });
    }
    Ok((units, fraction))
}

/// What keeps `text` from being a decimal number.
fn malformed(text: &str) -> MoneyError {
    let is_number = text.parse::<f64>().is_ok_and(f64::is_finite);
    match short(text) {
        short if is_number && text.contains(['e', 'E']) => MoneyError::Exponent(short),
        short if is_number && text.starts_with('-') => MoneyError::Negative(short),
        short if text.contains(',') => MoneyError::Comma(short),
        short => MoneyError::Format(short),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

impl fmt::Display for Fx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        write!(
            f,
            "{sign}{}.{:06}",
            micros / MICROS.unsigned_abs(),
            micros % MICROS.unsigned_abs()
        )
    }
}

#[cfg(test)]
mod tests;
