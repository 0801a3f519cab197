//! Where in a provider's JSON things are, and what its words mean: a pure table from a body to a [`Reply`].

use std::collections::BTreeMap;

use serde_json::Value;
use sms::Msisdn;
use source::Secret;
use table::{Fx, Micros, Network};
use web::{Template, quoted};

use crate::{Failure, Reach, Reply};

/// Where things are and what words mean.
#[derive(Clone, Debug, Default)]
pub(in crate::provider) struct Shape {
    /// The number that was asked about, repeated.
    pub(in crate::provider) number: Option<Template>,
    /// MCC and MNC in one.
    pub(in crate::provider) mccmnc: Option<Template>,
    /// The MCC alone.
    pub(in crate::provider) mcc: Option<Template>,
    /// The MNC alone.
    pub(in crate::provider) mnc: Option<Template>,
    /// Digits that an MNC is filled up to with leading zeros; `None` = it comes with them.
    pub(in crate::provider) mnc_digits: Option<usize>,
    /// Whether the number was ported.
    pub(in crate::provider) ported: Option<Template>,
    /// Whether its handset is abroad.
    pub(in crate::provider) roaming: Option<Template>,
    /// What asking cost.
    pub(in crate::provider) cost: Option<Template>,
    /// The table's currency for one unit of the cost; `None` = the same currency.
    pub(in crate::provider) cost_fx: Option<Fx>,
    /// Whether the handset can be reached.
    pub(in crate::provider) status: Option<Template>,
    /// What the words there mean.
    pub(in crate::provider) statuses: BTreeMap<String, Meaning>,
    /// What went wrong.
    pub(in crate::provider) error: Option<Template>,
    /// What the words there mean.
    pub(in crate::provider) errors: BTreeMap<String, Meaning>,
}

/// What a word or a status code of a provider means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::provider) enum Meaning {
    /// All is well: the rest of the answer counts.
    Fine,
    /// What can be reached, and what cannot.
    Reach(Reach),
    /// It does not know the number.
    Unknown,
    /// It could not find out just now.
    Retry,
    /// It wants fewer questions.
    Busy,
    /// It will not answer.
    Refused,
    /// It is out of order.
    Away,
}

/// What an answer is read against.
pub(super) struct Asked<'a> {
    pub(super) number: &'a Msisdn,
    pub(super) secrets: &'a [Secret],
}

impl Shape {
    /// What `body` says of the number.
    pub(super) fn reply(&self, body: &Value, asked: &Asked<'_>) -> Result<Reply, Failure> {
        if let Some(answer) = self.error_of(body, asked) {
            return answer;
        }
        self.check_number(body, asked)?;
        self.check_there(body, asked)?;
        let network = self.network(body, asked)?;
        let reach = self.reach(body, asked, network.is_some())?;
        Ok(Reply {
            // A number that is served by nobody has no network, whatever it had once.
            network: network.filter(|_| reach != Reach::Dead),
            ported: self.flag(&self.ported, body, asked),
            reach,
            roaming: self.flag(&self.roaming, body, asked),
            ttl: None,
            cost: self.cost(body, asked)?,
        })
    }

    /// What the word for errors in `body` comes to; `None` = there is none, or it says that all is well.
    pub(super) fn error_of(&self, body: &Value, asked: &Asked<'_>) -> Option<Result<Reply, Failure>> {
        let word = text_at(&self.error, body, asked)?;
        let shown = || format!("it says {}", quoted(&word, asked.secrets));
        match self.errors.get(&word) {
            Some(meaning) => meaning.answer(shown, None),
            None => {
                let why = format!(
                    "its error is {}, which `errors` does not name",
                    quoted(&word, asked.secrets)
                );
                Some(Err(Failure::Garbled(why)))
            }
        }
    }

    fn check_number(&self, body: &Value, asked: &Asked<'_>) -> Result<(), Failure> {
        if self.number.is_none() {
            return Ok(());
        }
        let Some(text) = text_at(&self.number, body, asked) else {
            return Err(Failure::Garbled(
                "it does not say which number its answer is about".to_owned(),
            ));
        };
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let digits = digits.strip_prefix("00").unwrap_or(&digits);
        if digits == asked.number.digits() {
            return Ok(());
        }
        Err(Failure::Garbled("it answered for another number".to_owned()))
    }

    /// An answer in which nothing stands where it should is about another number, or about nothing.
    fn check_there(&self, body: &Value, asked: &Asked<'_>) -> Result<(), Failure> {
        let pointers = [&self.mccmnc, &self.mcc, &self.status, &self.error];
        let is_there = |pointer: &&Template| body.pointer(&pointer.fill(&[asked.number.digits()])).is_some();
        if pointers.into_iter().flatten().any(|pointer| is_there(&pointer)) {
            return Ok(());
        }
        Err(Failure::Garbled(
            "in its answer nothing stands where it should".to_owned(),
        ))
    }

    fn network(&self, body: &Value, asked: &Asked<'_>) -> Result<Option<Network>, Failure> {
        let (named, shown) = match text_at(&self.mccmnc, body, asked) {
            Some(text) => (Network::parse_together(&text), text),
            None => {
                let Some(mcc) = text_at(&self.mcc, body, asked) else {
                    return Ok(None);
                };
                let mnc = text_at(&self.mnc, body, asked).unwrap_or_default();
                let mnc = match self.mnc_digits {
                    Some(digits) if !mnc.is_empty() => format!("{mnc:0>digits$}"),
                    _ => mnc,
                };
                (Network::parse(&mcc, &mnc), format!("{mcc} {mnc}"))
            }
        };
        let garbled = |error| Failure::Garbled(format!("its network is {}: {error}", quoted(&shown, asked.secrets)));
        named.map(Some).map_err(garbled)
    }

    fn reach(&self, body: &Value, asked: &Asked<'_>, has_network: bool) -> Result<Reach, Failure> {
        let Some(word) = text_at(&self.status, body, asked) else {
            return Ok(Reach::Unknown);
        };
        let shown = || format!("its status is {}", quoted(&word, asked.secrets));
        match self.statuses.get(&word) {
            Some(Meaning::Reach(reach)) => Ok(*reach),
            Some(Meaning::Retry) => Err(Failure::Undecided(shown())),
            Some(_) => Ok(Reach::Unknown),
            // A word it made up since says nothing of the network beside it.
            None if has_network => Ok(Reach::Unknown),
            None => Err(Failure::Garbled(format!("{}, which `statuses` does not name", shown()))),
        }
    }

    fn cost(&self, body: &Value, asked: &Asked<'_>) -> Result<Option<Micros>, Failure> {
        let Some(text) = text_at(&self.cost, body, asked) else {
            return Ok(None);
        };
        let cost = Micros::parse(&text).ok();
        let cost = cost.and_then(|cost| cost.convert(self.cost_fx.unwrap_or(Fx::ONE)));
        let garbled = || Failure::Garbled(format!("its cost {} is no amount", quoted(&text, asked.secrets)));
        cost.map(Some).ok_or_else(garbled)
    }

    /// What is neither yes nor no was not said.
    fn flag(&self, at: &Option<Template>, body: &Value, asked: &Asked<'_>) -> Option<bool> {
        match &*text_at(at, body, asked)?.to_ascii_lowercase() {
            "true" | "yes" | "y" | "1" | "ported" => Some(true),
            "false" | "no" | "n" | "0" | "not_ported" => Some(false),
            _ => None,
        }
    }
}

impl Meaning {
    /// What a word with this meaning comes to by itself; `None` = the rest of the answer counts.
    pub(super) fn answer(
        self,
        why: impl FnOnce() -> String,
        retry_after: Option<std::time::Duration>,
    ) -> Option<Result<Reply, Failure>> {
        Some(match self {
            Self::Fine => return None,
            Self::Reach(reach) => Ok(Reply {
                reach,
                ..Reply::default()
            }),
            Self::Unknown => Ok(Reply::default()),
            Self::Retry => Err(Failure::Undecided(why())),
            Self::Busy => Err(Failure::Busy {
                why: why(),
                retry_after,
            }),
            Self::Refused => Err(Failure::Refused(why())),
            Self::Away => Err(Failure::Away(why())),
        })
    }
}

/// The text, number or flag at `pointer`, as text; `None` = nothing, or nothing of use.
fn text_at(pointer: &Option<Template>, body: &Value, asked: &Asked<'_>) -> Option<String> {
    web::text_at(body, &pointer.as_ref()?.fill(&[asked.number.digits()]))
}
