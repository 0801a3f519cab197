//! Traffic: recipients and texts put together in the mix of classes that a router sees.

use anyhow::{Context as _, Result};
use sms::{Class, Msisdn, Sender};

use super::{Draws, Recipients, Texts};

/// A message to submit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Recipient.
    pub to: Msisdn,
    /// Its country, ISO 3166 alpha-2.
    pub country: &'static str,
    /// Sender.
    pub from: Sender,
    /// What it is for.
    pub class: Class,
    /// What it says.
    pub text: String,
}

/// An endless sequence of messages that its seed fixes: 40 % passwords, 40 % transactional, 20 % promotions.
#[derive(Clone, Debug)]
pub struct Traffic {
    draws: Draws,
    recipients: Recipients,
    texts: Texts,
}

impl Traffic {
    /// The traffic of `seed`.
    ///
    /// # Errors
    /// The texts in the repository were edited and no longer hold together.
    pub fn new(seed: u64) -> Result<Self> {
        let mut draws = Draws::new(seed);
        let recipients = Recipients::new(draws.next_u64());
        Ok(Self {
            draws,
            recipients,
            texts: Texts::load()?,
        })
    }

    fn letter(&mut self, to: super::Recipient) -> Letter {
        let class = match self.draws.below(10) {
            0..4 => Class::Otp,
            4..8 => Class::Transactional,
            _ => Class::Promotional,
        };
        self.write(to, class)
    }

    /// The next one, of `class`.
    ///
    /// # Errors
    /// There are no more recipients.
    pub fn of_class(&mut self, class: Class) -> Result<Letter> {
        let to = self.recipients.next().context("recipients have no end")?;
        Ok(self.write(to, class))
    }

    fn write(&mut self, to: super::Recipient, class: Class) -> Letter {
        let senders = match class {
            Class::Otp => ["NORTHLIGHT", "BOREALIS ID", "NORDWIND"],
            Class::Transactional => ["SWIFTMAIL", "RIVERSIDE", "+447700900123"],
            Class::Promotional => ["LARKSPUR", "BERGFINK", "57575"],
        };
        let from =
            Sender::new(self.draws.one_of::<&str>(&senders)).expect("these senders are names of up to 11 or numbers");
        let text = self.texts.draw(class, to.country, &mut self.draws);
        Letter {
            to: to.msisdn,
            country: to.country,
            from,
            class,
            text,
        }
    }
}

impl Iterator for Traffic {
    type Item = Letter;

    fn next(&mut self) -> Option<Letter> {
        let to = self.recipients.next()?;
        Some(self.letter(to))
    }
}
