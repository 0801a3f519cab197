//! Policies read one by one.

use std::collections::HashMap;

use sms::{Content, Encoding, SenderKind, Size};
use table::{Lookup, Query};

use super::{
    answer::Answer,
    conditions::Tests,
    places::{Place, Places},
};
use crate::decide::scene::{Policy, Rewrite, Route, Scene, Strategy};

/// Attempts of a route that does not say; the defaults of the table.
const ATTEMPTS: usize = 3;

/// A message as the policies so far left it.
pub(super) struct Message<'a> {
    pub(super) query: Query<'a>,
    /// Digits of the recipient.
    pub(super) to: &'a str,
    pub(super) place: Place<'a>,
    pub(super) from: &'a str,
    pub(super) sender_kind: SenderKind,
    pub(super) encoding: Encoding,
    pub(super) segments: u8,
    pub(super) text: Option<&'a str>,
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
    pub(super) lookup: Lookup,
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
    sets: Sets<'a>,
    avoid: Vec<usize>,
    way: Option<Way<'a>>,
}

/// What a policy replaces, with what follows from it.
#[derive(Default)]
struct Sets<'a> {
    sender: Option<(&'a str, SenderKind)>,
    /// As written, and where it is.
    recipient: Option<(&'a str, Place<'a>)>,
    text: Option<(&'a str, Size)>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(scene: &'a Scene, places: &Places<'a>) -> Self {
        let carriers = scene.carriers.iter().enumerate();
        let carriers: HashMap<&str, usize> = carriers.map(|(at, carrier)| (carrier.name.as_str(), at)).collect();
        let mut open: Vec<usize> = (0..scene.carriers.len())
            .filter(|at| !scene.carriers[*at].only_named)
            .collect();
        open.sort_by_key(|at| &scene.carriers[*at].name);
        let read = |policy: &'a Policy| Read {
            policy,
            matches: Tests::new(&policy.matches),
            excepts: policy.excepts.iter().map(Tests::new).collect(),
            sets: policy
                .rewrite
                .as_ref()
                .map_or_else(Sets::default, |rewrite| sets(rewrite, places)),
            avoid: policy.avoid.iter().map(|name| carriers[name.as_str()]).collect(),
            way: policy.route.as_ref().map(|route| way(route, &carriers, &open)),
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
                lookup: Lookup::Never,
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
            read.sets.set(message, answer);
            answer.copies.extend(read.policy.copy.iter().flat_map(|copy| &copy.to));
            answer.tags.extend(read.policy.tag.as_deref());
            answer.avoided.extend(&read.avoid);
            if read.policy.reject.is_some() {
                (answer.policy, answer.reason) = (Some(at), read.policy.reject);
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

fn sets<'a>(rewrite: &'a Rewrite, places: &Places<'a>) -> Sets<'a> {
    let size = |text: &str| sms::count(&Content::Text(text.to_owned()));
    // What the query says of network and porting is said of the old number.
    let place = |to: &str| places.of(to.trim_start_matches('+'), None, None);
    Sets {
        sender: rewrite.sender.as_deref().map(|sender| (sender, SenderKind::of(sender))),
        recipient: rewrite.recipient.map(|to| (to, place(to))),
        text: rewrite.text.map(|text| (text, size(text))),
    }
}

fn way<'a>(route: &'a Route, carriers: &HashMap<&str, usize>, open: &[usize]) -> Way<'a> {
    let named = |names: &[String]| names.iter().map(|name| carriers[name.as_str()]).collect();
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
        lookup: route.lookup,
    }
}

impl<'a> Sets<'a> {
    fn set(&self, message: &mut Message<'a>, answer: &mut Answer<'a>) {
        if let Some((sender, kind)) = self.sender {
            (message.from, message.sender_kind) = (sender, kind);
            answer.from = Some(sender);
        }
        if let Some((recipient, place)) = self.recipient {
            (message.to, message.place) = (recipient.trim_start_matches('+'), place);
            answer.to = Some(recipient);
        }
        if let Some((text, size)) = self.text {
            message.text = Some(text);
            (message.encoding, message.segments) = (size.encoding, size.segments);
            answer.text = Some(text);
        }
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
