//! Accounts: who may submit, and how much. Read from a file, and again whenever it changes.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use arc_swap::ArcSwap;
use service::Dice;
use sms::{AccountId, CarrierName, Carriers};
use source::{Code, Document, Entry, Log, Problems, Section};

use crate::{Limit, Refusal};

mod numbers;
mod reload;

use numbers::{NUMBERS_MAX, Numbers, Owned};

pub(crate) use reload::follow;

/// Accounts of one file.
pub(crate) const ACCOUNTS_MAX: usize = 10_000;
/// Keys of one account, so that a key can be replaced without an outage.
pub(crate) const KEYS_MAX: usize = 8;
/// Longest key, in octets.
pub(crate) const KEY_OCTETS_MAX: usize = 256;
/// Shorter keys can be guessed; they are warned about.
pub(crate) const KEY_OCTETS_ADVISED: usize = 16;
/// Messages of one account in flight, unless it says otherwise.
pub(crate) const IN_FLIGHT_DEFAULT: u32 = 10_000;
/// Most that an account may have in flight.
pub(crate) const IN_FLIGHT_MAX: u32 = 1_000_000;
/// Segments of one message, unless the account says otherwise.
pub(crate) const SEGMENTS_DEFAULT: u8 = 10;

/// A customer.
#[derive(Debug)]
pub struct Account {
    /// Its name.
    pub name: AccountId,
    /// Most messages submitted and not yet answered.
    pub in_flight_max: u32,
    /// Most segments of one message.
    pub segments_max: u8,
    /// Whether it may call at all.
    pub is_enabled: bool,
    /// Messages submitted and not yet answered; survives a reload.
    pub(crate) in_flight: Limit,
    /// Streams of receipts and of inbound messages open; survives a reload.
    pub(crate) watches: Limit,
}

/// All accounts, by key. Keys are kept only as hashes under a secret that this process made up, so the time a look-up
/// takes tells nothing about them.
#[derive(Debug)]
pub struct Accounts {
    secret: [u8; 32],
    by_key: BTreeMap<KeyHash, Arc<Account>>,
    numbers: Numbers,
}

/// Hash of an account's key.
pub(crate) type KeyHash = [u8; 32];

/// The accounts at the moment.
#[derive(Debug)]
pub struct Directory {
    current: ArcSwap<Accounts>,
}

impl Account {
    /// An enabled account with the default limits, and no key: for callers that need none.
    pub fn new(name: AccountId) -> Self {
        Self {
            name,
            in_flight_max: IN_FLIGHT_DEFAULT,
            segments_max: SEGMENTS_DEFAULT,
            is_enabled: true,
            in_flight: Limit::default(),
            watches: Limit::default(),
        }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name
            && self.in_flight_max == other.in_flight_max
            && self.segments_max == other.segments_max
            && self.is_enabled == other.is_enabled
    }
}

impl Accounts {
    /// No accounts yet; keys will be hashed under a secret drawn from `dice`.
    pub fn empty(dice: &Dice) -> Self {
        let mut secret = [0; 32];
        secret
            .chunks_exact_mut(8)
            .for_each(|chunk| chunk.copy_from_slice(&dice.next_u64().to_ne_bytes()));
        Self {
            secret,
            by_key: BTreeMap::new(),
            numbers: Numbers::default(),
        }
    }

    /// Reads `text`, called `file` in problems. Counts of accounts that were there before go on. Relative paths of secrets
    /// start at `base`. Warnings come along with the accounts.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(&self, file: &str, text: &str, base: &Path) -> Result<(Self, Problems), Problems> {
        let log = Log::new('A');
        let mut read = Self {
            secret: self.secret,
            by_key: BTreeMap::new(),
            numbers: Numbers::default(),
        };
        if let Some(document) = Document::parse(file, text, &log) {
            let mut names = BTreeMap::new();
            let before = self
                .by_key
                .values()
                .map(|account| (&account.name, &**account))
                .collect();
            for section in document.root(&log).key("account").required().sections(ACCOUNTS_MAX) {
                read.add(&section, base, &before, &mut names);
            }
        }
        let problems = log.into_problems();
        if problems.has_errors() {
            Err(problems)
        } else {
            Ok((read, problems))
        }
    }

    fn add(
        &mut self,
        section: &Section<'_>,
        base: &Path,
        before: &BTreeMap<&AccountId, &Account>,
        names: &mut BTreeMap<AccountId, u32>,
    ) {
        let name = section.key("name").required().parse(AccountId::new);
        let in_flight_max = section
            .key("in_flight")
            .integer(1..=IN_FLIGHT_MAX)
            .unwrap_or(IN_FLIGHT_DEFAULT);
        let segments_max = section
            .key("segments_max")
            .integer(1..=u8::MAX)
            .unwrap_or(SEGMENTS_DEFAULT);
        let is_enabled = section.key("enabled").boolean().unwrap_or(true);
        let keys = section.key("keys").required();
        let hashes = keys.items(KEYS_MAX).unwrap_or_default().into_iter();
        let hashes: Vec<_> = hashes
            .filter_map(|key| self.read_key(&key, section.log(), base).map(|hash| (key, hash)))
            .collect();
        let numbers = section.key("numbers").items(NUMBERS_MAX).unwrap_or_default();
        let numbers: Vec<_> = numbers
            .into_iter()
            .filter_map(|number| number.parse(Owned::parse).map(|owned| (number, owned)))
            .collect();
        let Some(name) = name else { return };
        for (number, owned) in numbers {
            if let Err(other) = self.numbers.give(owned, &name) {
                let what = format!("names a number that account {other} has already");
                number.refuse(Code::DUPLICATE, what, "a number has one owner", "");
            }
        }
        let line = section.place().line;
        if let Some(first) = names.insert(name.clone(), line) {
            section.key("name").refuse(
                Code::DUPLICATE,
                format!("\"{name}\" stands on line {first} already"),
                "",
                "",
            );
        }
        let (in_flight, watches) = before
            .get(&name)
            .map(|old| (old.in_flight.clone(), old.watches.clone()))
            .unwrap_or_default();
        let account = Arc::new(Account {
            name,
            in_flight_max,
            segments_max,
            is_enabled,
            in_flight,
            watches,
        });
        for (key, hash) in hashes {
            if let Some(other) = self.by_key.insert(hash, Arc::clone(&account)) {
                let what = format!("has a key that account {} has already", other.name);
                key.refuse(Code::DUPLICATE, what, "a key stands for one account", "make a new key");
            }
        }
    }

    fn read_key(&self, entry: &Entry<'_>, log: &Log, base: &Path) -> Option<KeyHash> {
        let refuse = |what: String| entry.refuse(Code::FORMAT, what, "", "");
        let key = match entry.secret()?.read(base) {
            Ok(key) => key,
            Err(error) => {
                refuse(format!("cannot be had: {error}"));
                return None;
            }
        };
        let key = key.reveal();
        if !(1..=KEY_OCTETS_MAX).contains(&key.len()) || !key.bytes().all(|octet| octet.is_ascii_graphic()) {
            let octets = key.len();
            refuse(format!(
                "has {octets} octets, allowed are 1 to {KEY_OCTETS_MAX} printable ones without spaces"
            ));
            return None;
        }
        if key.len() < KEY_OCTETS_ADVISED {
            let what = format!("\"{}\" has {} octets and may be guessed", entry.path(), key.len());
            log.warning(
                entry.place(),
                20,
                what,
                "",
                format!("use at least {KEY_OCTETS_ADVISED}, random ones"),
            );
        }
        Some(self.hash(key))
    }

    fn hash(&self, key: &str) -> KeyHash {
        *blake3::keyed_hash(&self.secret, key.as_bytes()).as_bytes()
    }

    fn is_like(&self, other: &Self) -> bool {
        let mut pairs = self.by_key.iter().zip(&other.by_key);
        self.numbers == other.numbers
            && self.by_key.len() == other.by_key.len()
            && pairs.all(|((a, x), (b, y))| a == b && x.is_like(y))
    }
}

impl Directory {
    /// A directory that begins with `accounts`.
    pub fn new(accounts: Accounts) -> Self {
        Self {
            current: ArcSwap::from_pointee(accounts),
        }
    }

    /// The account that has `key`.
    ///
    /// # Errors
    /// No account has it, or the account is disabled.
    pub fn account(&self, key: &str) -> Result<Arc<Account>, Refusal> {
        self.find(key).map(|(_, account)| account)
    }

    /// The carrier of those that share a link over which `number` of `account` was called, as the file stands now; `None` = it is
    /// not theirs.
    pub(crate) fn called(&self, account: &AccountId, carriers: &Carriers, number: &str) -> Option<CarrierName> {
        let current = self.current.load();
        let owner = current.numbers.owner(carriers, number)?;
        (owner.account == account).then(|| owner.carrier.clone())
    }

    /// Whether anybody owns `number`, called over the link of `carriers`.
    pub(crate) fn is_owned(&self, carriers: &Carriers, number: &str) -> bool {
        self.current.load().numbers.owner(carriers, number).is_some()
    }

    /// The account that has `key`, and what finds it again without the key.
    pub(crate) fn find(&self, key: &str) -> Result<(KeyHash, Arc<Account>), Refusal> {
        let hash = self.current.load().hash(key);
        self.find_again(&hash).map(|account| (hash, account))
    }

    /// The account that has the key of `hash`, as it stands now.
    pub(crate) fn find_again(&self, hash: &KeyHash) -> Result<Arc<Account>, Refusal> {
        match self.current.load().by_key.get(hash) {
            None => Err(Refusal::Unauthenticated("no account has this key")),
            Some(account) if !account.is_enabled => Err(Refusal::Disabled(account.name.clone())),
            Some(account) => Ok(Arc::clone(account)),
        }
    }
}

#[cfg(test)]
mod tests;
