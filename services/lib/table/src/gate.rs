//! A first look at policies: most of a long list cannot apply to a message, and four octets tell.

use sms::Class;

use crate::{
    network::Country,
    spec::{Conditions, Test},
};

/// What any message that a policy applies to must be. Passing says nothing yet; the conditions themselves decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    /// Bit of each class.
    classes: u8,
    /// `None` = any, or one of several.
    country: Option<Country>,
}

impl Gate {
    /// The gate before `conditions`.
    pub(crate) fn of(conditions: &Conditions) -> Self {
        let mut gate = Self {
            classes: u8::MAX,
            country: None,
        };
        for test in &conditions.0 {
            match test {
                Test::Class(list) => gate.classes &= list.iter().fold(0, |set, class| set | bit(*class)),
                Test::Country(list) => gate.country = if let [only] = list[..] { Some(only) } else { None },
                _ => {}
            }
        }
        gate
    }

    /// Whether a message of `class` to `country` may pass.
    pub(crate) fn opens(self, class: Class, country: Option<Country>) -> bool {
        self.classes & bit(class) != 0 && (self.country.is_none() || self.country == country)
    }
}

const fn bit(class: Class) -> u8 {
    1 << class as u8
}
