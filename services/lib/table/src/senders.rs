//! The sender towards each carrier: registered names differ from carrier to carrier.
//!
//! A table may register every sender of every account in every country at every carrier, so that rows are found by what they
//! name: those for one account, sender and country lie together.

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::Arc,
};

use sms::SenderKind;

use crate::{
    filter::Filter,
    glob::Glob,
    mix::mixed,
    names::{NameId, Names},
    network::Country,
    rates::CarrierIndex,
    walk::Message,
};

/// Rules in file order, and which of them may fit a message.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    rules: Vec<SenderRule>,
    /// Of what rules name: most messages name nothing of it.
    named: Filter,
    /// Rules by what they name, each list in file order.
    lists: HashMap<Named, Vec<u32>, BuildHasherDefault<Taken>>,
    /// What the rules of a list have in common, each once: few tables use more than two.
    shapes: Vec<Named>,
    /// Carriers that rules name; `None` = any.
    carriers: BTreeSet<Option<CarrierIndex>>,
}

/// One rule; absent parts fit anything.
#[derive(Debug)]
pub(crate) struct SenderRule {
    pub(crate) account: Option<Glob>,
    pub(crate) sender: Option<Glob>,
    pub(crate) carrier: Option<CarrierIndex>,
    pub(crate) country: Option<Country>,
    /// What the carrier shows; `None` = it is refused.
    pub(crate) shown: Option<(Arc<str>, SenderKind)>,
}

/// What rules name; `None` = any, or something with a star.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Named {
    account: Option<NameId>,
    sender: Option<NameId>,
    country: Option<Country>,
}

/// Ways in which rules name account, sender and country or leave them open.
const SHAPES: usize = 2 * 2 * 2;

/// The rules that may fit one message, found once for all carriers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fitting<'t> {
    rules: &'t [SenderRule],
    lists: [&'t [u32]; SHAPES],
    /// Lists that hold any.
    count: usize,
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
    /// `rules` in file order. Numbers the names that they give without a star.
    pub(crate) fn new(mut rules: Vec<SenderRule>, accounts: &mut Names, senders: &mut Names) -> Self {
        let number = |names: &mut Names, glob: &Option<Glob>| {
            let plain = glob.as_ref().and_then(Glob::plain);
            plain.map(|name| names.intern(name))
        };
        let mut lists: HashMap<Named, Vec<u32>, _> = HashMap::default();
        let mut shapes: Vec<Named> = Vec::new();
        for (rule, at) in rules.iter_mut().zip(0..) {
            let named = Named {
                account: number(accounts, &rule.account),
                sender: number(senders, &rule.sender),
                country: rule.country,
            };
            lists.entry(named).or_default().push(at);
            rule.account.take_if(|glob| glob.plain().is_some());
            rule.sender.take_if(|glob| glob.plain().is_some());
            if !shapes.iter().any(|known| known.has_shape_of(&named)) {
                shapes.push(named);
            }
        }
        Self {
            carriers: rules.iter().map(|rule| rule.carrier).collect(),
            rules,
            named: Filter::new(lists.keys().map(Named::mixed)),
            lists,
            shapes,
        }
    }

    /// Whether any rule may fit `carrier`.
    pub(crate) fn has_rules(&self, carrier: CarrierIndex) -> bool {
        self.carriers.contains(&None) || self.carriers.contains(&Some(carrier))
    }

    /// The rules that may fit `message`; `None` = there is none.
    pub(crate) fn of<'t>(&'t self, message: &Message<'_, '_>) -> Option<Fitting<'t>> {
        let own = Named {
            account: message.account.id,
            sender: message.from.id,
            country: message.resolved.country,
        };
        let mut fitting = Fitting {
            rules: &self.rules,
            lists: [&[]; SHAPES],
            count: 0,
        };
        for named in self.shapes.iter().filter_map(|shape| own.in_shape(shape)) {
            if self.named.may_hold(named.mixed())
                && let Some(list) = self.lists.get(&named)
            {
                fitting.lists[fitting.count] = list;
                fitting.count += 1;
            }
        }
        (fitting.count > 0).then_some(fitting)
    }

    /// What a rule shows, and its kind.
    pub(crate) fn shown(&self, shown: Shown) -> Option<&(Arc<str>, SenderKind)> {
        match shown {
            Shown::Rule(index) => self.rules[index as usize].shown.as_ref(),
            Shown::AsIs | Shown::Never => None,
        }
    }
}

impl Fitting<'_> {
    /// The first rule in file order that fits decides.
    pub(crate) fn towards(&self, carrier: CarrierIndex, message: &Message<'_, '_>) -> Shown {
        let mut first = u32::MAX;
        for list in &self.lists[..self.count] {
            for at in list.iter().copied().take_while(|at| *at < first) {
                if self.rules[at as usize].fits(carrier, message) {
                    first = at;
                    break;
                }
            }
        }
        match self.rules.get(first as usize) {
            None => Shown::AsIs,
            Some(rule) if rule.shown.is_some() => Shown::Rule(first),
            Some(_) => Shown::Never,
        }
    }
}

impl SenderRule {
    /// Whether a rule of a list of the message fits it: names without a star and the country are those of the list.
    fn fits(&self, carrier: CarrierIndex, message: &Message<'_, '_>) -> bool {
        self.carrier.is_none_or(|only| only == carrier)
            && self.account.as_ref().is_none_or(|glob| glob.fits(message.account.text))
            && self.sender.as_ref().is_none_or(|glob| glob.fits(message.from.text))
    }
}

impl Hash for Named {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.mixed());
    }
}

/// Takes the one number that [`Named::mixed`] comes to as it is.
#[derive(Clone, Copy, Debug, Default)]
struct Taken(u64);

impl Hasher for Taken {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        octets.iter().for_each(|octet| self.write_u64(u64::from(*octet)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 ^= number;
    }
}

impl Named {
    /// A hash.
    fn mixed(&self) -> u64 {
        let country = self.country.map_or(0, |country| country.index() as u64 + 1);
        let number = |name: Option<NameId>| name.map_or(0, |name| u64::from(name.0) + 1);
        mixed(number(self.account) << 42 ^ number(self.sender) << 10 ^ country)
    }

    fn has_shape_of(&self, other: &Self) -> bool {
        self.account.is_some() == other.account.is_some()
            && self.sender.is_some() == other.sender.is_some()
            && self.country.is_some() == other.country.is_some()
    }

    /// The parts of this that `shape` names. `None` = one of them is missing, so that no rule of that shape can fit.
    fn in_shape(self, shape: &Self) -> Option<Self> {
        Some(Self {
            account: part(self.account, shape.account.is_some())?,
            sender: part(self.sender, shape.sender.is_some())?,
            country: part(self.country, shape.country.is_some())?,
        })
    }
}

fn part<T>(own: Option<T>, is_named: bool) -> Option<Option<T>> {
    if is_named { own.map(Some) } else { Some(None) }
}
