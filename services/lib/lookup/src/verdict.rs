//! Whether an answer is worth its price.

use std::fmt;

use table::{Basis, Micros, Stake, StakeVerdict};

use crate::{Rates, Share, metrics};

/// What whoever would be asked takes and can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What a query costs, in the table's currency.
    pub price: Micros,
    /// Whether its word that a number is dead ends the message before money is spent.
    pub ends_dead: bool,
}

/// How often a query that is not worth its price is made all the same, so that shares are learnt and changes noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Curiosity {
    /// One in so many; 0 = never.
    pub one_in: u32,
}

/// Whether to ask who serves a number, and why. Displayed as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Why it is asked or not.
    pub why: Why,
    /// What is saved by asking, on average.
    pub expected: Micros,
    /// What is at stake.
    pub stake: Stake,
    /// What is known of the number's range.
    pub rates: Rates,
    /// Who would be asked; `None` = nobody can be.
    pub offer: Option<Offer>,
}

/// Why a number is looked up or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The answer saves more than it costs.
    Worth,
    /// It does not, but something is to be learnt.
    Curious,
    /// The answer costs more than it saves.
    Dear,
    /// No answer would change the decision.
    Nothing,
    /// Somebody who knows said so already.
    Told,
    /// Nobody can be asked.
    Nobody,
}

impl Default for Curiosity {
    fn default() -> Self {
        Self { one_in: 1_000 }
    }
}

impl Why {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::Worth,
        Self::Curious,
        Self::Dear,
        Self::Nothing,
        Self::Told,
        Self::Nobody,
    ];

    /// The word used in reports and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Worth => "worth",
            Self::Curious => "curious",
            Self::Dear => "dear",
            Self::Nothing => "nothing",
            Self::Told => "told",
            Self::Nobody => "nobody",
        }
    }

    /// Whether the number is looked up.
    pub const fn asks(self) -> bool {
        matches!(self, Self::Worth | Self::Curious)
    }
}

/// Whether a look-up is worth it for a route with `lookup = "when_it_matters"`: where another network could change the first carrier
/// or its charge, and
///
/// `share of ported numbers × mean saving + share of dead numbers × submission > price of the query`
///
/// Where the numbering plan names the country alone the mean saving counts in full. Dead numbers count only where the answer
/// would end the message. `roll` is a die, such as a hash of the message's id: equal rolls give equal verdicts.
pub fn matters(stake: Stake, rates: Rates, offer: Option<Offer>, curiosity: Curiosity, roll: u64) -> Verdict {
    let gain = gain(&stake, rates, offer);
    let whole = i128::from(Share::WHOLE.get());
    let is_drawn = curiosity.one_in > 0 && roll.is_multiple_of(u64::from(curiosity.one_in));
    let why = match offer {
        _ if stake.basis == Basis::Told => Why::Told,
        _ if !stake.can_change => Why::Nothing,
        None => Why::Nobody,
        Some(offer) if gain > i128::from(offer.price.0) * whole => Why::Worth,
        Some(_) if is_drawn && stake.saving_max > Micros(0) => Why::Curious,
        Some(_) => Why::Dear,
    };
    let expected = i64::try_from(gain / whole).expect("a mean is no more than what it is made of");
    Verdict {
        why,
        expected: Micros(expected),
        stake,
        rates,
        offer,
    }
}

/// What is saved on average, in millionths of [`Micros`].
fn gain(stake: &Stake, rates: Rates, offer: Option<Offer>) -> i128 {
    let moved = moved(stake, rates);
    let dead = if offer.is_none_or(|offer| offer.ends_dead) {
        rates.dead
    } else {
        Share::default()
    };
    let part = |share: Share, money: Micros| i128::from(share.get()) * i128::from(money.0);
    part(moved, stake.saving_mean) + part(dead, stake.submit)
}

/// How probably another network than the assumed one serves the number.
fn moved(stake: &Stake, rates: Rates) -> Share {
    match stake.basis {
        Basis::Country => Share::WHOLE,
        Basis::Plan | Basis::Nothing | Basis::Told => rates.ported,
    }
}

impl Verdict {
    /// Whether the number is looked up.
    pub const fn asks(&self) -> bool {
        self.why.asks()
    }

    /// What an explanation says of it.
    pub fn report(&self) -> StakeVerdict {
        StakeVerdict {
            ported: self.rates.ported.to_string(),
            dead: self.rates.dead.to_string(),
            answers: self.rates.answers,
            expected: self.expected.to_string(),
            price: self.offer.map(|offer| offer.price.to_string()),
            asks: self.asks(),
            why: self.to_string(),
        }
    }

    /// Counts it, and the price of the query where that is not made.
    pub fn count(&self) {
        let price = self.offer.map_or(Micros(0), |offer| offer.price);
        metrics::verdict(self.why, price);
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let asked = if self.asks() { "asks" } else { "does not ask" };
        match self.why {
            Why::Told => return write!(f, "{asked}: somebody who knows named the network"),
            Why::Nothing => return write!(f, "{asked}: no other network would change carrier or price"),
            Why::Worth | Why::Curious | Why::Dear | Why::Nobody => {}
        }
        match self.offer {
            Some(offer) => write!(f, "{asked}: would cost {}, ", offer.price)?,
            None => write!(f, "{asked}: nobody can be asked, ")?,
        }
        let stake = &self.stake;
        write!(f, "could save {} × {}", stake.saving_mean, moved(stake, self.rates))?;
        if self.offer.is_none_or(|offer| offer.ends_dead) {
            write!(f, " + {} × {}", stake.submit, self.rates.dead)?;
        }
        write!(f, " = {}", self.expected)?;
        match (self.why, self.rates.answers) {
            (Why::Curious, _) => write!(f, "; asked to learn"),
            (_, 0) => write!(f, "; shares are assumed"),
            (_, answers) => write!(f, "; shares by {answers} answers"),
        }
    }
}

#[cfg(test)]
mod tests;
