//! What the reference answers: the JSON of an explanation field by field, and what a decision and a quote make of it.

use serde::Serialize;

use crate::{
    counts::Counts,
    offer::{self, Offer, Terms},
    walk::{Message, Resolved, walk},
    world::{Ask, World},
};

#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) account: String,
    pub(crate) class: &'static str,
    pub(crate) encoding: &'static str,
    pub(crate) segments: u64,
    pub(crate) at: String,
    pub(crate) table: String,
    pub(crate) network: Option<ServedBy>,
    pub(crate) policies: Vec<String>,
    pub(crate) policy: Option<String>,
    pub(crate) action: &'static str,
    pub(crate) reason: Option<String>,
    pub(crate) rewritten: Rewritten,
    pub(crate) copies: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) candidates: Vec<Candidate>,
    /// Nothing of use with `reject`.
    #[serde(skip)]
    pub(crate) terms: Terms,
    /// Those left, ranked, then those refused.
    #[serde(skip)]
    pub(crate) offers: Vec<Offer>,
    #[serde(skip)]
    pub(crate) sell: Option<i128>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ServedBy {
    pub(crate) mcc: &'static str,
    pub(crate) mnc: &'static str,
    pub(crate) country: Option<&'static str>,
    pub(crate) operator: Option<&'static str>,
    pub(crate) source: &'static str,
    pub(crate) ported: bool,
}

#[derive(Debug, Serialize)]
pub(crate) struct Rewritten {
    pub(crate) to: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) text: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Candidate {
    pub(crate) carrier: String,
    pub(crate) verdict: &'static str,
    pub(crate) rank: Option<usize>,
    pub(crate) reason: Option<&'static str>,
    pub(crate) price: Option<String>,
    pub(crate) currency: &'static str,
    pub(crate) cost: Option<String>,
    pub(crate) from: String,
}

impl Answer {
    /// The carriers that a decision names, the first first.
    pub(crate) fn left(&self) -> impl Iterator<Item = &Offer> {
        let left = self.offers.iter().filter(|offer| offer.refused.is_none());
        left.take(self.terms.attempts)
    }
}

/// All fields of who serves a number.
pub(crate) type Told<'a> = (&'a str, &'a str, Option<&'a str>, Option<&'a str>, &'a str, bool);

impl ServedBy {
    pub(crate) fn fields(&self) -> Told<'_> {
        (
            self.mcc,
            self.mnc,
            self.country,
            self.operator,
            self.source,
            self.ported,
        )
    }
}

pub(crate) fn told(found: &table::ServedBy) -> Told<'_> {
    let names = (found.country.as_deref(), found.operator.as_deref());
    (&found.mcc, &found.mnc, names.0, names.1, found.source, found.ported)
}

impl PartialEq<table::Explanation> for Answer {
    fn eq(&self, found: &table::Explanation) -> bool {
        let set = |to: &Option<String>, from: &Option<String>, text: &Option<String>| {
            (to == &found.rewritten.to) && (from == &found.rewritten.from) && (text == &found.rewritten.text)
        };
        (&self.to, &self.from, &self.account, &self.at) == (&found.to, &found.from, &found.account, &found.at)
            && (self.class, self.encoding, self.segments) == (found.class, found.encoding, u64::from(found.segments))
            && self.table == found.table
            && self.network.as_ref().map(ServedBy::fields) == found.network.as_ref().map(told)
            && (&self.policies, &self.policy) == (&found.policies, &found.policy)
            && (self.action, &self.reason) == (found.action, &found.reason)
            && set(&self.rewritten.to, &self.rewritten.from, &self.rewritten.text)
            && (&self.copies, &self.tags) == (&found.copies, &found.tags)
            && self.candidates.len() == found.candidates.len()
            && self
                .candidates
                .iter()
                .zip(&found.candidates)
                .all(|(ours, theirs)| ours == theirs)
    }
}

impl PartialEq<table::CandidateReport> for Candidate {
    fn eq(&self, found: &table::CandidateReport) -> bool {
        (&self.carrier, self.verdict, self.rank, self.reason)
            == (&found.carrier, found.verdict, found.rank, found.reason)
            && (&self.price, self.currency) == (&found.price, found.currency.as_str())
            && (&self.cost, &self.from) == (&found.cost, &found.from)
    }
}

/// Millionths with 6 places.
pub(crate) fn money(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let size = micros.abs();
    format!("{sign}{}.{:06}", size / 1_000_000, size % 1_000_000)
}

fn served_by(resolved: &Resolved) -> Option<ServedBy> {
    resolved.net.map(|((mcc, mnc), source)| ServedBy {
        mcc,
        mnc,
        country: resolved.country,
        operator: resolved.operator,
        source,
        ported: resolved.ported,
    })
}

fn candidates(offers: &[Offer], terms: &Terms, counts: &mut Counts) -> Vec<Candidate> {
    let report = |(place, offer): (usize, &Offer)| {
        let rank = offer.refused.is_none().then_some(place + 1);
        let verdict = match rank {
            None => "refused",
            Some(1) => "selected",
            Some(rank) if rank <= terms.attempts => "fallback",
            Some(_) => "spare",
        };
        counts.add("verdict", verdict);
        if let Some(why) = offer.refused {
            counts.add("refused", why);
        }
        Candidate {
            carrier: offer.carrier.clone(),
            verdict,
            rank,
            reason: offer.refused,
            price: offer.price.map(money),
            currency: offer.currency,
            cost: offer.cost.map(money),
            from: offer.from.clone(),
        }
    };
    offers.iter().enumerate().map(report).collect()
}

/// `route`, `wait` or `no_route`, and why.
fn outcome(offers: &[Offer]) -> (&'static str, Option<String>) {
    let live = ["circuit_open", "saturated", "already_tried"];
    let held = live
        .iter()
        .find(|why| offers.iter().any(|offer| offer.refused == Some(**why)));
    match (offers.iter().any(|offer| offer.refused.is_none()), held) {
        (true, _) => ("route", None),
        (false, Some(why)) => ("wait", Some((*why).to_owned())),
        (false, None) => ("no_route", Some("no_route".to_owned())),
    }
}

/// The answer to `ask`; `version` is the only thing that is not worked out here.
pub(crate) fn answer(world: &World, ask: &Ask, version: &str, counts: &mut Counts) -> Answer {
    let (message, (policy, ended)) = walk(world, ask, counts);
    let route = ended.unwrap_or(&world.defaults);
    let terms = offer::terms(world, route, ask.class);
    let (mut offers, action, reason) = match ended {
        Err(reason) => (Vec::new(), "reject", Some(reason.to_owned())),
        Ok(route) => {
            let offers = offer::offers(world, &message, route, &terms, ask.live.as_ref(), counts);
            let (action, reason) = outcome(&offers);
            (offers, action, reason)
        }
    };
    let mut ordered = offer::ranked(&offers, terms.strategy, ask.roll);
    counts.add("action", action);
    if ordered.len() > 1 {
        counts.add("strategy", terms.strategy);
    }
    offers.retain(|offer| offer.refused.is_some());
    ordered.append(&mut offers);
    let sell = offer::sell_price(world, &message, counts);
    let Message {
        encoding,
        segments,
        resolved,
        policies,
        copies,
        tags,
        ..
    } = message;
    Answer {
        to: ask.to.clone(),
        from: ask.from.to_owned(),
        account: ask.account.to_owned(),
        class: ask.class,
        encoding,
        segments,
        at: jiff::Timestamp::from_millisecond(ask.at)
            .expect("a sound instant")
            .to_string(),
        table: version.to_owned(),
        network: served_by(&resolved),
        policies,
        policy: policy.map(|policy| policy.name.clone()),
        action,
        reason,
        rewritten: Rewritten {
            to: message.set_to,
            from: message.set_from,
            text: message.set_text,
        },
        copies,
        tags,
        candidates: candidates(&ordered, &terms, counts),
        terms,
        offers: ordered,
        sell,
    }
}
