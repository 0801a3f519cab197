//! Policies read one by one, each condition as it is written.

use std::collections::HashMap;

use jiff::{Timestamp, civil::Weekday, tz::TimeZone};
use sms::{SenderKind, UnixMs};
use table::Query;

use super::Answer;
use crate::decide::scene::{Conditions, Net, Policy, Route, Scene, Strategy};

/// Attempts of a route that does not say; the defaults of the table.
const ATTEMPTS: usize = 3;

/// A message as the policies so far left it.
pub(super) struct Message<'a> {
    pub(super) query: Query<'a>,
    /// Its digits behind a leading 1.
    pub(super) number: u64,
    pub(super) from: &'a str,
    /// The sender that a policy set.
    pub(super) rewritten: Option<&'a str>,
    pub(super) sender_kind: SenderKind,
    pub(super) net: Option<Net>,
    pub(super) country: Option<&'a str>,
    pub(super) ported: bool,
}

/// How the reading ends.
pub(super) enum Ends<'r, 'a> {
    Reject,
    Route(&'r Way<'a>),
}

/// A route with carriers by their places.
pub(super) struct Way<'a> {
    pub(super) strategy: Strategy,
    pub(super) carriers: Vec<usize>,
    pub(super) weights: Vec<u64>,
    pub(super) route_types: &'a [&'static str],
    pub(super) attempts: usize,
    pub(super) max_price: Option<i64>,
    pub(super) min_margin: Option<i64>,
    pub(super) min_delivery_rate: Option<f64>,
    pub(super) wants_receipt: bool,
}

impl Way<'_> {
    /// Whether it ranks or refuses by quality.
    pub(super) fn needs_quality(&self) -> bool {
        self.min_delivery_rate.is_some() || matches!(self.strategy, Strategy::BestValue | Strategy::Fastest)
    }
}

/// All policies, with what is better read once.
pub(super) struct Reader<'a> {
    policies: Vec<Read<'a>>,
    defaults: Way<'a>,
}

/// A policy, with what is better read once.
struct Read<'a> {
    policy: &'a Policy,
    matches: Tests<'a>,
    excepts: Vec<Tests<'a>>,
    avoid: Vec<usize>,
    way: Option<Way<'a>>,
}

/// Conditions, with networks and hours read.
struct Tests<'a> {
    conditions: &'a Conditions,
    networks: Vec<Net>,
    hours: Option<Hours>,
}

/// Days and hours of a time zone.
struct Hours {
    zone: TimeZone,
    /// Minutes after midnight; the first may be the larger.
    between: Option<(u16, u16)>,
    days: Vec<Weekday>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        let places = scene.carriers.iter().enumerate();
        let places: HashMap<&str, usize> = places.map(|(at, carrier)| (carrier.name.as_str(), at)).collect();
        let mut open: Vec<usize> = (0..scene.carriers.len())
            .filter(|at| !scene.carriers[*at].only_named)
            .collect();
        open.sort_by_key(|at| &scene.carriers[*at].name);
        let read = |policy: &'a Policy| Read {
            policy,
            matches: Tests::new(&policy.matches),
            excepts: policy.excepts.iter().map(Tests::new).collect(),
            avoid: policy.avoid.iter().map(|name| places[name.as_str()]).collect(),
            way: policy.route.as_ref().map(|route| way(route, &places, &open)),
        };
        Self {
            policies: scene.policies.iter().map(read).collect(),
            defaults: Way {
                carriers: open.clone(),
                strategy: Strategy::LeastCost,
                weights: Vec::new(),
                route_types: &[],
                attempts: ATTEMPTS,
                max_price: None,
                min_margin: None,
                min_delivery_rate: None,
                wants_receipt: false,
            },
        }
    }

    pub(super) fn name(&self, at: usize) -> &'a str {
        &self.policies[at].policy.name
    }

    /// Applies policies until one ends the walk.
    pub(super) fn read(&self, message: &mut Message<'a>, answer: &mut Answer<'a>) -> Ends<'_, 'a> {
        for (at, read) in self.policies.iter().enumerate() {
            if !read.applies(message, &answer.tags) {
                continue;
            }
            answer.applied.push(at);
            if let Some(rewrite) = &read.policy.rewrite {
                message.from = &rewrite.sender;
                message.rewritten = Some(&rewrite.sender);
                message.sender_kind = SenderKind::of(&rewrite.sender);
            }
            answer.tags.extend(read.policy.tag.as_deref());
            answer.avoided.extend(&read.avoid);
            if read.policy.reject.is_some() {
                answer.policy = Some(at);
                return Ends::Reject;
            }
            if let Some(way) = &read.way {
                answer.policy = Some(at);
                return Ends::Route(way);
            }
        }
        Ends::Route(&self.defaults)
    }
}

fn way<'a>(route: &'a Route, places: &HashMap<&str, usize>, open: &[usize]) -> Way<'a> {
    let named = |names: &[String]| names.iter().map(|name| places[name.as_str()]).collect();
    Way {
        strategy: route.strategy,
        carriers: if route.carriers.is_empty() {
            open.to_vec()
        } else {
            named(&route.carriers)
        },
        weights: route
            .carriers
            .iter()
            .filter_map(|name| route.weights.get(name))
            .map(|weight| u64::from(*weight))
            .collect(),
        route_types: &route.route_types,
        attempts: route.attempts.unwrap_or(ATTEMPTS),
        max_price: route.max_price.map(|limit| limit.micros()),
        min_margin: route.min_margin.map(|margin| margin.micros()),
        min_delivery_rate: route.min_delivery_rate,
        wants_receipt: route.receipt_within.is_some(),
    }
}

impl Read<'_> {
    fn applies(&self, message: &Message<'_>, tags: &[&str]) -> bool {
        let is_begun = self.policy.from.is_none_or(|from| from <= message.query.at);
        let is_over = self.policy.until.is_some_and(|until| until <= message.query.at);
        is_begun
            && !is_over
            && self.matches.hold(message, tags)
            && !self.excepts.iter().any(|except| except.hold(message, tags))
    }
}

impl<'a> Tests<'a> {
    fn new(conditions: &'a Conditions) -> Self {
        let network = |digits: &String| Net::new(&digits[..3], &digits[3..]);
        Self {
            conditions,
            networks: conditions.network.iter().map(network).collect(),
            hours: conditions.timezone.map(|zone| Hours::new(zone, conditions)),
        }
    }

    /// Whether all hold. One on something unknown does not.
    fn hold(&self, message: &Message<'_>, tags: &[&str]) -> bool {
        let (is, query) = (self.conditions, &message.query);
        let any = |list: &[&'static str], value: &str| list.is_empty() || list.contains(&value);
        let glob = |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| fits(one, value));
        any(&is.class, query.class.as_str())
            && any(&is.encoding, query.encoding.as_str())
            && is.segments_over.is_none_or(|bound| query.segments > bound)
            && is.ported.is_none_or(|wanted| message.ported == wanted)
            && any(&is.sender_kind, message.sender_kind.as_str())
            && (is.country.is_empty()
                || message
                    .country
                    .is_some_and(|country| is.country.iter().any(|one| one == country)))
            && (is.network.is_empty() || message.net.is_some_and(|net| self.networks.contains(&net)))
            && (is.prefix.is_empty() || is.prefix.iter().any(|prefix| query.to.starts_with(prefix)))
            && glob(&is.account, query.account)
            && glob(&is.sender, message.from)
            && (is.tag.is_empty() || is.tag.iter().any(|tag| tags.contains(&tag.as_str())))
            && self.hours.as_ref().is_none_or(|hours| hours.contain(query.at))
    }
}

impl Hours {
    fn new(zone: &str, conditions: &Conditions) -> Self {
        let minutes = |text: &str| text[..2].parse::<u16>().unwrap_or(0) * 60 + text[3..].parse::<u16>().unwrap_or(0);
        let day = |word: &&str| match *word {
            "mon" => Weekday::Monday,
            "tue" => Weekday::Tuesday,
            "wed" => Weekday::Wednesday,
            "thu" => Weekday::Thursday,
            "fri" => Weekday::Friday,
            "sat" => Weekday::Saturday,
            _ => Weekday::Sunday,
        };
        Self {
            zone: TimeZone::get(zone).expect("the policies name known zones"),
            between: conditions.between.map(|[from, until]| (minutes(from), minutes(until))),
            days: conditions.days.iter().map(day).collect(),
        }
    }

    fn contain(&self, at: UnixMs) -> bool {
        let at = Timestamp::from_millisecond(at.0 as i64).expect("the week lies in this century");
        let local = self.zone.to_datetime(at);
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let is_hour = self.between.is_none_or(|(from, until)| match from < until {
            true => (from..until).contains(&minute),
            false => minute >= from || minute < until,
        });
        is_hour && (self.days.is_empty() || self.days.contains(&local.weekday()))
    }
}

/// Whether `value` fits `pattern`, where `*` stands for anything and case of ASCII letters does not count.
pub(super) fn fits(pattern: &str, value: &str) -> bool {
    let (pattern, value) = (pattern.as_bytes(), value.as_bytes());
    let (mut p, mut v) = (0, 0);
    // Where the last star stands, and how much of the value it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while v < value.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, v));
            p += 1;
        } else if pattern
            .get(p)
            .is_some_and(|octet| octet.eq_ignore_ascii_case(&value[v]))
        {
            (p, v) = (p + 1, v + 1);
        } else if let Some((at, eaten)) = star {
            star = Some((at, eaten + 1));
            (p, v) = (at + 1, eaten + 1);
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|octet| *octet == b'*')
}

#[cfg(test)]
mod tests;
