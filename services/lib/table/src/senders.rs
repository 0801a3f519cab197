//! The sender towards each carrier: registered names differ from carrier to carrier.

use std::sync::Arc;

use sms::SenderKind;

use crate::{glob::Glob, network::Country, rates::CarrierIndex, walk::Message};

/// Rules in file order, and which of them may fit each carrier.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    rules: Vec<SenderRule>,
    of_carrier: Vec<Vec<u32>>,
}

/// One rule; absent parts fit anything.
#[derive(Debug)]
pub(crate) struct SenderRule {
    pub(crate) account: Option<Glob>,
    pub(crate) sender: Option<Glob>,
    pub(crate) country: Option<Country>,
    /// What the carrier shows; `None` = it is refused.
    pub(crate) shown: Option<(Arc<str>, SenderKind)>,
}

/// The sender towards a carrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// That of the message.
    AsIs,
    /// That of a rule.
    Rule(u32),
    /// None: the carrier is refused.
    Never,
}

impl Senders {
    /// No rules, for `carriers` carriers.
    pub(crate) fn new(carriers: usize) -> Self {
        Self {
            rules: Vec::new(),
            of_carrier: vec![Vec::new(); carriers],
        }
    }

    /// Adds the next rule, for one carrier or for all.
    pub(crate) fn push(&mut self, carrier: Option<CarrierIndex>, rule: SenderRule) {
        let index = u32::try_from(self.rules.len()).expect("the row limit is below 2^32");
        self.rules.push(rule);
        match carrier {
            Some(carrier) => self.of_carrier[usize::from(carrier)].push(index),
            None => self.of_carrier.iter_mut().for_each(|rules| rules.push(index)),
        }
    }

    /// Whether any rule may fit `carrier`.
    pub(crate) fn has_rules(&self, carrier: CarrierIndex) -> bool {
        !self.of_carrier[usize::from(carrier)].is_empty()
    }

    /// The first rule in file order that fits decides.
    pub(crate) fn towards(&self, carrier: CarrierIndex, message: &Message<'_, '_>) -> Shown {
        let country = message.resolved.country;
        let rules = &self.of_carrier[usize::from(carrier)];
        let first = rules.iter().copied().find(|index| {
            let rule = &self.rules[*index as usize];
            rule.country.is_none_or(|wanted| country == Some(wanted))
                && rule.account.as_ref().is_none_or(|glob| glob.fits(message.account))
                && rule.sender.as_ref().is_none_or(|glob| glob.fits(message.from))
        });
        match first {
            None => Shown::AsIs,
            Some(index) if self.rules[index as usize].shown.is_some() => Shown::Rule(index),
            Some(_) => Shown::Never,
        }
    }

    /// What a rule shows, and its kind.
    pub(crate) fn shown(&self, shown: Shown) -> Option<&(Arc<str>, SenderKind)> {
        match shown {
            Shown::Rule(index) => self.rules[index as usize].shown.as_ref(),
            Shown::AsIs | Shown::Never => None,
        }
    }
}
