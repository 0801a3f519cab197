//! Amounts as the scene holds them: hundred-thousandths of a unit, and what they are worth in the table's currency.

use serde::{Serialize, Serializer};

/// An amount in hundred-thousandths of a unit. Written as a decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Money(pub(crate) i64);

impl Money {
    /// The amount in millionths.
    pub(crate) const fn micros(self) -> i64 {
        self.0 * 10
    }

    /// Its worth in millionths of the table's currency, rounded half-even; `fx` is in ten-thousandths.
    pub(crate) const fn cost(self, fx: i64) -> i64 {
        let exact = self.micros() * fx;
        let (whole, rest) = (exact / 10_000, exact % 10_000);
        let is_up = rest > 5_000 || (rest == 5_000 && whole % 2 == 1);
        whole + is_up as i64
    }
}

/// Ten-thousandths of the table's currency that one unit of `currency` is.
pub(crate) fn fx(currency: &str) -> i64 {
    match currency {
        "USD" => 9_213,
        "GBP" => 11_734,
        _ => 10_000,
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        write!(f, "{sign}{}.{:05}", amount / 100_000, amount % 100_000)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
